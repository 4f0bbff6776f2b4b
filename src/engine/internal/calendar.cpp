#include "engine/internal/calendar.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/ids.h"

namespace tidegate::engine {

namespace {

constexpr int64_t kDayUs = 86'400 * kMicrosPerSecond;
constexpr int64_t kMonthsPerYear = 12;

int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

// Months since the year 0.
int64_t month_of(int64_t wall_us) {
  const std::chrono::sys_days day{std::chrono::days{floor_divide(wall_us, kDayUs)}};
  const std::chrono::year_month_day date{day};
  return int64_t{static_cast<int>(date.year())} * kMonthsPerYear + (static_cast<unsigned>(date.month()) - 1);
}

int64_t month_start_us(int64_t month) {
  const int64_t year = floor_divide(month, kMonthsPerYear);
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                         std::chrono::month{static_cast<unsigned>(month - year * kMonthsPerYear + 1)},
                                         std::chrono::day{1}};
  return int64_t{std::chrono::sys_days{date}.time_since_epoch().count()} * kDayUs;
}

// The instant at which the clocks show `wall_us` or, if they skip it, at which they skip: so that later times on the
// wall never come earlier.
int64_t instant_of(const io::TimeZone& zone, int64_t wall_us) {
  const int64_t instant = zone.to_instant_us(wall_us);
  const int64_t skipped = zone.to_wall_us(instant) - wall_us;
  if (skipped <= 0) return instant;
  int64_t before = instant - skipped - 1;
  int64_t after = instant;
  const int64_t offset_after = zone.offset_us(after);
  while (after - before > 1) {
    const int64_t middle = before + (after - before) / 2;
    (zone.offset_us(middle) == offset_after ? after : before) = middle;
  }
  return after;
}

}  // namespace

Calendar::Calendar(const sql::WindowSpec& spec)
    : spec_(spec), zone_(io::find_time_zone(spec.zone.empty() ? "UTC" : spec.zone)) {
  CHECK(zone_ != nullptr);
}

int64_t Calendar::number_of(int64_t wall_us) const {
  const int64_t shifted = wall_us - spec_.offset_us;
  if (spec_.months > 0) return floor_divide(month_of(shifted), spec_.months);
  if (spec_.shift_starts_us.empty()) return floor_divide(shifted, spec_.size_us);
  const int64_t day = floor_divide(wall_us, kDayUs);
  const auto& starts = spec_.shift_starts_us;
  const auto begun = std::ranges::upper_bound(starts, wall_us - day * kDayUs) - starts.begin();
  return day * static_cast<int64_t>(starts.size()) + begun - 1;
}

int64_t Calendar::wall_start(int64_t number) const {
  if (spec_.months > 0) return month_start_us(number * spec_.months) + spec_.offset_us;
  if (spec_.shift_starts_us.empty()) return number * spec_.size_us + spec_.offset_us;
  const auto shifts = static_cast<int64_t>(spec_.shift_starts_us.size());
  const int64_t day = floor_divide(number, shifts);
  return day * kDayUs + spec_.shift_starts_us[static_cast<size_t>(number - day * shifts)];
}

int64_t Calendar::start_of(int64_t number) const { return instant_of(*zone_, wall_start(number)); }

Period Calendar::period_of(int64_t time) const {
  if (last_.contains(time)) return last_;
  // Where the clocks change, the time on the wall may be one period off.
  int64_t number = number_of(zone_->to_wall_us(time));
  while (start_of(number) > time) --number;
  while (start_of(number + 1) <= time) ++number;
  last_ = {start_of(number), start_of(number + 1)};
  return last_;
}

}  // namespace tidegate::engine
