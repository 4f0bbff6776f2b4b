// Sessions and passwords of people.
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>

#include "cli/internal/commands.h"
#include "cli/internal/contexts.h"
#include "crypto/mac.h"
#include "io/random.h"

namespace tidegate::cli {
namespace {

namespace json = boost::json;

// Turns the terminal's echo off for as long as it lives.
class SilentTerminal {
 public:
  SilentTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

Result<std::string> ask_secret(std::string_view prompt, bool from_stdin) {
  std::string secret;
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  if (!terminal && !from_stdin) {
    return fail(ErrorCode::UsageError, "there is no terminal to ask for the password",
                "give it on standard input with --password-stdin");
  }
  if (terminal) fmt::print(stderr, "{}: ", prompt);
  const SilentTerminal silent;
  if (!std::getline(std::cin, secret)) return fail(ErrorCode::UsageError, "no password was given");
  if (terminal) fmt::print(stderr, "\n");
  return secret;
}

Result<std::string> ask_new_secret(bool from_stdin) {
  TRY_ASSIGN(std::string first, ask_secret("new password (at least 10 characters)", from_stdin));
  if (from_stdin) return first;
  TRY_ASSIGN(const std::string second, ask_secret("the new password again", from_stdin));
  if (first != second) return fail(ErrorCode::UsageError, "the two passwords differ");
  return first;
}

Result<> post_password(Connection& connection, const std::string& user, const std::string& before,
                       const std::string& after) {
  const json::object body{{"user", user}, {"old_password", before}, {"new_password", after}};
  TRY(connection.call("POST", "/api/v1/password", json::serialize(body)));
  return {};
}

Result<std::string> post_login(Connection& connection, const std::string& user, const std::string& password) {
  const json::object body{{"user", user}, {"password", password}};
  TRY_ASSIGN(const json::value answer, connection.call("POST", "/api/v1/login", json::serialize(body)));
  const json::value* token = answer.is_object() ? answer.get_object().if_contains("token") : nullptr;
  if (token == nullptr || !token->is_string()) {
    return fail(ErrorCode::ProtocolViolation, "the server's answer to the login has no token");
  }
  return std::string(token->get_string());
}

}  // namespace

Result<> log_in(const ClientOptions& options, const std::string& user, bool password_stdin) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  connection.client().set_bearer_token("");
  TRY_ASSIGN(std::string password, ask_secret(fmt::format("password of {}", user), password_stdin));
  auto token = post_login(connection, user, password);
  if (!token && token.error().code == ErrorCode::PasswordChangeRequired) {
    fmt::print(stderr, "this is a one-time password; choose your own\n");
    TRY_ASSIGN(const std::string chosen, ask_new_secret(password_stdin));
    TRY(post_password(connection, user, password, chosen));
    token = post_login(connection, user, chosen);
  }
  if (!token) return fail(token.error());
  TRY_ASSIGN(Contexts contexts, load_contexts(contexts_file()));
  TRY_ASSIGN(const std::string context, chosen_context(options, contexts));
  if (context.empty()) {
    TRY(save_session(session_file(), {connection.access().url, *token, connection.access().ca_pem}));
  } else {
    contexts.by_name[context].token = *token;
    TRY(save_contexts(contexts_file(), contexts));
  }
  if (options.format == OutputFormat::kTable) {
    print(fmt::format("logged in to {} as {}\n", connection.access().url, printable(user)));
  }
  return {};
}

Result<> set_secret(const ClientOptions& options, const std::string& name, SecretSource source) {
  constexpr size_t kKeyBytes = 32;  // Standard Webhooks: 24 to 64
  TRY_ASSIGN(Connection connection, Connection::open(options));
  std::string value;
  if (source.generate) {
    io::SystemRandom random;
    value = "whsec_" + crypto::base64(random.bytes(kKeyBytes));
  } else {
    TRY_ASSIGN(value, ask_secret(fmt::format("secret {}", printable(name)), source.stdin_line));
  }
  const std::string body = json::serialize(json::object{{"value", value}});
  TRY(connection.call("PUT", fmt::format("/api/v1/secrets/{}", net::percent_encode(name)), body));
  if (source.generate) {
    print(options.format == OutputFormat::kTable
              ? fmt::format("set secret {}\nkey  {}\n\nIt is shown only now. Give it to the receiver.\n",
                            printable(name), value)
              : structured_text(options.format, json::object{{"name", name}, {"value", value}}));
  } else if (options.format == OutputFormat::kTable) {
    print(fmt::format("set secret {}\n", printable(name)));
  }
  return {};
}

Result<> change_password(const ClientOptions& options, const std::string& user, bool password_stdin) {
  TRY_ASSIGN(Connection connection, Connection::open(options));
  connection.client().set_bearer_token("");
  TRY_ASSIGN(const std::string before, ask_secret(fmt::format("present password of {}", user), password_stdin));
  TRY_ASSIGN(const std::string after, ask_new_secret(password_stdin));
  TRY(post_password(connection, user, before, after));
  if (options.format == OutputFormat::kTable) print("the password is changed; log in again\n");
  return {};
}

}  // namespace tidegate::cli
