// Fields of timestamps. A TIMESTAMP is taken as it stands, a TIMESTAMP_LTZ in UTC.
#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/civil.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/months.h"

namespace tidegate::compute {

namespace {

int64_t day_of(int64_t time_us) { return floor_divide(time_us, kMicrosPerDay); }

template <int64_t kUnit, int64_t kModulus>
int64_t clock_field(int64_t time_us) {
  return floor_modulo(floor_divide(time_us, kUnit), kModulus);
}

using Field = int64_t (*)(int64_t time_us);

int64_t year_field(int64_t t) { return civil_from_days(day_of(t)).year; }
int64_t month_field(int64_t t) { return civil_from_days(day_of(t)).month; }
int64_t quarter_field(int64_t t) { return (month_field(t) + 2) / 3; }
int64_t day_field(int64_t t) { return civil_from_days(day_of(t)).day; }
// 1 is Sunday, as Flink counts.
int64_t weekday_field(int64_t t) { return weekday_from_days(day_of(t)) + 1; }
int64_t day_of_year_field(int64_t t) { return day_of(t) - days_from_civil({year_field(t), 1, 1}) + 1; }
// From 1, Monday (ISO 8601).
int64_t iso_weekday_field(int64_t t) { return (weekday_from_days(day_of(t)) + 6) % 7 + 1; }
// A week belongs to the year of its Thursday.
int64_t thursday_of(int64_t t) { return day_of(t) - iso_weekday_field(t) + 4; }
int64_t iso_year_field(int64_t t) { return civil_from_days(thursday_of(t)).year; }
int64_t iso_week_field(int64_t t) { return (thursday_of(t) - days_from_civil({iso_year_field(t), 1, 1})) / 7 + 1; }
int64_t epoch_field(int64_t t) { return floor_divide(t, kMicrosPerSecond); }

Field field_of(std::string_view unit) {
  constexpr std::pair<std::string_view, Field> kFields[] = {
      {"YEAR", year_field},
      {"QUARTER", quarter_field},
      {"MONTH", month_field},
      {"WEEK", iso_week_field},
      {"DAY", day_field},
      {"HOUR", clock_field<3600 * kMicrosPerSecond, 24>},
      {"MINUTE", clock_field<60 * kMicrosPerSecond, 60>},
      {"SECOND", clock_field<kMicrosPerSecond, 60>},
      {"MILLISECOND", clock_field<kMicrosPerMilli, 1000>},
      {"DOW", weekday_field},
      {"ISODOW", iso_weekday_field},
      {"ISOYEAR", iso_year_field},
      {"DOY", day_of_year_field},
      {"EPOCH", epoch_field},
  };
  for (const auto& [name, field] : kFields) {
    if (name == unit) return field;
  }
  CHECK(false && "EXTRACT of an unknown unit");
}

using FloorOf = int64_t (*)(int64_t time_us);

template <int64_t kUnit>
int64_t floor_to(int64_t t) {
  return t - floor_modulo(t, kUnit);
}
int64_t floor_to_week(int64_t t) { return (day_of(t) - weekday_from_days(day_of(t))) * kMicrosPerDay; }
int64_t floor_to_month(int64_t t) {
  const CivilDate date = civil_from_days(day_of(t));
  return days_from_civil({date.year, date.month, 1}) * kMicrosPerDay;
}
int64_t floor_to_quarter(int64_t t) {
  const CivilDate date = civil_from_days(day_of(t));
  return days_from_civil({date.year, (date.month - 1) / 3 * 3 + 1, 1}) * kMicrosPerDay;
}
int64_t floor_to_year(int64_t t) { return days_from_civil({year_field(t), 1, 1}) * kMicrosPerDay; }

FloorOf floor_of(std::string_view unit) {
  constexpr std::pair<std::string_view, FloorOf> kFloors[] = {
      {"SECOND", floor_to<kMicrosPerSecond>},
      {"MINUTE", floor_to<60 * kMicrosPerSecond>},
      {"HOUR", floor_to<3600 * kMicrosPerSecond>},
      {"DAY", floor_to<kMicrosPerDay>},
      {"WEEK", floor_to_week},  // Sunday, as Flink does
      {"MONTH", floor_to_month},
      {"QUARTER", floor_to_quarter},
      {"YEAR", floor_to_year},
  };
  for (const auto& [name, floor] : kFloors) {
    if (name == unit) return floor;
  }
  CHECK(false && "FLOOR to an unknown unit");
}

Kernel apply_to_second(int64_t (*function)(int64_t)) {
  return [function](Frame& frame) {
    const auto* from = frame.args[1].data<int64_t>();
    const bool one = frame.literal(1);
    each_valid<int64_t>(frame, [&](size_t row) { return function(from[one ? 0 : row]); });
  };
}

// Within so much of the least and the greatest timestamp a unit may start outside of what there is.
constexpr int64_t kMargin = 366 * kMicrosPerDay;
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() + kMargin;
constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max() - kMargin;

template <bool kUp>
Kernel floor_kernel(int64_t (*floor)(int64_t), int64_t (*next)(int64_t)) {
  return [floor, next](Frame& frame) {
    const auto* from = frame.args[1].data<int64_t>();
    const bool one = frame.literal(1);
    auto* out = frame.result<int64_t>();
    for (size_t row = 0; row < frame.rows; ++row) {
      const int64_t time_us = from[one ? 0 : row];
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      if (time_us < kLeast || (kUp && time_us > kGreatest)) {
        frame.fail(row);
        continue;
      }
      const int64_t start = floor(time_us);
      out[row] = kUp && start != time_us ? next(start) : start;
    }
  };
}

// The start of the unit after the one that starts at `t`.
template <int64_t kUnit>
int64_t next_unit(int64_t t) {
  return t + kUnit;
}
template <int kMonths>
int64_t next_months(int64_t t) {
  return *add_months(t, kMonths);  // far from the edges
}

using NextOf = int64_t (*)(int64_t start_us);

NextOf next_of(std::string_view unit) {
  constexpr std::pair<std::string_view, NextOf> kNext[] = {
      {"SECOND", next_unit<kMicrosPerSecond>},
      {"MINUTE", next_unit<60 * kMicrosPerSecond>},
      {"HOUR", next_unit<3600 * kMicrosPerSecond>},
      {"DAY", next_unit<kMicrosPerDay>},
      {"WEEK", next_unit<7 * kMicrosPerDay>},
      {"MONTH", next_months<1>},
      {"QUARTER", next_months<3>},
      {"YEAR", next_months<12>},
  };
  for (const auto& [name, next] : kNext) {
    if (name == unit) return next;
  }
  CHECK(false && "CEIL to an unknown unit");
}

}  // namespace

Function time_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kExtract: return {apply_to_second(field_of(literal_text(call.arguments[0])))};
    case FunctionId::kFloorTime: return {floor_kernel<false>(floor_of(literal_text(call.arguments[0])), nullptr)};
    case FunctionId::kCeilTime: {
      const std::string& unit = literal_text(call.arguments[0]);
      return {floor_kernel<true>(floor_of(unit), next_of(unit))};
    }
    case FunctionId::kTimestampAdd:
    case FunctionId::kTimestampDiff: return time_shift_function(call);
    default: return time_text_function(call);
  }
}

}  // namespace tidegate::compute
