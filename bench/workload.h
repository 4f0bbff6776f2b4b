// The readings that the window benchmarks run on: 76-byte JSON objects of 1,000 (or more) devices, epoch-millisecond
// integer times, one tenth out of order by up to five seconds. The same for the same arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::bench {

struct Reading {
  uint32_t device;
  int64_t time_ms;
  double value;
};

[[nodiscard]] std::vector<Reading> make_readings(size_t count, uint32_t devices);
[[nodiscard]] std::string device_name(uint32_t device);

// Messages back to back in one buffer, each followed by readable bytes.
class Messages {
 public:
  explicit Messages(const std::vector<Reading>& readings);
  [[nodiscard]] size_t count() const { return offsets_.size() - 1; }
  [[nodiscard]] std::string_view operator[](size_t index) const {
    return std::string_view(text_).substr(offsets_[index], offsets_[index + 1] - offsets_[index]);
  }

 private:
  std::string text_;
  std::vector<size_t> offsets_;
};

// The stream and the queries of the window cases: average and count per device, in ten-second windows and in hours that
// slide by a second.
extern const char* const kReadingsTable;
extern const char* const kAveragesTable;
extern const char* const kAveragesQuery;
extern const char* const kSlidingQuery;

}  // namespace tidegate::bench
