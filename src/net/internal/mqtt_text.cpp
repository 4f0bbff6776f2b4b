#include "net/internal/mqtt_text.h"

#include <algorithm>
#include <cstring>

namespace tidegate::net {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ULL;
constexpr uint64_t kLowBits = 0x0101010101010101ULL;

// The length of the well-formed multi-byte sequence at `at` (Unicode table 3-7), 0 if there is none.
size_t sequence_length(const uint8_t* at, size_t left) {
  const uint8_t lead = at[0];
  size_t length = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || length > left || at[1] < low || at[1] > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((at[i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

std::string_view take_level(std::string_view& rest, bool& more) {
  const size_t slash = rest.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest = more ? rest.substr(slash + 1) : std::string_view{};
  return level;
}

bool acceptable_topic(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTopicBytes && valid_utf8(text) &&
         std::count(text.begin(), text.end(), '/') < kMaxTopicLevels;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = at + text.size();
  while (at != end) {
    // Eight bytes at once as long as all are ASCII and none is zero.
    while (end - at >= 8) {
      uint64_t word = 0;
      std::memcpy(&word, at, 8);
      if ((word & kHighBits) != 0 || ((word - kLowBits) & ~word & kHighBits) != 0) break;
      at += 8;
    }
    if (at == end) break;
    if (*at == 0) return false;
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const size_t length = sequence_length(at, static_cast<size_t>(end - at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

bool valid_topic_name(std::string_view topic) {
  return acceptable_topic(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

bool valid_topic_filter(std::string_view filter) {
  if (!acceptable_topic(filter)) return false;
  bool more = true;
  while (more) {
    const std::string_view level = take_level(filter, more);
    if (level == "+" || (level == "#" && !more)) continue;
    if (level.find_first_of("+#") != std::string_view::npos) return false;
  }
  return true;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  bool more_filter = true;
  bool more_topic = true;
  while (true) {
    const std::string_view want = take_level(filter, more_filter);
    if (want == "#") return true;
    const std::string_view have = take_level(topic, more_topic);
    if (want != "+" && want != have) return false;
    if (!more_topic) return !more_filter || filter == "#";
    if (!more_filter) return false;
  }
}

std::optional<SharedFilter> parse_filter(std::string_view filter) {
  constexpr std::string_view kShare = "$share/";
  if (!filter.starts_with(kShare)) {
    if (!valid_topic_filter(filter)) return std::nullopt;
    return SharedFilter{{}, filter};
  }
  const std::string_view rest = filter.substr(kShare.size());
  const size_t slash = rest.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  const SharedFilter shared{rest.substr(0, slash), rest.substr(slash + 1)};
  if (shared.group.find_first_of("+#") != std::string_view::npos || !valid_utf8(shared.group) ||
      !valid_topic_filter(shared.filter)) {
    return std::nullopt;
  }
  return shared;
}

}  // namespace tidegate::net
