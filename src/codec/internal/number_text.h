// Numbers written as text, as formats without types have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tidegate::codec {

// Without the spaces and tabs around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);
// The whole text is a decimal integer, with or without a sign, that fits 64 bits.
[[nodiscard]] std::optional<int64_t> parse_integer(std::string_view text);
// The whole text is a decimal number, with or without sign, fraction and exponent; infinite when out of range. Words
// such as "nan" are none.
[[nodiscard]] std::optional<double> parse_real(std::string_view text);
// How much of the text's front is valid UTF-8.
[[nodiscard]] size_t valid_utf8_size(std::string_view text);

}  // namespace tidegate::codec
