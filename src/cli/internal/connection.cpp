#include "cli/internal/connection.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>

#include "cli/internal/contexts.h"

#include "io/file.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

int64_t integer_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

Result<json::object> read_json_file(const std::filesystem::path& file) {
  TRY_ASSIGN(const std::string text, io::read_file(file));
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("{} is not a JSON object", file.string()), "delete the file");
  }
  return std::move(value.get_object());
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(" \r\n\t") + 1);
  return text;
}

}  // namespace

std::filesystem::path session_file() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0') {
    return std::filesystem::path(config) / "tidegate" / "session.json";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".config" / "tidegate" / "session.json";
}

Result<SavedSession> load_session(const std::filesystem::path& file) {
  if (!is_there(file)) return SavedSession{};
  TRY_ASSIGN(const json::object object, read_json_file(file));
  return SavedSession{text_member(object, "server"), text_member(object, "token"), text_member(object, "ca")};
}

Result<> save_session(const std::filesystem::path& file, const SavedSession& session) {
  TRY(io::create_private_folder(file.parent_path()));
  const json::object object{{"server", session.server}, {"token", session.token}, {"ca", session.ca_pem}};
  return io::write_file_atomic(file, json::serialize(object) + "\n", io::FilePrivacy::kOwnerOnly);
}

Result<ServerFile> read_server_file(const std::filesystem::path& data) {
  TRY_ASSIGN(const json::object object, read_json_file(data / "server.json"));
  ServerFile file;
  file.http_url = text_member(object, "http_url");
  file.mqtt_port = static_cast<uint16_t>(integer_member(object, "mqtt_port"));
  file.mqtts_port = static_cast<uint16_t>(integer_member(object, "mqtts_port"));
  return file;
}

Result<Access> find_access(const ClientOptions& options, const std::filesystem::path& session) {
  TRY_ASSIGN(const Contexts contexts, load_contexts(session.parent_path() / "contexts.json"));
  TRY_ASSIGN(const std::string context, chosen_context(options, contexts));
  if (!context.empty()) {
    const SavedSession& chosen = contexts.by_name.at(context);
    Access of_context{chosen.server, options.token.empty() ? chosen.token : options.token, chosen.ca_pem};
    if (!options.ca_file.empty()) {
      TRY_ASSIGN(of_context.ca_pem, io::read_file(options.ca_file));
    }
    return of_context;
  }
  Access access;
  access.url = options.server;
  access.token = options.token;
  const bool has_data = is_there(options.data / "server.json");
  std::string local_url;
  if (has_data) {
    TRY_ASSIGN(const ServerFile file, read_server_file(options.data));
    local_url = file.http_url;
  }
  TRY_ASSIGN(const SavedSession saved, load_session(session));
  if (access.url.empty()) access.url = !local_url.empty() ? local_url : saved.server;
  if (access.url.empty()) {
    return fail(ErrorCode::ConfigInvalid,
                fmt::format("no server has run on the data folder '{}'", options.data.string()),
                "start one with `tidegate serve`, name its folder with --data, or another machine with --server");
  }
  // Only the server of the data folder gets the operator's token.
  const bool local = access.url == local_url;
  if (local && access.token.empty() && is_there(options.data / "operator.token")) {
    if (auto token = io::read_file(options.data / "operator.token")) access.token = trimmed(*token);
  }
  if (access.token.empty() && access.url == saved.server) access.token = saved.token;
  std::filesystem::path ca_file = options.ca_file;
  if (ca_file.empty() && is_there(options.data / "tls" / "ca.pem")) ca_file = options.data / "tls" / "ca.pem";
  if (!ca_file.empty()) {
    TRY_ASSIGN(access.ca_pem, io::read_file(ca_file));
  } else if (access.url == saved.server) {
    access.ca_pem = saved.ca_pem;
  }
  return access;
}

Result<Connection> Connection::open(const ClientOptions& options, int answer_timeout_ms) {
  Connection connection;
  TRY_ASSIGN(connection.access_, find_access(options, session_file()));
  net::HttpClientOptions client;
  client.base_url = connection.access_.url;
  if (!client.base_url.starts_with("http://")) client.ca_pem = connection.access_.ca_pem;
  client.answer_timeout_ms = answer_timeout_ms;
  client.bearer_token = connection.access_.token;
  TRY_ASSIGN(connection.client_, net::HttpClient::create(std::move(client)));
  return connection;
}

Error error_of(const net::HttpReply& reply) {
  json::error_code bad;
  const json::value parsed = json::parse(reply.body, bad);
  Error error;
  error.code = ErrorCode::ProtocolViolation;
  error.message = fmt::format("the server answered with HTTP status {}", reply.status);
  if (bad || !parsed.is_object()) return error;
  const json::object& problem = parsed.get_object();
  if (const int64_t code = integer_member(problem, "code"); code > 0 && code < 10'000) {
    error.code = static_cast<ErrorCode>(code);
  }
  if (std::string detail = text_member(problem, "detail"); !detail.empty()) error.message = std::move(detail);
  error.hint = text_member(problem, "hint");
  const int64_t line = integer_member(problem, "line");
  const int64_t column = integer_member(problem, "column");
  if (line > 0 && column > 0) error.position = TextPosition{static_cast<int>(line), static_cast<int>(column)};
  if (error.code == ErrorCode::NotAuthenticated && error.hint.empty()) {
    error.hint = "run `tidegate login`, or name the server's data folder with --data";
  }
  return error;
}

Result<net::HttpReply> Connection::raw(std::string_view method, std::string_view target, std::string_view body) {
  net::HttpCall call;
  call.method = method;
  call.target = target;
  call.body = body;
  auto reply = client_->send(call);
  if (!reply && reply.error().code == ErrorCode::ConnectionFailed) {
    reply.error().hint = "is the server running? `tidegate serve` starts it";
  }
  return reply;
}

Result<json::value> Connection::call(std::string_view method, std::string_view target, std::string_view body) {
  TRY_ASSIGN(const net::HttpReply reply, raw(method, target, body));
  if (!reply.ok()) return fail(error_of(reply));
  if (reply.body.empty()) return json::value();
  json::error_code error;
  json::value value = json::parse(reply.body, error);
  if (error) return fail(ErrorCode::ProtocolViolation, "the server's answer is not JSON: " + error.message());
  return value;
}

}  // namespace tidegate::cli
