// TIMESTAMPADD and TIMESTAMPDIFF.
#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/civil.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/months.h"

namespace tidegate::compute {

std::optional<int64_t> add_months(int64_t time_us, int64_t months) {
  constexpr int64_t kMostMonths = 12 * 600'000;  // more than all of a timestamp's range
  if (months > kMostMonths || months < -kMostMonths) return std::nullopt;
  const int64_t day = floor_divide(time_us, kMicrosPerDay);
  const CivilDate date = civil_from_days(day);
  const int64_t month = date.year * 12 + date.month - 1 + months;
  CivilDate moved{floor_divide(month, 12), static_cast<int>(floor_modulo(month, 12)) + 1, 1};
  moved.day = std::min(date.day, days_in_month(moved.year, moved.month));
  int64_t out = 0;
  // Days could only overflow together with what follows, so that the order of the checks does not matter.
  if (__builtin_mul_overflow(days_from_civil(moved), kMicrosPerDay, &out)) return std::nullopt;
  if (__builtin_add_overflow(out, floor_modulo(time_us, kMicrosPerDay), &out)) return std::nullopt;
  return out;
}

int64_t months_between(int64_t from_us, int64_t to_us) {
  const auto month_of = [](int64_t time_us) {
    const CivilDate date = civil_from_days(floor_divide(time_us, kMicrosPerDay));
    return date.year * 12 + date.month;
  };
  const auto place_in_month = [](int64_t time_us) {
    const CivilDate date = civil_from_days(floor_divide(time_us, kMicrosPerDay));
    return (date.day - 1) * kMicrosPerDay + floor_modulo(time_us, kMicrosPerDay);
  };
  int64_t months = month_of(to_us) - month_of(from_us);
  const int64_t from = place_in_month(from_us);
  const int64_t to = place_in_month(to_us);
  if (months > 0 && to < from) --months;
  if (months < 0 && to > from) ++months;
  return months;
}

namespace {

struct Unit {
  std::string_view name;
  int64_t us;  // 0: it is counted in months
  int64_t months;
};
constexpr Unit kUnits[] = {{"SECOND", kMicrosPerSecond, 0},
                           {"MINUTE", 60 * kMicrosPerSecond, 0},
                           {"HOUR", 3600 * kMicrosPerSecond, 0},
                           {"DAY", kMicrosPerDay, 0},
                           {"WEEK", 7 * kMicrosPerDay, 0},
                           {"MONTH", 0, 1},
                           {"QUARTER", 0, 3},
                           {"YEAR", 0, 12}};

const Unit& unit_of(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return unit;
  }
  CHECK(false && "an unknown unit of time");
}

std::optional<int64_t> shift(const Unit& unit, int64_t count, int64_t time_us) {
  int64_t distance = 0;
  if (unit.us == 0) {
    if (__builtin_mul_overflow(count, unit.months, &distance)) return std::nullopt;
    return add_months(time_us, distance);
  }
  if (__builtin_mul_overflow(count, unit.us, &distance)) return std::nullopt;
  if (__builtin_add_overflow(time_us, distance, &distance)) return std::nullopt;
  return distance;
}

std::optional<int64_t> whole_units(const Unit& unit, int64_t from_us, int64_t to_us) {
  if (unit.us == 0) return months_between(from_us, to_us) / unit.months;
  int64_t distance = 0;
  if (__builtin_sub_overflow(to_us, from_us, &distance)) return std::nullopt;
  return distance / unit.us;
}

template <class Out, class Operation>
Kernel on_two(Operation operation) {
  return [operation](Frame& frame) {
    auto* out = frame.result<Out>();
    for (size_t row = 0; row < frame.rows; ++row) {
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      const std::optional<int64_t> result = operation(frame.integer(1, row), frame.integer(2, row));
      if (!result || *result != static_cast<Out>(*result)) {
        frame.fail(row);
      } else {
        out[row] = static_cast<Out>(*result);
      }
    }
  };
}

}  // namespace

Function time_shift_function(const sql::Call& call) {
  const Unit& unit = unit_of(literal_text(call.arguments[0]));
  if (call.function == FunctionId::kTimestampAdd) {
    return {on_two<int64_t>([&unit](int64_t count, int64_t time_us) { return shift(unit, count, time_us); })};
  }
  return {on_two<int32_t>([&unit](int64_t from_us, int64_t to_us) { return whole_units(unit, from_us, to_us); })};
}

}  // namespace tidegate::compute
