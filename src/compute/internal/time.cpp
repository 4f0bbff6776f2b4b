// Fields of timestamps. A TIMESTAMP is taken as it stands, a TIMESTAMP_LTZ in UTC.
#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"
#include "compute/internal/civil.h"
#include "compute/internal/kernels.h"
#include "compute/internal/loops.h"
#include "compute/internal/text_conversion.h"

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
int64_t epoch_field(int64_t t) { return floor_divide(t, kMicrosPerSecond); }

Field field_of(std::string_view unit) {
  constexpr std::pair<std::string_view, Field> kFields[] = {
      {"YEAR", year_field},
      {"QUARTER", quarter_field},
      {"MONTH", month_field},
      {"DAY", day_field},
      {"HOUR", clock_field<3600 * kMicrosPerSecond, 24>},
      {"MINUTE", clock_field<60 * kMicrosPerSecond, 60>},
      {"SECOND", clock_field<kMicrosPerSecond, 60>},
      {"MILLISECOND", clock_field<kMicrosPerMilli, 1000>},
      {"DOW", weekday_field},
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

// Floors that lie before the least timestamp cannot be represented: within one year of it nothing can be said.
Kernel floor_kernel(int64_t (*function)(int64_t)) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() + 366 * kMicrosPerDay;
  return [function](Frame& frame) {
    const auto* from = frame.args[1].data<int64_t>();
    const bool one = frame.literal(1);
    auto* out = frame.result<int64_t>();
    for (size_t row = 0; row < frame.rows; ++row) {
      const int64_t time_us = from[one ? 0 : row];
      out[row] = 0;
      if (!frame.out.valid(row)) continue;
      if (time_us < kLeast) {
        frame.fail(row);
      } else {
        out[row] = function(time_us);
      }
    }
  };
}

template <class T>
Kernel from_epoch(const sql::Call& call) {
  const sql::Literal* precision = as_literal(call.arguments[1]);
  CHECK(precision != nullptr && std::holds_alternative<int64_t>(*precision));
  const int64_t unit_us = std::get<int64_t>(*precision) == 0 ? kMicrosPerSecond : kMicrosPerMilli;
  if constexpr (std::is_same_v<T, double>) {
    return checked_unary<double, int64_t>([unit_us](double a, int64_t& out) {
      // A TIMESTAMP_LTZ(3) has whole milliseconds.
      const double millis = std::floor(a * static_cast<double>(unit_us / kMicrosPerMilli));
      const bool ok = std::fabs(millis) < 9.2e15;
      out = ok ? static_cast<int64_t>(millis) * kMicrosPerMilli : 0;
      return ok;
    });
  } else {
    return checked_unary<T, int64_t>(
        [unit_us](T a, int64_t& out) { return !__builtin_mul_overflow(int64_t{a}, unit_us, &out); });
  }
}

Function to_timestamp_ltz(const sql::Call& call) {
  switch (call.arguments[0].type) {
    case TypeKind::kDouble: return {from_epoch<double>(call)};
    case TypeKind::kInt: return {from_epoch<int32_t>(call)};
    default: return {from_epoch<int64_t>(call)};
  }
}

Function date_format(const sql::Call& call) {
  const sql::Literal* literal = as_literal(call.arguments[1]);
  if (literal != nullptr && std::holds_alternative<std::string>(*literal)) {
    return {[format = TimeFormat(std::get<std::string>(*literal)), text = std::string()](Frame& frame) mutable {
      const auto* times = frame.args[0].data<int64_t>();
      each_text(frame, [&](size_t row) {
        text.clear();
        format.append(times[frame.args[0].row(row)], text);
        frame.put(text);
      });
    }};
  }
  return {[text = std::string()](Frame& frame) mutable {
    const auto* times = frame.args[0].data<int64_t>();
    each_text(frame, [&](size_t row) {
      text.clear();
      TimeFormat(frame.args[1].text(row)).append(times[frame.args[0].row(row)], text);
      frame.put(text);
    });
  }};
}

}  // namespace

Function time_function(const sql::Call& call) {
  switch (call.function) {
    case FunctionId::kExtract: return {apply_to_second(field_of(literal_text(call.arguments[0])))};
    case FunctionId::kFloorTime: return {floor_kernel(floor_of(literal_text(call.arguments[0])))};
    case FunctionId::kToTimestampLtz: return to_timestamp_ltz(call);
    case FunctionId::kUnixTimestamp: return {unary<int64_t, int64_t>(epoch_field)};
    default: return date_format(call);
  }
}

}  // namespace tidegate::compute
