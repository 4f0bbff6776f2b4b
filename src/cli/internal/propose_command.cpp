#include "cli/internal/propose_command.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "cli/internal/commands.h"
#include "crypto/mac.h"
#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

// Of a file: a guess gets no better by more, and the server takes 8 MB of all.
constexpr size_t kMaxFileBytes = 256U << 10;

Result<json::value> read_sample(const std::string& file, const std::string& topic) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    TRY_ASSIGN(text, io::read_file(file));
  }
  if (text.size() > kMaxFileBytes) {
    text.resize(kMaxFileBytes);
    const size_t line = text.rfind('\n');
    if (line == std::string::npos) {
      return fail(ErrorCode::UsageError,
                  fmt::format("'{}' is larger than {} kB and has no lines", file, kMaxFileBytes >> 10),
                  "give a file with one message");
    }
    text.resize(line + 1);
  }
  return json::object{{"topic", topic}, {"base64", crypto::base64(text)}};
}

Result<json::value> request_of(const ProposeOptions& propose) {
  json::object request{{"name", propose.name}};
  if (propose.files.empty()) {
    if (propose.topic.empty()) {
      return fail(ErrorCode::UsageError, "there is nothing to propose a stream from",
                  "give files with -f, or --topic 'plant/#' to capture messages");
    }
    request["capture"] = json::object{
        {"topic", propose.topic}, {"messages", propose.messages}, {"seconds", (propose.wait_us + 999'999) / 1'000'000}};
    return request;
  }
  json::array samples;
  for (const std::string& file : propose.files) {
    TRY_ASSIGN(json::value sample, read_sample(file, propose.topic));
    samples.push_back(std::move(sample));
  }
  request["samples"] = std::move(samples);
  return request;
}

std::string comment(std::string_view text) { return fmt::format("-- {}\n", printable(text)); }

std::string columns_table(const json::value& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const json::value& column : member(answer, "columns").as_array()) {
    rows.push_back({cell_text(member(column, "name")), member(column, "sure") == json::value(true) ? "" : "look at it",
                    cell_text(member(column, "why"))});
  }
  return render_table({{"column"}, {""}, {"why"}}, rows, "");
}

std::string preview_table(const json::value& preview) {
  std::vector<OutputColumn> columns;
  std::vector<std::vector<std::string>> rows;
  constexpr size_t kShownRows = 10;
  for (const json::value& row : member(preview, "rows").as_array()) {
    if (rows.size() == kShownRows) break;
    std::vector<std::string> cells;
    for (const auto& [name, value] : row.as_object()) {
      if (rows.empty()) columns.push_back({std::string(name)});
      cells.push_back(cell_text(value));
    }
    rows.push_back(std::move(cells));
  }
  return render_table(std::move(columns), rows, "no message becomes a row");
}

std::string letters_table(const json::value& preview) {
  std::vector<std::vector<std::string>> rows;
  for (const json::value& letter : member(preview, "dead_letters").as_array()) {
    rows.push_back({cell_text(member(letter, "message")), cell_text(member(letter, "topic")),
                    "TG" + cell_text(member(letter, "code")), cell_text(member(letter, "reason"))});
  }
  return render_table({{"message", true}, {"topic"}, {"code"}, {"reason"}}, rows, "");
}

void print_proposal(const json::value& answer) {
  const json::value& preview = member(answer, "preview");
  std::string out = comment(fmt::format("Proposed from {} messages of {}.", cell_text(member(answer, "messages")),
                                        cell_text(member(answer, "format"))));
  for (const json::value& note : member(answer, "notes").as_array()) out += comment(cell_text(note));
  out += std::string(member(answer, "sql").as_string()) + "\n" + columns_table(answer);
  out += fmt::format("\n{} rows, {} dead letters\n", cell_text(member(preview, "good")),
                     cell_text(member(preview, "dead")));
  out += preview_table(preview);
  if (member(preview, "dead") != json::value(0)) out += "\n" + letters_table(preview);
  print(out);
}

}  // namespace

Result<> propose_stream(const ClientOptions& options, const ProposeOptions& propose) {
  TRY_ASSIGN(const json::value request, request_of(propose));
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value answer, connection.call("POST", "/api/v1/streams/propose", json::serialize(request)));
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, answer));
  } else {
    print_proposal(answer);
  }
  if (!propose.apply) return {};
  return run_statements(options, std::string(member(answer, "sql").as_string()));
}

}  // namespace tidegate::cli
