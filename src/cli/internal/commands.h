// The commands that ask a server and print its answer. Each returns an error for run_cli to print.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

// The things that can be listed, shown and deleted by name.
enum class Resource : uint8_t { kStream, kTable, kPipeline, kDevice, kSecret };

[[nodiscard]] Result<> list_resources(const ClientOptions& options, Resource resource);
[[nodiscard]] Result<> show_resource(const ClientOptions& options, Resource resource, const std::string& name);
[[nodiscard]] Result<> delete_resource(const ClientOptions& options, Resource resource, const std::string& name);
[[nodiscard]] Result<> set_pipeline_running(const ClientOptions& options, const std::string& name, bool running);
// It begins anew `from` there; `dry_run` only says what that would mean.
[[nodiscard]] Result<> restart_pipeline(const ClientOptions& options, const std::string& name, const std::string& from,
                                        bool dry_run);
[[nodiscard]] Result<> reload_table(const ClientOptions& options, const std::string& name);
[[nodiscard]] Result<> show_status(const ClientOptions& options);

// A script from a file ("-": standard input). Prints what was done; the error has the file's line and a caret.
[[nodiscard]] Result<> apply_file(const ClientOptions& options, const std::string& file);
[[nodiscard]] Result<> run_statements(const ClientOptions& options, const std::string& script);

struct LiveOptions {
  std::string from;    // empty: only what comes from now on
  int64_t for_us = 0;  // ends after this; 0: never
  uint64_t limit = 0;  // ends after so many rows; 0: never
};
[[nodiscard]] Result<> follow_query(const ClientOptions& options, const std::string& sql, const LiveOptions& live);
[[nodiscard]] Result<> tail_stream(const ClientOptions& options, const std::string& name, const LiveOptions& live);

// Asks for the password on the terminal, or reads a line of standard input. A one-time password is changed at once.
[[nodiscard]] Result<> log_in(const ClientOptions& options, const std::string& user, bool password_stdin);
[[nodiscard]] Result<> change_password(const ClientOptions& options, const std::string& user, bool password_stdin);

struct SecretSource {
  bool stdin_line = false;
  bool generate = false;  // a new signing key in the form of Standard Webhooks, printed once
};
[[nodiscard]] Result<> set_secret(const ClientOptions& options, const std::string& name, SecretSource source);

// An error whose text is on standard error already (with the source and a caret): only the exit code is left to give.
[[nodiscard]] inline std::unexpected<Error> already_told() { return fail(ErrorCode::BadRequest, ""); }

// A member of an object; null if there is none.
[[nodiscard]] const boost::json::value& member(const boost::json::value& object, std::string_view name);
// An object as "name  value" lines; texts of several lines (SQL) stand below their name.
[[nodiscard]] std::string object_lines(const boost::json::value& object);

// First word is SELECT or WITH, after comments and blanks.
[[nodiscard]] bool is_query(std::string_view sql);

}  // namespace tidegate::cli
