#include <doctest/doctest.h>

#include <limits>

#include "base/civil.h"
#include "codec/time_pattern.h"
#include "compute/internal/months.h"
#include "compute/internal/testing.h"
#include "io/random.h"

namespace tidegate::compute::testing {

namespace {

const Literal kNull;
constexpr int64_t kOneSecond = kMicrosPerSecond;
constexpr int64_t kNoon = 1'769'860'800 * kOneSecond;  // 2026-01-31 12:00:00
constexpr int64_t kEarliest = std::numeric_limits<int64_t>::min();
constexpr int64_t kLatest = std::numeric_limits<int64_t>::max();

int64_t at(int64_t year, int month, int day, int64_t of_day_us = 0) {
  return days_from_civil({year, month, day}) * kMicrosPerDay + of_day_us;
}
Literal str(const char* value) { return std::string(value); }

}  // namespace

TEST_CASE("fields of the ISO calendar") {
  using enum FunctionId;
  const auto field = [](const char* unit, int64_t time_us, int64_t expected) {
    check_case({kExtract, kBig, {text(unit), time(time_us)}, expected}, {0});
  };
  field("WEEK", at(2026, 1, 1), 1);
  field("WEEK", at(2021, 1, 3), 53);
  field("ISOYEAR", at(2021, 1, 3), 2020);
  field("WEEK", at(2024, 12, 30), 1);
  field("ISOYEAR", at(2024, 12, 30), 2025);
  field("WEEK", at(1969, 12, 31), 1);
  field("ISODOW", at(2026, 1, 4), 7);
  field("ISODOW", at(2026, 1, 5), 1);
  field("QUARTER", at(2026, 12, 31), 4);
  field("MILLISECOND", at(2026, 1, 1, 1'234'567), 234);
}

TEST_CASE("CEIL goes to the start of the next unit") {
  using enum FunctionId;
  const auto ceil = [](const char* unit, int64_t time_us, Literal expected, bool error = false) {
    check_case({kCeilTime, kTime, {text(unit), time(time_us)}, std::move(expected), error}, {0});
  };
  ceil("HOUR", kNoon, kNoon);
  ceil("HOUR", kNoon + 1, kNoon + 3600 * kOneSecond);
  ceil("MONTH", kNoon, at(2026, 2, 1));
  ceil("QUARTER", kNoon, at(2026, 4, 1));
  ceil("YEAR", at(1969, 5, 6), at(1970, 1, 1));
  ceil("WEEK", at(2026, 1, 31), at(2026, 2, 1));
  ceil("DAY", kLatest, kNull, true);
}

TEST_CASE("adding and counting units") {
  using enum FunctionId;
  const auto add = [](const char* unit, int64_t count, int64_t time_us, Literal expected, bool error = false) {
    check_case({kTimestampAdd, kTime, {text(unit), bigint(count), time(time_us)}, std::move(expected), error}, {0});
  };
  add("SECOND", -90, kNoon, kNoon - 90 * kOneSecond);
  add("WEEK", 2, kNoon, kNoon + 14 * kMicrosPerDay);
  add("MONTH", 1, kNoon, at(2026, 2, 28, 12 * 3600 * kOneSecond));
  add("MONTH", 25, kNoon, at(2028, 2, 29, 12 * 3600 * kOneSecond));
  add("MONTH", -2, at(1970, 1, 31), at(1969, 11, 30));
  add("QUARTER", 1, kNoon, at(2026, 4, 30, 12 * 3600 * kOneSecond));
  add("YEAR", 1, at(2024, 2, 29), at(2025, 2, 28));
  add("YEAR", 1'000'000, kNoon, kNull, true);
  add("DAY", kLatest, kNoon, kNull, true);
  add("MONTH", 1, kLatest, kNull, true);
  add("MONTH", -1, kEarliest, kNull, true);

  const auto between = [](const char* unit, int64_t from, int64_t to, Literal expected, bool error = false) {
    check_case({kTimestampDiff, kInt, {text(unit), time(from), time(to)}, std::move(expected), error}, {0});
  };
  between("SECOND", kNoon, kNoon + 90 * kOneSecond - 1, int64_t{89});
  between("SECOND", kNoon + 90 * kOneSecond - 1, kNoon, int64_t{-89});
  between("MONTH", at(2026, 1, 31), at(2026, 2, 28), int64_t{0});
  between("MONTH", at(2026, 1, 31), at(2026, 3, 31), int64_t{2});
  between("MONTH", at(2026, 3, 31), at(2026, 1, 31), int64_t{-2});
  between("MONTH", at(2026, 3, 30), at(2026, 1, 31), int64_t{-1});
  between("YEAR", at(2024, 2, 29), at(2026, 2, 28), int64_t{1});
  between("DAY", kEarliest, kLatest, kNull, true);
  between("SECOND", at(1900, 1, 1), at(2026, 1, 1), kNull, true);
}

TEST_CASE("adding months is undone by counting them") {
  io::SeededRandom random(7);
  for (int round = 0; round < 20'000; ++round) {
    const int64_t from = static_cast<int64_t>(random.below(8'000'000'000)) * kOneSecond - 4'000'000'000 * kOneSecond;
    const int64_t months = static_cast<int64_t>(random.below(4000)) - 2000;
    const int64_t to = add_months(from, months).value();
    const CivilDate before = civil_from_days(floor_divide(from, kMicrosPerDay));
    const CivilDate after = civil_from_days(floor_divide(to, kMicrosPerDay));
    CHECK(after.day == std::min(before.day, days_in_month(after.year, after.month)));
    CHECK(floor_modulo(to, kMicrosPerDay) == floor_modulo(from, kMicrosPerDay));
    if (before.day <= 28) CHECK(months_between(from, to) == months);
  }
}

TEST_CASE("patterns of times are written and read") {
  const auto parsed = [](const char* pattern, const char* text) -> Literal {
    const auto value = codec::TimePattern(pattern).parse(text);
    return value ? Literal{value->wall_us} : kNull;
  };
  CHECK(parsed("yyyy-MM-dd HH:mm:ss", "2026-01-31 12:00:00") == Literal{kNoon});
  CHECK(parsed("dd.MM.yy H:m", "31.01.26 12:0") == Literal{kNoon});
  CHECK(parsed("d MMM yyyy hh a", "31 jan 2026 12 PM") == Literal{kNoon});
  CHECK(parsed("EEEE, d MMMM yyyy", "Saturday, 31 January 2026") == Literal{at(2026, 1, 31)});
  CHECK(parsed("yyyyMMdd'T'HHmmss.SSS", "20260131T120000.250") == Literal{kNoon + 250'000});
  CHECK(parsed("HH:mm", "01:30") == Literal{5400 * kOneSecond});
  for (const char* wrong : {"2026-1-31", "2026-13-01", "2026-02-29", "2026-01-31 ", "2026-01", ""}) {
    CHECK(parsed("yyyy-MM-dd", wrong) == kNull);
  }
  CHECK(parsed("HH", "24") == kNull);
  CHECK(parsed("hh a", "13 PM") == kNull);
  CHECK(codec::TimePattern("yyyy-MM-dd'T'HH:mmX").parse("2026-01-31T12:00+01:00")->offset_us == 3600 * kOneSecond);
  CHECK(codec::TimePattern("HH:mm Z").parse("12:00 -0330")->offset_us == -12'600 * kOneSecond);

  io::SeededRandom random(8);
  const codec::TimePattern format("d MMMM yyyy, hh:mm:ss.SSSSSS a");
  for (int round = 0; round < 5'000; ++round) {
    const int64_t time_us = static_cast<int64_t>(random.below(4'000'000'000'000'000));
    std::string text;
    format.append(time_us, text);
    CHECK(format.parse(text)->wall_us == time_us);
  }
}

TEST_CASE("times from texts, in zones") {
  using enum FunctionId;
  const Typed pattern = text("yyyy-MM-dd HH:mm");
  check_cases({
      {kToTimestamp, kTime, {text("2026-01-31 12:00:00")}, kNoon},
      {kToTimestamp, kTime, {text("2026-01-31")}, at(2026, 1, 31)},
      {kToTimestamp, kTime, {text("soon")}, kNull},
      {kToTimestamp, kTime, {text("2026-01-31 12:00"), pattern}, kNoon},
      {kToTimestamp, kTime, {text("2026-01-31 12:00:00"), pattern}, kNull},
      {kToTimestampLtz, kLtz, {text("2026-01-31 13:00"), pattern, text("Europe/Berlin")}, kNoon},
      {kToTimestampLtz,
       kLtz,
       {text("2026-07-31 14:00"), pattern, text("Europe/Berlin")},
       at(2026, 7, 31, 43'200 * kOneSecond)},
      {kToTimestampLtz, kLtz, {text("2026-01-31 12:00"), pattern, text("Nowhere")}, kNull},
      {kUnixTimestamp, kBig, {text("2026-01-31 12:00:00")}, kNoon / kOneSecond},
      {kUnixTimestamp, kBig, {text("soon")}, kNull, true},
      {kUnixTimestamp, kBig, {text("1970-01-01 08:00:01 +0800"), text("yyyy-MM-dd HH:mm:ss Z")}, int64_t{1}},
      {kFromUnixTime, kText, {bigint(44)}, str("1970-01-01 00:00:44")},
      {kFromUnixTime, kText, {bigint(-1), text("HH:mm:ss")}, str("23:59:59")},
      {kFromUnixTime, kText, {bigint(kLatest)}, kNull, true},
      {kConvertTz,
       kText,
       {text("1970-01-01 00:00:00"), text("UTC"), text("America/Los_Angeles")},
       str("1969-12-31 16:00:00")},
      {kConvertTz,
       kText,
       {text("2026-07-01 12:00:00"), text("Europe/Berlin"), text("GMT+8")},
       str("2026-07-01 18:00:00")},
      {kConvertTz, kText, {text("soon"), text("UTC"), text("UTC")}, kNull},
      {kConvertTz, kText, {text("2026-07-01 12:00:00"), text("UTC"), text("Nowhere")}, kNull, true},
      {kAtTimeZone, kTime, {ltz(kNoon), text("Asia/Kolkata")}, kNoon + 19'800 * kOneSecond},
      {kAtTimeZone, kLtz, {time(kNoon), text("Asia/Kolkata")}, kNoon - 19'800 * kOneSecond},
      {kAtTimeZone, kTime, {ltz(kNoon), text("Nowhere")}, kNull, true},
      {kAtTimeZone, kTime, {ltz(kLatest), text("UTC")}, kNull, true},
  });
}

}  // namespace tidegate::compute::testing
