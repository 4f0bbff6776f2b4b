#include "codec/internal/time_pattern.h"

#include <fmt/format.h>

#include <array>

#include "base/letter_case.h"

namespace tidegate::codec {

namespace {

constexpr std::string_view kLetters = "yMdHhmsSaX";
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr size_t kMaxPatternBytes = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `least` to `most` digits off the front; nothing if there are fewer.
std::optional<int64_t> take_digits(std::string_view& rest, size_t least, size_t most) {
  int64_t value = 0;
  size_t count = 0;
  for (; count < most && count < rest.size() && is_digit(rest[count]); ++count)
    value = value * 10 + (rest[count] - '0');
  if (count < least) return std::nullopt;
  rest.remove_prefix(count);
  return value;
}

}  // namespace

struct TimePattern::Parts {
  CivilTime time;
  std::optional<int64_t> half_day_hour;  // 1 to 12
  bool afternoon = false;
  std::optional<int64_t> zone_s;
};

std::expected<TimePattern, std::string> TimePattern::parse(std::string_view text) {
  TimePattern pattern;
  pattern.text_ = text;
  if (text.size() > kMaxPatternBytes) return std::unexpected("a pattern that long is none");
  std::string used;
  for (size_t at = 0; at < text.size();) {
    Step step;
    if (text[at] == '\'') {
      const size_t end = text.find('\'', at + 1);
      if (end == std::string_view::npos) return std::unexpected("a quote is not closed");
      step.literal = end == at + 1 ? "'" : std::string(text.substr(at + 1, end - at - 1));
      at = end + 1;
    } else if (!is_letter(text[at])) {
      step.literal = text[at++];
    } else {
      step.letter = text[at];
      while (at < text.size() && text[at] == step.letter) ++step.count, ++at;
      const bool known = kLetters.find(step.letter) != std::string_view::npos;
      const size_t most = step.letter == 'y'                         ? 4
                          : step.letter == 'S'                       ? 9
                          : step.letter == 'M' || step.letter == 'X' ? 3
                                                                     : 2;
      if (!known || step.count > most || (step.letter == 'y' && step.count % 2 != 0) ||
          used.find(step.letter) != std::string::npos) {
        return std::unexpected(
            fmt::format("'{}' is not known or stands there twice; letters are yyyy MM dd HH hh mm ss "
                        "S a X, others go in quotes",
                        std::string(step.count, step.letter)));
      }
      used += step.letter;
    }
    pattern.steps_.push_back(std::move(step));
  }
  for (const char needed : {'y', 'M', 'd'}) {
    if (used.find(needed) == std::string::npos) return std::unexpected(fmt::format("there is no '{}' in it", needed));
  }
  if ((used.find('h') != std::string::npos) != (used.find('a') != std::string::npos)) {
    return std::unexpected("h (1 to 12) and a (AM, PM) go together; H is the hour of the day");
  }
  return pattern;
}

bool TimePattern::read_step(const Step& step, std::string_view& rest, Parts& parts) {
  if (step.letter == 0) {
    if (!rest.starts_with(step.literal)) return false;
    rest.remove_prefix(step.literal.size());
    return true;
  }
  const auto number = [&](int64_t& into) {
    const size_t least = step.count;
    const auto digits = take_digits(rest, least, least == 1 ? 2 : least);
    if (digits) into = *digits;
    return digits.has_value();
  };
  switch (step.letter) {
    case 'y':
      if (!number(parts.time.year)) return false;
      if (step.count == 2) parts.time.year += 2000;
      return true;
    case 'M': {
      if (step.count < 3) return number(parts.time.month);
      std::string name;
      for (const char c : rest.substr(0, 3)) name += to_lower(c);
      for (size_t at = 0; at < kMonths.size(); ++at) {
        if (kMonths[at] == name) parts.time.month = static_cast<int64_t>(at) + 1;
      }
      rest.remove_prefix(name.size());
      return parts.time.month > 0;
    }
    case 'd': return number(parts.time.day);
    case 'H': return number(parts.time.hour);
    case 'm': return number(parts.time.minute);
    case 's': return number(parts.time.second);
    case 'h': {
      int64_t hour = 0;
      if (!number(hour) || hour < 1 || hour > 12) return false;
      parts.half_day_hour = hour;
      return true;
    }
    case 'a': {
      if (rest.size() < 2 || to_lower(rest[1]) != 'm' || (to_lower(rest[0]) != 'a' && to_lower(rest[0]) != 'p'))
        return false;
      parts.afternoon = to_lower(rest[0]) == 'p';
      rest.remove_prefix(2);
      return true;
    }
    case 'S': {
      const auto digits = take_digits(rest, step.count, step.count);
      if (!digits) return false;
      int64_t nanos = *digits;
      for (size_t at = step.count; at < 9; ++at) nanos *= 10;
      parts.time.micros = nanos / 1000;
      return true;
    }
    default: break;
  }
  parts.zone_s = take_zone(rest);
  return parts.zone_s.has_value();
}

std::optional<WrittenTime> TimePattern::read(std::string_view text) const {
  Parts parts;
  parts.time.month = 0;
  for (const Step& step : steps_) {
    if (!read_step(step, text, parts)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  if (parts.half_day_hour) parts.time.hour = *parts.half_day_hour % 12 + (parts.afternoon ? 12 : 0);
  const auto wall_us = to_micros(parts.time);
  if (!wall_us) return std::nullopt;
  return WrittenTime{*wall_us, parts.zone_s};
}

}  // namespace tidegate::codec
