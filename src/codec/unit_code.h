// Units of measure as UCUM writes them, case-sensitive (https://ucum.org/ucum, version 2.1, sections 2 and 3): "Cel",
// "kW.h", "m3/h", "{rev}/min". The whole grammar, and those atoms that sites measure in.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace tidegate::codec {

// The longest unit in use is a third of it; parentheses could nest without end otherwise.
inline constexpr size_t kMaxUnitBytes = 64;

struct BadUnit {
  std::string message;  // what is wrong where
  std::string hint;     // what may have been meant
};

// What the unit is called: "kilowatt hour", "metre^3 per hour".
[[nodiscard]] std::expected<std::string, BadUnit> unit_name(std::string_view code);

}  // namespace tidegate::codec
