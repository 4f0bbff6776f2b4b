// The paths of JSON_VALUE and its kin: the part of SQL/JSON path (ISO 9075-2) without filters and wildcards.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tidegate::sql {

inline constexpr size_t kMaxJsonPathSteps = 64;  // deeper than any payload that a person made

struct JsonPath {
  using Step = std::variant<std::string, size_t>;  // a member, or an element
  bool strict = false;                             // what is not there is an error, not empty
  std::vector<Step> steps;
  bool operator==(const JsonPath&) const = default;
};

// "[lax | strict] $ {.name | .\"name\" | ['name'] | [0]}"; nothing if it is not one.
[[nodiscard]] std::optional<JsonPath> parse_json_path(std::string_view text);

}  // namespace tidegate::sql
