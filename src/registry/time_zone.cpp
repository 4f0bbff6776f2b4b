#include "registry/time_zone.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "io/file.h"

namespace tidegate::registry {

// A file of the database begins with "TZif" (RFC 8536).
bool is_time_zone(std::string_view name) {
  constexpr size_t kMaxBytes = 64;
  const bool good =
      !name.empty() && name.size() <= kMaxBytes && name.front() != '/' && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '+' || c == '/';
      });
  if (!good) return false;
  const auto rules = io::read_file(std::filesystem::path("/usr/share/zoneinfo") / std::string(name));
  return rules && rules->starts_with("TZif");
}

}  // namespace tidegate::registry
