// Random readings, and the order in which they arrive: none is late.
#pragma once

#include <string>
#include <vector>

#include "expression.h"

namespace tidegate::queries {

inline constexpr int64_t kFirstMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
inline constexpr int64_t kDelayMs = 10'000;             // of the watermark
inline constexpr int64_t kLastMs = kFirstMs + 86'400'000;

struct Readings {
  std::vector<Row> by_time;
  std::vector<Row> by_arrival;
  // One of each device, a day later, so that everything before it is over.
  std::vector<Row> last;
};

[[nodiscard]] Readings make_readings(Random& random);
// As a device sends it.
[[nodiscard]] std::string json_of(const Row& row);

}  // namespace tidegate::queries
