// UTF-8 and topic rules (MQTT 5.0 sections 1.5.4 and 4.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidegate::net {

inline constexpr size_t kMaxTopicBytes = 4096;  // longer ones serve no one and would bloat every cache
inline constexpr int kMaxTopicLevels = 128;     // bounds the recursion of the subscription tree

// Well-formed UTF-8 without U+0000.
[[nodiscard]] bool valid_utf8(std::string_view text);

// For publishing: 1 to kMaxTopicBytes bytes of UTF-8, no wildcard, at most kMaxTopicLevels levels.
[[nodiscard]] bool valid_topic_name(std::string_view topic);

// For subscribing: '+' and '#' only as whole levels, '#' only last.
[[nodiscard]] bool valid_topic_filter(std::string_view filter);

// `filter` must be valid. Wildcards do not match a first level that begins with '$' (4.7.2).
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view topic);

struct SharedFilter {
  std::string_view group;   // empty: not shared
  std::string_view filter;  // what is matched
};

// Takes "$share/group/filter" apart (4.8.2); nothing if `filter` is not valid as either kind.
[[nodiscard]] std::optional<SharedFilter> parse_filter(std::string_view filter);

}  // namespace tidegate::net
