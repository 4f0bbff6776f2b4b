// Whether a text names a time zone of the IANA database.
#pragma once

#include <string_view>

namespace tidegate::registry {

// "Europe/Berlin", "UTC"; looked up in the operating system's copy (Debian's tzdata).
[[nodiscard]] bool is_time_zone(std::string_view name);

}  // namespace tidegate::registry
