// `tidegate sim`: profile and options to a simulation, devices registered where the server is this machine's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

struct SimOptions {
  std::filesystem::path profile;      // JSON; the settings below come on top
  std::vector<std::string> settings;  // "name=value" as in the profile
  std::string mqtt;                   // "host:port"; empty: the server of the data folder
  bool plain = false;                 // no TLS (loopback only)
  int qos = 1;
  int window = 100;              // messages in flight per device
  std::filesystem::path tokens;  // JSON object device -> token; empty: <data>/sim/tokens.json
  std::filesystem::path record;  // NDJSON of what was sent
  bool resume = false;           // go on where the last run on this data folder stopped
  uint64_t limit = 0;            // messages; 0: all
  bool quiet = false;
};

[[nodiscard]] Result<> run_simulation(const ClientOptions& options, const SimOptions& sim);

}  // namespace tidegate::cli
