// The command line: `tidegate serve`, and everything that talks to a running server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/logging.h"

namespace tidegate::cli {

struct ListenAddress {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  bool operator==(const ListenAddress&) const = default;
};

struct ServeOptions {
  std::filesystem::path data = "data";
  ListenAddress http{"127.0.0.1", 8443};
  std::optional<ListenAddress> mqtt = ListenAddress{"127.0.0.1", 1883};  // plain text; none: off
  std::optional<ListenAddress> mqtts = ListenAddress{"127.0.0.1", 8883};
  bool insecure_dev = false;
  int threads = 1;             // of the engine
  size_t max_connections = 0;  // of MQTT; 0: as many as open files allow
  size_t pipeline_memory = 0;  // bytes of state of one pipeline; 0: half of the machine's
  std::string time_zone{};     // of days, months and shifts; empty: that of the sites
  std::vector<std::filesystem::path> sink_folders;
  std::vector<std::filesystem::path> lookup_folders{};
  std::vector<std::string> allowed_targets{};  // where webhooks and mail may go
  LogFormat log_format = LogFormat::kText;
  LogLevel log_level = LogLevel::kInfo;
};

// Exit codes: 0 done, 1 the server or the command reported an error (on standard error), 2 the command line cannot be
// understood. `serve` runs `tidegate serve` and returns its exit code.
[[nodiscard]] int run_cli(int argc, char** argv, const std::function<int(const ServeOptions&)>& serve);

// "127.0.0.1:8443", "[::1]:8883", "localhost:0", ":1883" (this machine only). UsageError.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace tidegate::cli
