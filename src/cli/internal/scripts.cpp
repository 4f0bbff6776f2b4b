// Scripts of statements: apply, and statements given to `sql`.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "cli/internal/commands.h"
#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

std::string_view text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

std::string result_lines(const json::object& result) {
  const std::string_view action = text(result, "action");
  if (action == "explained") return std::string(text(result, "text")) + "\n";
  if (action != "listed")
    return fmt::format("{} {} {}\n", action, text(result, "kind"), printable(text(result, "name")));
  std::string out;
  if (const json::value* names = result.if_contains("names"); names != nullptr && names->is_array()) {
    for (const json::value& name : names->get_array()) out += cell_text(name) + "\n";
  }
  return out.empty() ? "none\n" : out;
}

// Prints the results in an answer of /statements, also of one that ends with an error.
void print_results(const ClientOptions& options, std::string_view body) {
  json::error_code error;
  const json::value answer = json::parse({body.data(), body.size()}, error);
  if (error || !answer.is_object()) return;
  const json::value* results = answer.get_object().if_contains("results");
  if (results == nullptr || !results->is_array()) return;
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, *results));
    return;
  }
  for (const json::value& result : results->get_array()) {
    if (result.is_object()) print(result_lines(result.get_object()));
  }
}

// `place` stands before the error's text: the file's name and a line break, or nothing.
Result<> run_script(const ClientOptions& options, const std::string& script, const std::string& place) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  const std::string body = json::serialize(json::object{{"sql", script}});
  TRY_ASSIGN(const net::HttpReply reply, connection.raw("POST", "/api/v1/statements", body));
  print_results(options, reply.body);
  if (reply.ok()) return {};
  Error error = error_of(reply);
  if (error.position) {
    fmt::print(stderr, "{}{}\n", place, error.to_string_with_source(script));
    return already_told();
  }
  return fail(std::move(error));
}

}  // namespace

bool is_query(std::string_view sql) {
  for (;;) {
    sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n("), sql.size()));
    if (sql.starts_with("--")) {
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    } else if (sql.starts_with("/*")) {
      const size_t end = sql.find("*/");
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 2);
    } else {
      break;
    }
  }
  std::string word(sql.substr(0, std::min(sql.find_first_of(" \t\r\n(;*"), sql.size())));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter; });
  return word == "SELECT" || word == "WITH";
}

Result<> apply_file(const ClientOptions& options, const std::string& file) {
  std::string script;
  if (file == "-") {
    script.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    TRY_ASSIGN(script, io::read_file(file));
  }
  return run_script(options, script, file + ":\n");
}

Result<> run_statements(const ClientOptions& options, const std::string& script) {
  return run_script(options, script, "");
}

}  // namespace tidegate::cli
