// Windows that follow the calendar of a time zone: days, months and shifts, as long as the clocks make them (a day of
// 23 or 25 hours where they change).
#pragma once

#include <cstdint>

#include "io/time_zone.h"
#include "sql/plan.h"

namespace tidegate::engine {

// [start, end), microseconds since 1970-01-01T00:00:00Z.
struct Period {
  int64_t start = 0;
  int64_t end = 0;
  [[nodiscard]] bool contains(int64_t time) const { return time >= start && time < end; }
};

// Keeps the last period at hand, so one thread at a time; copies are independent.
class Calendar {
 public:
  // Event times outside the years 1 to 9999 are in no window.
  static constexpr int64_t kFirstTime = -62'135'596'800'000'000;
  static constexpr int64_t kLastTime = 253'402'300'799'999'999;

  // The spec's zone must exist.
  explicit Calendar(const sql::WindowSpec& spec);

  [[nodiscard]] static bool covers(int64_t time) { return time >= kFirstTime && time <= kLastTime; }
  // The one that the time is in; covers(time).
  [[nodiscard]] Period period_of(int64_t time) const;

 private:
  // Periods are numbered; their starts on the wall come from arithmetic alone.
  [[nodiscard]] int64_t number_of(int64_t wall_us) const;
  [[nodiscard]] int64_t wall_start(int64_t number) const;
  [[nodiscard]] int64_t start_of(int64_t number) const;

  sql::WindowSpec spec_;
  const io::TimeZone* zone_;
  mutable Period last_;
};

}  // namespace tidegate::engine
