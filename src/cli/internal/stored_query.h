// `sql` with a SELECT: runs it over what is stored, fetches page after page, and prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

struct StoredQuery {
  std::string sql;
  std::string from;  // empty: the oldest record that is kept
  std::string to;    // empty: what is there now
  std::optional<uint64_t> limit;
  int64_t timeout_us = 0;  // 0: the server's own
};

inline constexpr int kInterruptedExit = 130;  // as shells have it for SIGINT

// The exit code. Ctrl-C, and nobody reading what is printed, end the query on the server too.
[[nodiscard]] Result<int> run_stored_query(const ClientOptions& options, const StoredQuery& query);

}  // namespace tidegate::cli
