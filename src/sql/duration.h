// Durations as Flink's options write them, for other modules' options too.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidegate::sql {

// '5 min', '24 h', '500 ms', '7 d' in microseconds; nothing if it is not one, is negative or does not fit.
[[nodiscard]] std::optional<int64_t> parse_duration(std::string_view text);

}  // namespace tidegate::sql
