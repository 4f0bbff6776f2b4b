// Profile: what the simulator replays, as which devices, how fast, and with which faults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tidegate::sim {

// Each probability is per record; all decisions follow from the seed.
struct Faults {
  double late = 0;            // sent later than others that happened after it ...
  int64_t max_delay_us = 0;   // ... by at most this much event time
  double duplicate = 0;       // sent twice, the second time within max_delay_us
  double gap = 0;             // never sent
  double drop_out = 0;        // the device loses its connection before this record ...
  int64_t drop_out_us = 0;    // ... for this much event time, keeps what it measures, and sends it afterwards
  int64_t clock_skew_us = 0;  // every device's clock is wrong by a constant in [-this, +this]
  [[nodiscard]] bool any() const { return late > 0 || duplicate > 0 || gap > 0 || drop_out > 0 || clock_skew_us > 0; }
};

enum class TimeOutput : uint8_t { kEpochMs, kIso };

// Several devices are made of one file by shifting it in time: device n (from 0) starts with the record n * shift_us
// after the first, goes on to the end and then from the start. All devices cover the same span of event time.
struct Profile {
  std::filesystem::path file;       // .csv with a header line, or .ndjson / .jsonl
  std::string time_column;          // of the file
  std::string time_format = "iso";  // "iso", "epoch_s", "epoch_ms", or as strptime: "%d/%m/%Y %H:%M:%S" (read as UTC)
  // Column of the file -> field of the payload. Empty: every column but the time, under its own name.
  std::vector<std::pair<std::string, std::string>> columns;
  std::string time_field = "ts";  // of the payload
  TimeOutput time_output = TimeOutput::kEpochMs;
  std::string device_field;                // of the payload; empty: the device is not in it
  std::string sequence_field;              // of the payload; counts a device's records from 0; empty: not in it
  std::string device_name = "device-{n}";  // {n}: 1, 2, ..., padded with zeros to one width
  std::string topic = "devices/{device}/data";
  uint32_t devices = 1;
  int64_t shift_us = 24LL * 3600 * 1'000'000;
  double speed = 1;     // seconds of event time in a second; 0: as fast as the server takes it
  bool loop = false;    // starts over at the end, with event time going on
  bool resume = false;  // goes on where the last run on the same data folder stopped
  // Event time of the first record. Without it: so that the last is now (or, with `loop`, the start is one span ago).
  std::optional<int64_t> start_us;
  uint64_t seed = 1;
  Faults faults;

  static constexpr uint32_t kMaxDevices = 100'000;  // one connection each
};

// A JSON object with the field names above (durations as "5s", "10m", "24h", "7d"; `start` a timestamp, or a duration
// before `now_us` as "-30d"; `columns` an object). `file` is taken relative to `folder`. ConfigInvalid names the field.
[[nodiscard]] Result<Profile> parse_profile(std::string_view json, const std::filesystem::path& folder, int64_t now_us);
// ConfigInvalid when values contradict each other.
[[nodiscard]] Result<> check_profile(const Profile& profile);

// "250ms", "5s", "10m", "24h", "7d" in microseconds.
[[nodiscard]] Result<int64_t> parse_duration(std::string_view text);
// A timestamp, or a duration before `now_us` ("-30d").
[[nodiscard]] Result<int64_t> parse_start(std::string_view text, int64_t now_us);

[[nodiscard]] std::string device_name(const Profile& profile, uint32_t device);
[[nodiscard]] std::string topic_of(const Profile& profile, std::string_view device);

}  // namespace tidegate::sim
