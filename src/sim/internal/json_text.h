// JSON objects as flat lists of fields, each value kept as text: all that profiles and data files need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::sim {

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

struct JsonField {
  std::string name;
  JsonKind kind = JsonKind::kNull;
  std::string text;  // of a string: what it says; of anything else: its JSON
};

// The fields of one object, in order. RecordMalformed otherwise.
[[nodiscard]] Result<std::vector<JsonField>> read_object(std::string_view json);

// Is it a number as JSON writes it (RFC 8259 section 6)?
[[nodiscard]] bool is_json_number(std::string_view text);

}  // namespace tidegate::sim
