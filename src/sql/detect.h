// Detection functions: what a rule of an alert looks for in the rows of a partition.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tidegate::sql {

// The numbers are part of operator ids: never change or reuse them.
enum class DetectKind : uint8_t { kThreshold = 0, kChange = 1, kStuck = 2, kMissing = 3, kCount = 4 };

// Emits a row when an alert is raised, and one when it is cleared. Output columns: the keys, then event STRING, value
// DOUBLE, event_time, raised_at (both like the time column), duration_ms BIGINT: since the condition began.
struct Detect {
  DetectKind kind = DetectKind::kThreshold;
  size_t time_column = 0;                   // input column of the event time
  std::vector<size_t> keys = {};            // input columns: the partition
  std::optional<size_t> value_column = {};  // DOUBLE; none: every row counts (kMissing, kCount)
  // kThreshold: outside of these. kChange: a rise by more than `above`, a fall by more than -`below`, per `per_us`.
  std::optional<double> above = {};
  std::optional<double> below = {};
  // kThreshold: an alert ends inside of these; none: at the limits themselves.
  std::optional<double> clear_below = {};
  std::optional<double> clear_above = {};
  double tolerance = 0;  // kStuck
  // kThreshold, kStuck, kMissing: how long it must last. kChange, kCount: how far back it looks.
  int64_t for_us = 0;
  int64_t per_us = 1;  // kChange
  int64_t times = 1;   // kCount
  // A partition without rows for longer than this, in event time, is forgotten; 0: never.
  int64_t ttl_us = 0;
  bool keyed_by_device = false;
  size_t device_column = 0;  // input column of the device; meaningful if the source has one
  bool has_device_column = false;
};

}  // namespace tidegate::sql
