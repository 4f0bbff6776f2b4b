// Periods of the calendar against looking at the clock on the wall every few minutes.
#include "engine/internal/calendar.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <functional>

#include "base/ids.h"

namespace tidegate::engine {

namespace {

constexpr int64_t kMinuteUs = 60 * kMicrosPerSecond;
constexpr int64_t kHourUs = 60 * kMinuteUs;
constexpr int64_t kDayUs = 24 * kHourUs;

int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

sql::WindowSpec days(const char* zone, int64_t count, int64_t offset_us) {
  return {sql::WindowKind::kCalendar, count * kDayUs, count * kDayUs, offset_us, zone};
}

int64_t at(const char* zone, int64_t wall_us) { return io::find_time_zone(zone)->to_instant_us(wall_us); }

// 2026-01-01 00:00.
constexpr int64_t kNewYear = 20454 * kDayUs;

// All instants of `minutes` from `first` on whose wall time has the same label are one period.
void check_labels(const sql::WindowSpec& spec, int64_t first, int minutes,
                  const std::function<int64_t(int64_t wall_us)>& label) {
  const Calendar calendar(spec);
  const io::TimeZone& zone = *io::find_time_zone(spec.zone);
  Period period = calendar.period_of(first);
  for (int minute = 0; minute < minutes; minute += 5) {
    const int64_t time = first + minute * kMinuteUs;
    const Period here = calendar.period_of(time);
    REQUIRE(here.contains(time));
    CHECK(calendar.period_of(here.start).start == here.start);
    CHECK(calendar.period_of(here.end - 1).end == here.end);
    const bool same = label(zone.to_wall_us(time)) == label(zone.to_wall_us(here.start));
    if (!same) CAPTURE(fmt::format("{} at minute {}", spec.zone, minute));
    CHECK(same);
    if (!period.contains(time)) CHECK(here.start == period.end);
    period = here;
  }
}

}  // namespace

TEST_CASE("days follow the clocks of their zone, through both changes of the year") {
  const auto day = [](int64_t wall_us) { return floor_divide(wall_us, kDayUs); };
  for (const char* zone :
       {"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "+05:45"}) {
    check_labels(days(zone, 1, 0), kNewYear, 366 * 24 * 60, day);
  }
  // Clocks that go forward at midnight: the day starts at 01:00.
  check_labels(days("Africa/Cairo", 1, 0), kNewYear, 366 * 24 * 60, day);
}

TEST_CASE("days of 23 and 25 hours") {
  const Calendar paris(days("Europe/Paris", 1, 0));
  const auto hours = [&](int day_of_year) {
    const Period period = paris.period_of(at("Europe/Paris", kNewYear + day_of_year * kDayUs + 12 * kHourUs));
    return (period.end - period.start) / kHourUs;
  };
  CHECK(hours(87) == 23);   // 2026-03-29
  CHECK(hours(297) == 25);  // 2026-10-25
  CHECK(hours(88) == 24);
}

TEST_CASE("a day that a zone left out has no window, and its neighbours are whole") {
  // Samoa had no 2011-12-30.
  const Calendar samoa(days("Pacific/Apia", 1, 0));
  const int64_t noon = at("Pacific/Apia", 15337 * kDayUs + 12 * kHourUs);  // 2011-12-29
  const Period before = samoa.period_of(noon);
  const Period after = samoa.period_of(noon + kDayUs);
  CHECK(before.end - before.start == kDayUs);
  CHECK(after.start == before.end);
  CHECK(after.end - after.start == kDayUs);
  CHECK(io::find_time_zone("Pacific/Apia")->to_wall_us(after.start) == 15339 * kDayUs);
}

TEST_CASE("days may begin at another hour: a gas day") {
  const auto label = [](int64_t wall_us) { return floor_divide(wall_us - 6 * kHourUs, kDayUs); };
  check_labels(days("Europe/Berlin", 1, 6 * kHourUs), kNewYear, 366 * 24 * 60, label);
  const auto week = [](int64_t wall_us) { return floor_divide(wall_us - 4 * kDayUs, 7 * kDayUs); };
  check_labels(days("Europe/Berlin", 7, 4 * kDayUs), kNewYear, 366 * 24 * 60, week);
}

TEST_CASE("months, quarters and years") {
  const auto length = [](int32_t months, int64_t month_us) {
    const Calendar calendar({sql::WindowKind::kCalendar, 0, 0, 0, "Europe/Paris", months});
    const Period period = calendar.period_of(month_us);
    return (period.end - period.start) / kHourUs;
  };
  CHECK(length(1, kNewYear + 10 * kDayUs) == 31 * 24);
  CHECK(length(1, kNewYear + 40 * kDayUs) == 28 * 24);
  CHECK(length(1, kNewYear + 80 * kDayUs) == 31 * 24 - 1);
  CHECK(length(3, kNewYear + 40 * kDayUs) == 90 * 24 - 1);
  CHECK(length(12, kNewYear + 40 * kDayUs) == 365 * 24);
  CHECK(length(1, -40 * kDayUs) == 30 * 24);  // November 1969
  const Calendar utc({sql::WindowKind::kCalendar, 0, 0, 6 * kHourUs, "", 1});
  CHECK(utc.period_of(kNewYear).end == kNewYear + 6 * kHourUs);
}

TEST_CASE("shifts") {
  const std::vector<int64_t> starts = {6 * kHourUs, 14 * kHourUs, 22 * kHourUs};
  const sql::WindowSpec spec{sql::WindowKind::kCalendar, 0, 0, 0, "Europe/Paris", 0, starts};
  const auto label = [](int64_t wall_us) { return floor_divide(wall_us - 6 * kHourUs, 8 * kHourUs); };
  check_labels(spec, kNewYear, 366 * 24 * 60, label);
  const Calendar calendar(spec);
  const Period night = calendar.period_of(at("Europe/Paris", kNewYear + 86 * kDayUs + 23 * kHourUs));
  CHECK(night.end - night.start == 7 * kHourUs);
}

TEST_CASE("shifts that start at times which the clocks skip are cut, and do not overlap") {
  const std::vector<int64_t> starts = {2 * kHourUs + 30 * kMinuteUs, 2 * kHourUs + 45 * kMinuteUs,
                                       3 * kHourUs + 15 * kMinuteUs};
  const sql::WindowSpec spec{sql::WindowKind::kCalendar, 0, 0, 0, "Europe/Paris", 0, starts};
  const Calendar calendar(spec);
  const int64_t change = at("Europe/Paris", kNewYear + 87 * kDayUs + kHourUs) + kHourUs;
  CHECK(calendar.period_of(change - 1).end == change);
  CHECK(calendar.period_of(change).start == change);
  CHECK(calendar.period_of(change).end == change + 15 * kMinuteUs);
}

TEST_CASE("the first and the last year") {
  const Calendar calendar(days("Europe/Paris", 1, 0));
  CHECK(calendar.period_of(Calendar::kFirstTime).contains(Calendar::kFirstTime));
  CHECK(calendar.period_of(Calendar::kLastTime).contains(Calendar::kLastTime));
  const Calendar months({sql::WindowKind::kCalendar, 0, 0, 0, "Asia/Tokyo", 7});
  CHECK(months.period_of(Calendar::kFirstTime).contains(Calendar::kFirstTime));
  CHECK(months.period_of(Calendar::kLastTime).contains(Calendar::kLastTime));
}

}  // namespace tidegate::engine
