// `tidegate correct`: what a record should have held.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/internal/client_command.h"
#include "cli/internal/commands.h"
#include "cli/internal/device_commands.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

struct CorrectWords {
  std::string stream;
  std::string device;
  std::string time;
  std::vector<std::string> values;  // column=value
  std::string reason;
};

// "temp=21.5"; nothing behind the sign is NULL.
Result<json::object> values_of(const std::vector<std::string>& settings) {
  json::object values;
  for (const std::string& setting : settings) {
    const size_t sign = setting.find('=');
    if (sign == std::string::npos || sign == 0) {
      return fail(ErrorCode::UsageError, fmt::format("--set takes column=value, not '{}'", setting),
                  "For example --set temp=21.5, or --set temp= for NULL");
    }
    const std::string column = setting.substr(0, sign);
    if (values.contains(column)) return fail(ErrorCode::UsageError, fmt::format("'{}' is set twice", column));
    const std::string value = setting.substr(sign + 1);
    values[column] = value.empty() ? json::value(nullptr) : json::value(value);
  }
  return values;
}

Result<> correct(const ClientOptions& options, const CorrectWords& words) {
  TRY_ASSIGN(json::object values, values_of(words.values));
  const json::object body{
      {"device", words.device}, {"time", words.time}, {"values", std::move(values)}, {"reason", words.reason}};
  TRY_ASSIGN(Connection connection, Connection::open(options));
  TRY_ASSIGN(const json::value made,
             connection.call("POST", fmt::format("/api/v1/streams/{}/corrections", net::percent_encode(words.stream)),
                             json::serialize(body)));
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, made));
    return {};
  }
  std::string text = fmt::format(
      "corrected {} at {} in {}{}\n", printable(words.device), printable(words.time), printable(words.stream),
      member(made, "found") == json::value(true) ? "" : "; there was no record of that time");
  for (const json::value& one : member(made, "changed").get_array()) {
    text += fmt::format("  {}  {} -> {}\n", cell_text(member(one, "column")), cell_text(member(one, "before")),
                        cell_text(member(one, "after")));
  }
  print(text);
  return {};
}

}  // namespace

void add_correct_command(CLI::App& app, const ClientOptions& client, std::function<Result<int>()>& command) {
  // Shared by the options and the callback, which outlive this call.
  const auto words = std::make_shared<CorrectWords>();
  CLI::App* correct_word = app.add_subcommand("correct", "Say what a record should have held; the record itself stays");
  correct_word->add_option("stream", words->stream)->required();
  correct_word->add_option("--device", words->device, "whose record")->required();
  correct_word->add_option("--at", words->time, "its event time: 2026-03-01T12:00:00Z")->required();
  correct_word->add_option("--set", words->values, "column=value; may be repeated; nothing behind the sign is NULL")
      ->required()
      ->allow_extra_args(false);
  correct_word->add_option("--reason", words->reason, "why; kept with the correction")->required();
  on_use(correct_word, command, [&client, words] { return correct(client, *words); });
}

}  // namespace tidegate::cli
