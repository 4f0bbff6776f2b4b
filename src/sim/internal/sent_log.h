// SentLog: a JSON line for every message and what became of it (docs/formats/sim.md).
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::sim {

// One thread. Writes through the C library's buffer; what it could not write is told by close().
class SentLog {
 public:
  // Without a path it takes everything and writes nothing.
  [[nodiscard]] static Result<SentLog> open(const std::filesystem::path& path);

  void write(std::string_view device, uint64_t sequence, bool acked, uint32_t times, std::string_view payload);
  // DiskFull.
  [[nodiscard]] Result<> close();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::string line_;
};

}  // namespace tidegate::sim
