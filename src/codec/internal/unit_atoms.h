// The atoms and prefixes of UCUM that sites measure in, and what people write instead.
#pragma once

#include <span>
#include <string_view>

namespace tidegate::codec {

struct UnitAtom {
  std::string_view code;
  std::string_view name;
  bool metric = false;  // takes prefixes
};
struct UnitPrefix {
  std::string_view code;
  std::string_view name;
};
// What is no UCUM, and what it is there.
struct UnitMistake {
  std::string_view written;
  std::string_view code;
};

[[nodiscard]] std::span<const UnitAtom> unit_atoms();
[[nodiscard]] std::span<const UnitPrefix> unit_prefixes();
[[nodiscard]] std::span<const UnitMistake> unit_mistakes();

}  // namespace tidegate::codec
