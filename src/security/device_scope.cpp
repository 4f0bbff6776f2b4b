#include "security/device_scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "security/name_pattern.h"

namespace tidegate::security {

Result<> check_scope(const std::vector<std::string>& patterns) {
  if (patterns.empty() || patterns.size() > kMaxScopePatterns) {
    return fail(ErrorCode::BadRequest,
                fmt::format("a gateway speaks for 1 to {} devices or patterns", kMaxScopePatterns),
                "name them, or use a pattern: 'pump-*'");
  }
  const bool good = std::ranges::all_of(patterns, [](const std::string& pattern) {
    return !pattern.empty() && pattern.size() <= kMaxPatternBytes && std::ranges::none_of(pattern, [](char c) {
      return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '/' || c == '+' || c == '#';
    });
  });
  if (good) return {};
  return fail(ErrorCode::BadRequest,
              "a device's name or pattern is empty, too long or has a character that no name has",
              fmt::format("use 1 to {} bytes without blanks, '/', '+' and '#'", kMaxPatternBytes));
}

bool DeviceScope::takes(std::string_view device) const {
  const auto patterns = patterns_.lock();
  return std::ranges::any_of(*patterns, [&](const std::string& pattern) { return matches_pattern(device, pattern); });
}

}  // namespace tidegate::security
