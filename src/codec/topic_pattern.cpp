#include "codec/topic_pattern.h"

#include <fmt/format.h>

namespace tidegate::codec {

namespace {

// Takes the first level off; false when it was the last one.
bool take_level(std::string_view& rest, std::string_view& level) {
  const size_t slash = rest.find('/');
  level = rest.substr(0, slash);
  if (slash == std::string_view::npos) return false;
  rest.remove_prefix(slash + 1);
  return true;
}

}  // namespace

std::expected<TopicPattern, std::string> TopicPattern::parse(std::string_view text) {
  constexpr size_t kMaxTopicBytes = 65'535;  // MQTT 5, section 1.5.4
  if (text.empty() || text.size() > kMaxTopicBytes) return std::unexpected("an MQTT topic");
  TopicPattern pattern;
  std::string_view level;
  bool more = true;
  for (size_t at = 0; more; ++at) {
    more = take_level(text, level);
    if (at > 0) pattern.filter_ += '/';
    if (level.size() > 2 && level.front() == '{' && level.back() == '}') {
      const std::string_view name = level.substr(1, level.size() - 2);
      if (name.find_first_of("{}+#") != std::string_view::npos) {
        return std::unexpected(fmt::format("one {{name}} a level; '{}' is none", level));
      }
      pattern.captures_.push_back({at, std::string(name)});
      pattern.filter_ += '+';
      continue;
    }
    if (level.find_first_of("{}") != std::string_view::npos) {
      return std::unexpected(
          fmt::format("a topic filter in which {{name}} stands for a whole level; '{}' does not", level));
    }
    const bool bad_hash = level.find('#') != std::string_view::npos && (level != "#" || more);
    const bool bad_plus = level.find('+') != std::string_view::npos && level != "+";
    if (bad_hash || bad_plus) return std::unexpected("a topic filter; + and # stand for whole levels, # last");
    pattern.filter_ += level;
  }
  return pattern;
}

std::string_view topic_level(std::string_view topic, size_t wanted) {
  std::string_view level;
  for (size_t at = 0;; ++at) {
    const bool more = take_level(topic, level);
    if (at == wanted) return level;
    if (!more) return {};
  }
}

}  // namespace tidegate::codec
