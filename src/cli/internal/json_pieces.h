// Pieces of JSON text as they were written: a number keeps all of its digits, which a DECIMAL needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::cli {

struct JsonMember {
  std::string name;
  std::string_view value;  // its text
};

// Of an array and of an object; the pieces point into `text`. ProtocolViolation if it is none. What is inside of the
// pieces is looked at only as far as it takes to find their ends.
[[nodiscard]] Result<std::vector<std::string_view>> json_items(std::string_view text);
[[nodiscard]] Result<std::vector<JsonMember>> json_members(std::string_view text);

}  // namespace tidegate::cli
