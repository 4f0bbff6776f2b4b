// Days, months and shifts as the clocks on a wall make them, by the rules of a few zones written down by hand.
#pragma once

#include <string>
#include <vector>

#include "values.h"
#include "windows.h"

namespace tidegate::queries {

enum class CalendarKind : uint8_t { kDays, kMonths, kShifts };

struct Calendar {
  std::string zone;  // empty: none said, UTC
  CalendarKind kind = CalendarKind::kDays;
  int64_t count = 1;               // of days or months
  int64_t offset_ms = 0;           // of kDays and kMonths
  std::vector<int64_t> starts_ms;  // of kShifts: since midnight
};

[[nodiscard]] Calendar some_calendar(Random& random);
// TUMBLE(TABLE readings, ...).
[[nodiscard]] std::string sql_of(const Calendar& calendar);
[[nodiscard]] Span window_of(const Calendar& calendar, int64_t time);

}  // namespace tidegate::queries
