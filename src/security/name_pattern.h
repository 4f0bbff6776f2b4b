// Patterns over the names of devices: '*' stands for any run of characters, '?' for one.
#pragma once

#include <string_view>

namespace tidegate::security {

// Time proportional to the product of the lengths at worst, no recursion.
[[nodiscard]] bool matches_pattern(std::string_view name, std::string_view pattern);

}  // namespace tidegate::security
