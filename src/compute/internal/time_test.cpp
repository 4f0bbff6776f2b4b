#include <doctest/doctest.h>

#include <chrono>
#include <limits>

#include "base/civil.h"
#include "compute/internal/testing.h"
#include "compute/internal/text_conversion.h"

namespace tidegate::compute::testing {

namespace {

const Literal kNull;
constexpr int64_t kDay = kMicrosPerDay;
// 2026-11-24 (a Tuesday) 13:45:06.789123.
constexpr int64_t kSome = 1'795'527'906'789'123;

Typed at(const char* written) {
  const auto parsed = parse_timestamp(written, false);
  REQUIRE(parsed);
  return time(*parsed);
}
Literal moment(const char* written) { return at(written).value; }
Literal str(const char* value) { return std::string(value); }

}  // namespace

TEST_CASE("the calendar agrees with the standard library's over 4000 years") {
  using std::chrono::year_month_day;
  for (int64_t days = -800'000; days < 800'000; days += 37) {
    const year_month_day expected{std::chrono::sys_days{std::chrono::days{days}}};
    const CivilDate date = civil_from_days(days);
    CHECK(date.year == static_cast<int>(expected.year()));
    CHECK(date.month == static_cast<int>(static_cast<unsigned>(expected.month())));
    CHECK(date.day == static_cast<int>(static_cast<unsigned>(expected.day())));
    CHECK(days_from_civil(date) == days);
    const std::chrono::weekday weekday{std::chrono::sys_days{std::chrono::days{days}}};
    CHECK(weekday_from_days(days) == static_cast<int>(weekday.c_encoding()));
  }
}

TEST_CASE("EXTRACT, after and before 1970") {
  using enum FunctionId;
  CHECK(moment("2026-11-24 13:45:06.789123") == Literal{kSome});
  const auto field = [](const char* unit, Typed value, int64_t expected) {
    check_case({kExtract, kBig, {text(unit), std::move(value)}, expected}, {0});
  };
  field("YEAR", ltz(kSome), 2026);
  field("MONTH", ltz(kSome), 11);
  field("DAY", ltz(kSome), 24);
  field("HOUR", ltz(kSome), 13);
  field("MINUTE", ltz(kSome), 45);
  field("SECOND", ltz(kSome), 6);
  field("DOW", ltz(kSome), 3);
  field("DOY", ltz(kSome), 328);
  field("EPOCH", ltz(kSome), 1'795'527'906);
  field("QUARTER", ltz(kSome), 4);
  field("YEAR", time(-1), 1969);
  field("DOY", time(-1), 365);
  field("HOUR", time(-1), 23);
  field("SECOND", time(-1), 59);
  field("EPOCH", time(-1), -1);
  field("DOW", time(-1), 4);
  field("DOW", at("2026-11-22"), 1);
  field("DAY", at("2024-02-29 23:59:59"), 29);
  check_case({kExtract, kBig, {text("YEAR"), null(kLtz)}, kNull}, {0});
}

TEST_CASE("FLOOR to a unit") {
  using enum FunctionId;
  const auto floor = [](const char* unit, Typed value, Literal expected) {
    check_case({kFloorTime, kTime, {text(unit), std::move(value)}, std::move(expected)}, {0});
  };
  floor("SECOND", time(kSome), moment("2026-11-24 13:45:06"));
  floor("MINUTE", time(kSome), moment("2026-11-24 13:45"));
  floor("HOUR", time(kSome), moment("2026-11-24 13:00"));
  floor("DAY", time(kSome), moment("2026-11-24"));
  floor("WEEK", time(kSome), moment("2026-11-22"));
  floor("MONTH", time(kSome), moment("2026-11-01"));
  floor("QUARTER", time(kSome), moment("2026-10-01"));
  floor("YEAR", time(kSome), moment("2026-01-01"));
  floor("HOUR", time(-1), moment("1969-12-31 23:00"));
  floor("DAY", time(-kDay), Literal{-kDay});
  floor("DAY", time(-kDay - 1), Literal{-2 * kDay});
  floor("MONTH", at("1900-03-01"), moment("1900-03-01"));
  floor("YEAR", null(kTime), kNull);
  check_case({kFloorTime, kTime, {text("DAY"), time(std::numeric_limits<int64_t>::min())}, kNull, true}, {0});
}

TEST_CASE("seconds and milliseconds since the epoch") {
  using enum FunctionId;
  const std::vector<size_t> precision = {1};
  check_cases(
      {
          {kToTimestampLtz, kLtz, {bigint(-5), integer(0)}, int64_t{-5'000'000}},
          {kToTimestampLtz, kLtz, {integer(1500), integer(3)}, int64_t{1'500'000}},
          {kToTimestampLtz, kLtz, {real(1.5), integer(0)}, int64_t{1'500'000}},
          {kToTimestampLtz, kLtz, {real(1.9), integer(3)}, int64_t{1'000}},
          {kToTimestampLtz, kLtz, {real(1e300), integer(3)}, kNull, true},
          {kToTimestampLtz, kLtz, {bigint(std::numeric_limits<int64_t>::max()), integer(3)}, kNull, true},
          {kToTimestampLtz, kLtz, {null(kBig), integer(3)}, kNull},
      },
      precision);
  check_case({kUnixTimestamp, kBig, {ltz(kSome)}, int64_t{1'795'527'906}});
  check_case({kUnixTimestamp, kBig, {ltz(-1)}, int64_t{-1}});
}

TEST_CASE("DATE_FORMAT") {
  using enum FunctionId;
  check_cases({
      {kDateFormat, kText, {ltz(kSome), text("yyyy-MM-dd HH:mm:ss.SSS")}, str("2026-11-24 13:45:06.789")},
      {kDateFormat, kText, {ltz(kSome), text("yyyy-MM-dd'T'HH:mm")}, str("2026-11-24T13:45")},
      {kDateFormat, kText, {ltz(kSome), text("d.M.yy H''")}, str("24.11.26 13'")},
      {kDateFormat, kText, {ltz(-1), text("yyyyMMdd")}, str("19691231")},
      {kDateFormat, kText, {time(0), text("SSSSSS 'open")}, str("000000 open")},
      {kDateFormat, kText, {null(kLtz), text("yyyy")}, kNull},
  });
}

}  // namespace tidegate::compute::testing
