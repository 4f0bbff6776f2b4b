#include "calendar.h"

#include <fmt/format.h>

#include <chrono>

namespace tidegate::queries {

namespace {

namespace chrono = std::chrono;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

int64_t floor_of(int64_t value, int64_t step) { return (value < 0 ? value - step + 1 : value) / step; }

int64_t days_of(chrono::sys_days day) { return day.time_since_epoch().count(); }

chrono::year_month_day date_of(int64_t time_ms) {
  return chrono::year_month_day(chrono::sys_days(chrono::days(floor_of(time_ms, kDayMs))));
}

// Clocks are so far before UTC's.
int64_t ahead_ms(const std::string& zone, int64_t utc_ms) {
  if (zone == "Asia/Kolkata") return 5 * kHourMs + kHourMs / 2;
  if (zone != "Europe/Paris" && zone != "America/New_York") return 0;
  const auto year = date_of(utc_ms).year();
  if (zone == "Europe/Paris") {  // summer from the last Sunday in March to that in October, at 1:00 UTC
    const int64_t from = days_of(year / chrono::March / chrono::Sunday[chrono::last]) * kDayMs + kHourMs;
    const int64_t to = days_of(year / chrono::October / chrono::Sunday[chrono::last]) * kDayMs + kHourMs;
    return utc_ms >= from && utc_ms < to ? 2 * kHourMs : kHourMs;
  }
  // From the second Sunday in March to the first in November, at 2:00 by the clocks of before.
  const int64_t from = days_of(year / chrono::March / chrono::Sunday[2]) * kDayMs + 7 * kHourMs;
  const int64_t to = days_of(year / chrono::November / chrono::Sunday[1]) * kDayMs + 6 * kHourMs;
  return utc_ms >= from && utc_ms < to ? -4 * kHourMs : -5 * kHourMs;
}

// When clocks show it. No window starts at an hour that they skip or show twice.
int64_t utc_of(const std::string& zone, int64_t shown_ms) {
  const int64_t guess = shown_ms - ahead_ms(zone, shown_ms);
  return shown_ms - ahead_ms(zone, guess);
}

Span shown_days(const Calendar& calendar, int64_t shown_ms) {
  const int64_t length_ms = calendar.count * kDayMs;
  const int64_t start = floor_of(shown_ms - calendar.offset_ms, length_ms) * length_ms + calendar.offset_ms;
  return {start, start + length_ms};
}

Span shown_months(const Calendar& calendar, int64_t shown_ms) {
  const auto date = date_of(shown_ms - calendar.offset_ms);
  const int64_t month = (static_cast<int>(date.year()) - 1970) * 12 + static_cast<unsigned>(date.month()) - 1;
  const auto first_of = [&](int64_t number) {
    const auto first = chrono::year(static_cast<int>(1970 + floor_of(number, 12))) /
                       chrono::month(static_cast<unsigned>(number - floor_of(number, 12) * 12 + 1)) / chrono::day(1);
    return days_of(first) * kDayMs + calendar.offset_ms;
  };
  const int64_t first = floor_of(month, calendar.count) * calendar.count;
  return {first_of(first), first_of(first + calendar.count)};
}

Span shown_shift(const Calendar& calendar, int64_t shown_ms) {
  const int64_t midnight = floor_of(shown_ms, kDayMs) * kDayMs;
  std::vector<int64_t> starts;
  for (const int64_t day : {-1, 0, 1}) {
    for (const int64_t start : calendar.starts_ms) starts.push_back(midnight + day * kDayMs + start);
  }
  size_t at = 0;
  while (starts[at + 1] <= shown_ms) ++at;
  return {starts[at], starts[at + 1]};
}

std::string hours_of(int64_t ms) { return fmt::format("{:02}:{:02}", ms / kHourMs, ms % kHourMs / 60'000); }

}  // namespace

Calendar some_calendar(Random& random) {
  static const std::vector<std::string> kZones = {"", "Europe/Paris", "Europe/Paris", "America/New_York",
                                                  "Asia/Kolkata"};
  static const std::vector<CalendarKind> kKinds = {CalendarKind::kDays, CalendarKind::kMonths, CalendarKind::kShifts};
  Calendar calendar{.zone = random.one_of(kZones), .kind = random.one_of(kKinds), .starts_ms = {}};
  const int64_t hour = random.one_of(std::vector<int64_t>{0, 0, 4, 6, 22});
  if (calendar.kind == CalendarKind::kDays) {
    // Without a zone a day without an offset of days is none of the calendar's, but as long.
    calendar.count = random.one_of(std::vector<int64_t>{1, 1, 1, 2, 7});
    calendar.offset_ms = hour * kHourMs + (calendar.count == 7 ? 4 * kDayMs : 0);
  } else if (calendar.kind == CalendarKind::kMonths) {
    calendar.count = random.one_of(std::vector<int64_t>{1, 1, 2, 3, 12});
    calendar.offset_ms = hour * kHourMs;
  } else {
    static const std::vector<std::vector<int64_t>> kShifts = {{6, 14, 22}, {0, 12}, {5, 13}, {7, 15, 23}, {8}};
    for (const int64_t start : random.one_of(kShifts)) {
      calendar.starts_ms.push_back(start * kHourMs + (random.one_in(3) ? kHourMs / 2 : 0));
    }
  }
  return calendar;
}

std::string sql_of(const Calendar& calendar) {
  const std::string zone = calendar.zone.empty() ? "" : fmt::format(", TIME ZONE '{}'", calendar.zone);
  std::string size;
  if (calendar.kind == CalendarKind::kShifts) {
    for (const int64_t start : calendar.starts_ms) size += (size.empty() ? "'" : ", '") + hours_of(start) + "'";
    size = "SHIFTS(" + size + ")";
  } else {
    size = fmt::format("INTERVAL '{}' {}", calendar.count, calendar.kind == CalendarKind::kDays ? "DAY" : "MONTH");
    if (calendar.offset_ms > 0) size += fmt::format(", INTERVAL '{}' HOUR", calendar.offset_ms / kHourMs);
  }
  return fmt::format("TUMBLE(TABLE readings, DESCRIPTOR(ts), {}{})", size, zone);
}

Span window_of(const Calendar& calendar, int64_t time) {
  const int64_t shown_ms = time + ahead_ms(calendar.zone, time);
  const Span shown = calendar.kind == CalendarKind::kDays     ? shown_days(calendar, shown_ms)
                     : calendar.kind == CalendarKind::kMonths ? shown_months(calendar, shown_ms)
                                                              : shown_shift(calendar, shown_ms);
  return {utc_of(calendar.zone, shown.start), utc_of(calendar.zone, shown.end)};
}

}  // namespace tidegate::queries
