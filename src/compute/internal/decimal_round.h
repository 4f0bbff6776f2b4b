// ROUND and TRUNCATE: to decimal digits, halves away from zero, of the number as it is written.
#pragma once

#include <cstdint>
#include <optional>

namespace tidegate::compute {

// ROUND(1.005, 2) is 1.01 although the nearest double is a little below 1.005: like Flink, the shortest decimal
// that reads back as the same double is what is rounded. `digits` may be negative (tens, hundreds, ...).
[[nodiscard]] double decimal_round(double value, int64_t digits);
[[nodiscard]] float decimal_round(float value, int64_t digits);
// Nothing on overflow.
[[nodiscard]] std::optional<int64_t> decimal_round(int64_t value, int64_t digits);

// TRUNCATE: the digits after so many are cut off.
[[nodiscard]] double decimal_truncate(double value, int64_t digits);
[[nodiscard]] float decimal_truncate(float value, int64_t digits);
[[nodiscard]] int64_t decimal_truncate(int64_t value, int64_t digits);

}  // namespace tidegate::compute
