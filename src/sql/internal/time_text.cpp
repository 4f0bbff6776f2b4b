// Times, intervals and durations as text and back.
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "base/ids.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

constexpr int64_t kMinute = 60 * kMicrosPerSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// Reads exactly `digits` digits (up to `max_digits` if greater); moves `text` on.
std::optional<int> take_number(std::string_view& text, size_t digits, size_t max_digits) {
  size_t taken = 0;
  int value = 0;
  while (taken < max_digits && taken < text.size() && text[taken] >= '0' && text[taken] <= '9') {
    value = value * 10 + (text[taken] - '0');
    ++taken;
  }
  if (taken < digits) return std::nullopt;
  text.remove_prefix(taken);
  return value;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> take_date(std::string_view& text) {
  const auto year = take_number(text, 4, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const auto month = take_number(text, 1, 2);
  if (!month || !take_char(text, '-')) return std::nullopt;
  const auto day = take_number(text, 1, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kDay;
}

// Digits after the point as microseconds; what is finer is cut.
std::optional<int64_t> take_fraction(std::string_view& text) {
  int64_t value = 0;
  int64_t unit = kMicrosPerSecond / 10;
  size_t taken = 0;
  for (; taken < text.size() && text[taken] >= '0' && text[taken] <= '9'; ++taken) {
    value += (text[taken] - '0') * unit;
    unit /= 10;
  }
  if (taken == 0) return std::nullopt;
  text.remove_prefix(taken);
  return value;
}

std::optional<int64_t> take_time_of_day(std::string_view& text) {
  const auto hour = take_number(text, 1, 2);
  if (!hour || *hour > 23 || !take_char(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 1, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t time = *hour * kHour + *minute * kMinute;
  if (!take_char(text, ':')) return time;
  const auto second = take_number(text, 1, 2);
  if (!second || *second > 59) return std::nullopt;
  time += *second * kMicrosPerSecond;
  if (!take_char(text, '.')) return time;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return time + *fraction;
}

struct Unit {
  std::string_view name;
  int64_t us;
};

constexpr std::array kDurationUnits = {Unit{"us", 1},
                                       Unit{"micro", 1},
                                       Unit{"micros", 1},
                                       Unit{"ms", kMicrosPerMilli},
                                       Unit{"milli", 1000},
                                       Unit{"millis", 1000},
                                       Unit{"s", kMicrosPerSecond},
                                       Unit{"sec", kMicrosPerSecond},
                                       Unit{"second", kMicrosPerSecond},
                                       Unit{"seconds", kMicrosPerSecond},
                                       Unit{"min", kMinute},
                                       Unit{"m", kMinute},
                                       Unit{"minute", kMinute},
                                       Unit{"minutes", kMinute},
                                       Unit{"h", kHour},
                                       Unit{"hour", kHour},
                                       Unit{"hours", kHour},
                                       Unit{"d", kDay},
                                       Unit{"day", kDay},
                                       Unit{"days", kDay}};

}  // namespace

std::string timestamp_text(int64_t time_us) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(time_us)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto micros = clock.subseconds().count(); micros != 0) {
    text +=
        micros % kMicrosPerMilli == 0 ? fmt::format(".{:03}", micros / kMicrosPerMilli) : fmt::format(".{:06}", micros);
  }
  return text;
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  auto time = take_date(text);
  if (!time || text.empty()) return time;
  if (!take_char(text, ' ') && !take_char(text, 'T')) return std::nullopt;
  const auto time_of_day = take_time_of_day(text);
  if (!time_of_day || !text.empty()) return std::nullopt;
  return *time + *time_of_day;
}

std::string interval_text(int64_t interval_us) {
  constexpr std::array kUnits = {Unit{"DAY", kDay}, Unit{"HOUR", kHour}, Unit{"MINUTE", kMinute},
                                 Unit{"SECOND", kMicrosPerSecond}};
  for (const Unit& unit : kUnits) {
    if (interval_us != 0 && interval_us % unit.us == 0)
      return fmt::format("INTERVAL '{}' {}", interval_us / unit.us, unit.name);
  }
  const char* sign = interval_us < 0 ? "-" : "";
  const auto magnitude = interval_us < 0 ? 0 - static_cast<uint64_t>(interval_us) : static_cast<uint64_t>(interval_us);
  const uint64_t fraction = magnitude % kMicrosPerSecond;
  if (fraction == 0) return fmt::format("INTERVAL '{}{}' SECOND", sign, magnitude / kMicrosPerSecond);
  return fmt::format("INTERVAL '{}{}.{:06}' SECOND", sign, magnitude / kMicrosPerSecond, fraction);
}

std::string duration_text(int64_t duration_us) {
  constexpr std::array kUnits = {Unit{"d", kDay}, Unit{"h", kHour}, Unit{"min", kMinute}, Unit{"s", kMicrosPerSecond},
                                 Unit{"ms", kMicrosPerMilli}};
  for (const Unit& unit : kUnits) {
    if (duration_us != 0 && duration_us % unit.us == 0) return fmt::format("{} {}", duration_us / unit.us, unit.name);
  }
  return duration_us == 0 ? "0 s" : fmt::format("{} us", duration_us);
}

std::optional<int64_t> parse_duration(std::string_view text) {
  const auto trim = [](std::string_view part) {
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    return part;
  };
  text = trim(text);
  int64_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc() || count < 0) return std::nullopt;
  const std::string unit = to_lower(trim(text.substr(static_cast<size_t>(end - text.data()))));
  for (const Unit& known : kDurationUnits) {
    int64_t product = 0;
    if (unit == known.name && !__builtin_mul_overflow(count, known.us, &product)) return product;
  }
  return std::nullopt;
}

std::optional<int64_t> parse_time_of_day(std::string_view text) {
  constexpr int64_t kMost[] = {23, 59, 59};
  constexpr int64_t kSeconds[] = {3600, 60, 1};
  if (text.size() != 5 && text.size() != 8) return std::nullopt;
  int64_t seconds = 0;
  for (size_t part = 0; part < std::size(kMost) && part * 3 < text.size(); ++part) {
    const size_t at = part * 3;
    const auto digit = [&](size_t index) { return text[index] >= '0' && text[index] <= '9'; };
    if (!digit(at) || !digit(at + 1) || (part > 0 && text[at - 1] != ':')) return std::nullopt;
    const int64_t value = (text[at] - '0') * 10 + (text[at + 1] - '0');
    if (value > kMost[part]) return std::nullopt;
    seconds += value * kSeconds[part];
  }
  return seconds * kMicrosPerSecond;
}

std::string time_of_day_text(int64_t since_midnight_us) {
  const int64_t seconds = since_midnight_us / kMicrosPerSecond;
  const std::string minutes = fmt::format("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
  return seconds % 60 == 0 ? minutes : fmt::format("{}:{:02}", minutes, seconds % 60);
}

}  // namespace tidegate::sql
