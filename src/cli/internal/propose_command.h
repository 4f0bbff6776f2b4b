// `tidegate stream propose`: a stream from messages that devices have sent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

struct ProposeOptions {
  std::vector<std::string> files;  // each is one message; "-": standard input
  std::string topic;               // with files: the topic they would come on; else the filter to capture from
  int64_t messages = 20;
  int64_t wait_us = 30'000'000;
  std::string name = "new_stream";
  bool apply = false;
};

[[nodiscard]] Result<> propose_stream(const ClientOptions& options, const ProposeOptions& propose);

}  // namespace tidegate::cli
