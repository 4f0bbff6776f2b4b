// Where a record ends in a payload, without reading its values.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidegate::codec {

// The size of the object or array that `text` starts with, brackets included; 0 when it is not closed within `text`.
[[nodiscard]] size_t closed_value_size(std::string_view text);

[[nodiscard]] constexpr bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace tidegate::codec
