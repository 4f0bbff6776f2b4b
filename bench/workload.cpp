#include "bench/workload.h"

#include <fmt/format.h>

#include "io/random.h"

namespace tidegate::bench {

const char* const kReadingsTable =
    "CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, temperature DOUBLE, "
    "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('device' = 'device')";
const char* const kAveragesTable =
    "CREATE TABLE averages (device STRING, window_start TIMESTAMP_LTZ(3), average DOUBLE, readings BIGINT)";
const char* const kAveragesQuery =
    "INSERT INTO averages SELECT device, window_start, AVG(temperature), COUNT(*) "
    "FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)) "
    "GROUP BY device, window_start, window_end";

const char* const kSlidingQuery =
    "INSERT INTO averages SELECT device, window_start, AVG(temperature), COUNT(*) "
    "FROM TABLE(HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '1' HOUR)) "
    "GROUP BY device, window_start, window_end";

std::string device_name(uint32_t device) { return fmt::format("meter-{:07}", device); }

// All devices report in turn; a round of 1,000 devices takes one second of event time.
std::vector<Reading> make_readings(size_t count, uint32_t devices) {
  constexpr int64_t kStartMs = 1'700'000'000'000;
  io::SeededRandom random(42);
  std::vector<Reading> readings;
  readings.reserve(count);
  for (size_t at = 0; at < count; ++at) {
    int64_t time_ms = kStartMs + static_cast<int64_t>(at);
    if (random.below(10) == 0) time_ms -= static_cast<int64_t>(random.below(5000));
    const double value = 15.0 + static_cast<double>(random.below(2000)) / 100.0;
    readings.push_back({static_cast<uint32_t>(at % devices), time_ms, value});
  }
  return readings;
}

Messages::Messages(const std::vector<Reading>& readings) {
  constexpr size_t kPadding = 64;
  text_.reserve(readings.size() * 76 + kPadding);
  offsets_.reserve(readings.size() + 1);
  for (const Reading& reading : readings) {
    offsets_.push_back(text_.size());
    fmt::format_to(std::back_inserter(text_), R"({{"device":"{}","ts":{},"temperature":{:5.2f},"unit":"C"}})",
                   device_name(reading.device), reading.time_ms, reading.value);
  }
  offsets_.push_back(text_.size());
  text_.append(kPadding, ' ');
}

}  // namespace tidegate::bench
