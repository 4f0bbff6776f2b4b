#include <doctest/doctest.h>

#include <limits>

#include "compute/internal/testing.h"
#include "compute/internal/text_conversion.h"

namespace tidegate::compute::testing {

namespace {

const Literal kNull;
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
constexpr auto kCast = FunctionId::kCast;
Literal str(const char* value) { return std::string(value); }

}  // namespace

TEST_CASE("CAST among numbers and booleans") {
  const double infinity = std::numeric_limits<double>::infinity();
  check_cases({
      {kCast, kBig, {integer(-7)}, int64_t{-7}},
      {kCast, kInt, {bigint(7)}, int64_t{7}},
      {kCast, kInt, {bigint(1LL << 31)}, kNull, true},
      {kCast, kDouble, {bigint(3)}, 3.0},
      {kCast, kInt, {real(-2.9)}, int64_t{-2}},
      {kCast, kInt, {real(2147483647.9)}, int64_t{2147483647}},
      {kCast, kInt, {real(2147483648.0)}, kNull, true},
      {kCast, kInt, {real(-2147483648.9)}, int64_t{-2147483648LL}},
      {kCast, kBig, {real(9.3e18)}, kNull, true},
      {kCast, kBig, {real(-9223372036854775808.0)}, std::numeric_limits<int64_t>::min()},
      {kCast, kBig, {real(std::numeric_limits<double>::quiet_NaN())}, kNull, true},
      {kCast, kInt, {real(infinity)}, kNull, true},
      {kCast, kBool, {integer(2)}, true},
      {kCast, kBool, {real(0)}, false},
      {kCast, kInt, {boolean(true)}, int64_t{1}},
      {kCast, kDouble, {boolean(false)}, 0.0},
      {kCast, kInt, {null(kBig)}, kNull},
      {kCast, kInt, {{TypeKind::kNull, Literal{}}}, kNull},
      {kCast, kText, {{TypeKind::kNull, Literal{}}}, kNull},
  });
}

TEST_CASE("CAST to STRING prints as Flink does") {
  check_cases({
      {kCast, kText, {boolean(true)}, str("TRUE")},
      {kCast, kText, {boolean(false)}, str("FALSE")},
      {kCast, kText, {integer(-12)}, str("-12")},
      {kCast, kText, {bigint(std::numeric_limits<int64_t>::min())}, str("-9223372036854775808")},
      {kCast, kText, {real(1)}, str("1.0")},
      {kCast, kText, {real(-0.0)}, str("-0.0")},
      {kCast, kText, {real(21.5)}, str("21.5")},
      {kCast, kText, {real(0.1)}, str("0.1")},
      {kCast, kText, {real(0.001)}, str("0.001")},
      {kCast, kText, {real(0.0001)}, str("1.0E-4")},
      {kCast, kText, {real(9999999)}, str("9999999.0")},
      {kCast, kText, {real(12345678.5)}, str("1.23456785E7")},
      {kCast, kText, {real(1e300)}, str("1.0E300")},
      {kCast, kText, {real(0.1 + 0.2)}, str("0.30000000000000004")},
      {kCast, kText, {real(std::numeric_limits<double>::quiet_NaN())}, str("NaN")},
      {kCast, kText, {real(-std::numeric_limits<double>::infinity())}, str("-Infinity")},
      {kCast, kText, {ltz(0)}, str("1970-01-01 00:00:00.000")},
      {kCast, kText, {time(-1)}, str("1969-12-31 23:59:59.999")},
      {kCast, kText, {span(-90'061'001'000)}, str("-1 01:01:01.001")},
      {kCast, kText, {null(kDouble)}, kNull},
  });
}

TEST_CASE("CAST from STRING") {
  check_cases({
      {kCast, kInt, {text(" 42 ")}, int64_t{42}},
      {kCast, kInt, {text("+42")}, int64_t{42}},
      {kCast, kInt, {text("12.9")}, int64_t{12}},
      {kCast, kInt, {text("2147483648")}, kNull, true},
      {kCast, kBig, {text("2147483648")}, int64_t{2147483648}},
      {kCast, kBig, {text("9223372036854775807")}, kMax64},
      {kCast, kBig, {text("9223372036854775808")}, kNull, true},
      {kCast, kInt, {text("")}, kNull, true},
      {kCast, kInt, {text("4x")}, kNull, true},
      {kCast, kInt, {text("+-4")}, kNull, true},
      {kCast, kDouble, {text("-1.5e3")}, -1500.0},
      {kCast, kDouble, {text("1,5")}, kNull, true},
      {kCast, kDouble, {text("0x10")}, kNull, true},
      {kCast, kBool, {text("Yes")}, true},
      {kCast, kBool, {text("f")}, false},
      {kCast, kBool, {text("on")}, kNull, true},
      {kCast, kTime, {text("1970-01-01 00:00:01.5")}, int64_t{1'500'000}},
      {kCast, kTime, {text("1969-12-31T23:59:59")}, int64_t{-1'000'000}},
      {kCast, kTime, {text("1970-01-02")}, int64_t{86'400'000'000}},
      {kCast, kTime, {text("1970-02-29")}, kNull, true},
      {kCast, kTime, {text("1970-01-01 24:00:00")}, kNull, true},
      {kCast, kTime, {text("1970-01-01 00:00:00Z")}, kNull, true},
      {kCast, kLtz, {text("1970-01-01 00:00:00Z")}, int64_t{0}},
      {kCast, kLtz, {text("1970-01-01 02:00:00+02:00")}, int64_t{0}},
      {kCast, kLtz, {text("1970-01-01 00:00:00-0030")}, int64_t{1'800'000'000}},
      {kCast, kLtz, {text("yesterday")}, kNull, true},
      {kCast, kText, {text("same")}, str("same")},
  });
}

TEST_CASE("CAST of times and intervals") {
  check_cases({
      {kCast, kLtz, {time(5)}, int64_t{5}},
      {kCast, kTime, {ltz(-5)}, int64_t{-5}},
      {kCast, kBig, {ltz(1'999'999)}, int64_t{1}},
      {kCast, kBig, {ltz(-1)}, int64_t{-1}},
      {kCast, kDouble, {ltz(1'500'000)}, 1.5},
      {kCast, kInt, {ltz(kMax64)}, kNull, true},
      {kCast, kLtz, {integer(-2)}, int64_t{-2'000'000}},
      {kCast, kLtz, {real(0.25)}, int64_t{250'000}},
      {kCast, kLtz, {bigint(kMax64)}, kNull, true},
      {kCast, kBig, {span(90'000)}, int64_t{90}},
  });
}

TEST_CASE("what is printed reads back as the same double") {
  uint64_t bits = 0x9E3779B97F4A7C15;
  for (int round = 0; round < 20'000; ++round) {
    bits = bits * 6364136223846793005ULL + 1442695040888963407ULL;
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (value != value) continue;
    std::string printed;
    append_double(value, printed);
    const auto back = parse_double(printed);
    REQUIRE(back);
    CHECK(*back == value);
  }
}

}  // namespace tidegate::compute::testing
