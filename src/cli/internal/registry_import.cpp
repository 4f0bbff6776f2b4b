// `tidegate device import`.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "cli/internal/commands.h"
#include "cli/internal/registry_calls.h"
#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

// "meters.csv:17: TG6001 there is no place 'x'. make it first" for each line that was refused.
void tell_lines(const std::string& file, std::string_view body) {
  json::error_code bad;
  const json::value problem = json::parse({body.data(), body.size()}, bad);
  const json::value& errors = bad ? problem : member(problem, "errors");
  if (!errors.is_array()) return;
  for (const json::value& error : errors.get_array()) {
    const std::string hint = cell_text(member(error, "hint"));
    fmt::print(stderr, "{}:{}: TG{} {}{}{}\n", printable(file), cell_text(member(error, "line")),
               cell_text(member(error, "code")), cell_text(member(error, "detail")), hint.empty() ? "" : ". ", hint);
  }
}

std::string tokens_csv(const json::value& tokens) {
  std::string text = "name,token\n";
  for (const auto& [name, token] : tokens.get_object()) {
    std::string quoted;
    for (const char c : std::string_view(name.data(), name.size())) quoted.append(c == '"' ? 2 : 1, c);
    text += fmt::format("\"{}\",{}\n", quoted, cell_text(token));
  }
  return text;
}

}  // namespace

Result<> import_devices(const ClientOptions& options, const DeviceImport& import) {
  TRY_ASSIGN(const std::string text, io::read_file(import.file));
  std::error_code ignored;
  if (!import.tokens.empty() && std::filesystem::exists(import.tokens, ignored)) {
    return fail(ErrorCode::AlreadyExists, fmt::format("the file '{}' exists already", import.tokens),
                "tokens are not written over other tokens; name another file");
  }
  TRY_ASSIGN(Connection connection, Connection::open(options));
  net::HttpCall call;
  call.method = "POST";
  call.target = fmt::format("/api/v1/device-imports?dry_run={}&skip_existing={}&tokens={}", import.dry_run,
                            import.skip_existing, !import.tokens.empty());
  call.body = text;
  call.content_type = "text/csv";
  TRY_ASSIGN(const net::HttpReply reply, connection.client().send(call));
  if (!reply.ok()) {
    tell_lines(import.file, reply.body);
    return fail(error_of(reply));
  }
  json::value answer = json::parse(reply.body);
  if (const json::value& tokens = member(answer, "tokens"); tokens.is_object()) {
    TRY(io::write_file_atomic(import.tokens, tokens_csv(tokens), io::FilePrivacy::kOwnerOnly));
    answer.as_object().erase("tokens");  // the file has them; the terminal's scroll-back should not
  }
  if (options.format != OutputFormat::kTable) {
    print(structured_text(options.format, answer));
  } else if (const json::value& would = member(answer, "would_add"); !would.is_null()) {
    print(fmt::format("{} devices would be added; nothing was changed\n", cell_text(would)));
  } else {
    const std::string added = cell_text(member(answer, "added"));
    print(fmt::format("added {} device{}\n", added, added == "1" ? "" : "s"));
    if (!import.tokens.empty()) print(fmt::format("their tokens stand in {}, and nowhere else\n", import.tokens));
  }
  return {};
}

}  // namespace tidegate::cli
