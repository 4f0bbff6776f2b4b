#include <doctest/doctest.h>

#include <limits>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
constexpr int64_t kMin32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Literal kNull;
}  // namespace

TEST_CASE("integers: results, overflow and division by zero") {
  using enum FunctionId;
  check_cases({
      {kAdd, kInt, {integer(2), integer(3)}, int64_t{5}},
      {kAdd, kInt, {integer(kMax32), integer(1)}, kNull, true},
      {kSubtract, kInt, {integer(kMin32), integer(1)}, kNull, true},
      {kMultiply, kInt, {integer(-65536), integer(32768)}, kMin32},
      {kMultiply, kInt, {integer(65536), integer(32768)}, kNull, true},
      {kDivide, kInt, {integer(-7), integer(2)}, int64_t{-3}},
      {kDivide, kInt, {integer(7), integer(0)}, kNull, true},
      {kDivide, kInt, {integer(kMin32), integer(-1)}, kNull, true},
      {kModulo, kInt, {integer(-7), integer(3)}, int64_t{-1}},
      {kModulo, kInt, {integer(kMin32), integer(-1)}, int64_t{0}},
      {kMod, kInt, {integer(7), integer(0)}, kNull, true},
      {kNegate, kInt, {integer(5)}, int64_t{-5}},
      {kNegate, kInt, {integer(kMin32)}, kNull, true},
      {kAdd, kInt, {integer(1), null(kInt)}, kNull},
      {kDivide, kInt, {null(kInt), integer(0)}, kNull},
      {kAdd, kBig, {bigint(kMax64), bigint(-1)}, kMax64 - 1},
      {kAdd, kBig, {bigint(kMax64), bigint(1)}, kNull, true},
      {kAdd, kBig, {bigint(kMin64), bigint(-1)}, kNull, true},
      {kSubtract, kBig, {bigint(kMin64), bigint(1)}, kNull, true},
      {kSubtract, kBig, {bigint(0), bigint(kMin64)}, kNull, true},
      {kSubtract, kBig, {bigint(-1), bigint(kMin64)}, kMax64},
      {kMultiply, kBig, {bigint(1LL << 32), bigint(1LL << 31)}, kNull, true},
      {kMultiply, kBig, {bigint(1LL << 31), bigint(-(1LL << 32))}, kMin64},
      {kDivide, kBig, {bigint(kMin64), bigint(-1)}, kNull, true},
      {kModulo, kBig, {bigint(kMin64), bigint(-1)}, int64_t{0}},
      {kNegate, kBig, {bigint(kMin64)}, kNull, true},
  });
}

TEST_CASE("doubles follow IEEE 754 but for division by zero") {
  using enum FunctionId;
  check_cases({
      {kAdd, kDouble, {real(0.5), real(0.25)}, 0.75},
      {kSubtract, kDouble, {real(1e308), real(-1e308)}, kInfinity},
      {kMultiply, kDouble, {real(-3), real(0.5)}, -1.5},
      {kDivide, kDouble, {real(1), real(4)}, 0.25},
      {kDivide, kDouble, {real(1), real(0)}, kNull, true},
      {kDivide, kDouble, {real(0), real(-0.0)}, kNull, true},
      {kNegate, kDouble, {real(2.5)}, -2.5},
      {kMultiply, kDouble, {null(kDouble), real(2)}, kNull},
  });
}

TEST_CASE("times and intervals") {
  using enum FunctionId;
  check_cases({
      {kAdd, kLtz, {ltz(1'000'000), span(500'000)}, int64_t{1'500'000}},
      {kSubtract, kTime, {time(-1), span(1'000)}, int64_t{-1'001}},
      {kSubtract, kSpan, {ltz(10), ltz(30)}, int64_t{-20}},
      {kAdd, kSpan, {span(1), span(2)}, int64_t{3}},
      {kAdd, kLtz, {ltz(kMax64), span(1)}, kNull, true},
      {kNegate, kSpan, {span(7)}, int64_t{-7}},
  });
}

TEST_CASE("mathematical functions") {
  using enum FunctionId;
  check_cases({
      {kAbs, kInt, {integer(-4)}, int64_t{4}},
      {kAbs, kInt, {integer(kMin32)}, kNull, true},
      {kAbs, kBig, {bigint(kMin64)}, kNull, true},
      {kAbs, kDouble, {real(-4.5)}, 4.5},
      {kCeil, kDouble, {real(-1.5)}, -1.0},
      {kFloor, kDouble, {real(-1.5)}, -2.0},
      {kCeil, kBig, {bigint(7)}, int64_t{7}},
      {kSqrt, kDouble, {real(9)}, 3.0},
      {kSqrt, kDouble, {real(-1)}, kNull, true},
      {kPower, kDouble, {real(2), real(10)}, 1024.0},
      {kPower, kDouble, {real(-8), real(0.5)}, kNull, true},
      {kPower, kDouble, {real(0), real(-1)}, kNull, true},
      {kExp, kDouble, {real(0)}, 1.0},
      {kExp, kDouble, {real(1000)}, kNull, true},
      {kLn, kDouble, {real(1)}, 0.0},
      {kLn, kDouble, {real(0)}, kNull, true},
      {kLog10, kDouble, {real(1000)}, 3.0},
      {kLog10, kDouble, {real(-5)}, kNull, true},
      {kSign, kInt, {integer(-9)}, int64_t{-1}},
      {kSign, kDouble, {real(0.1)}, 1.0},
      {kSign, kDouble, {null(kDouble)}, kNull},
  });
}

TEST_CASE("ROUND goes away from zero on the decimal as it is written") {
  using enum FunctionId;
  check_cases({
      {kRound, kDouble, {real(2.5)}, 3.0},
      {kRound, kDouble, {real(-2.5)}, -3.0},
      {kRound, kDouble, {real(1.005), integer(2)}, 1.01},
      {kRound, kDouble, {real(2.675), integer(2)}, 2.68},
      {kRound, kDouble, {real(21.4549), integer(2)}, 21.45},
      {kRound, kDouble, {real(9.999), integer(2)}, 10.0},
      {kRound, kDouble, {real(1234.5), integer(-2)}, 1200.0},
      {kRound, kDouble, {real(-1250), integer(-2)}, -1300.0},
      {kRound, kDouble, {real(40), integer(-2)}, 0.0},
      {kRound, kDouble, {real(60), integer(-2)}, 100.0},
      {kRound, kDouble, {real(1e300), integer(3)}, 1e300},
      {kRound, kDouble, {real(5e-324), integer(30)}, 0.0},
      {kRound, kDouble, {real(123456789012.345), integer(2)}, 123456789012.35},
      {kRound, kDouble, {real(kInfinity), integer(2)}, kInfinity},
      {kRound, kInt, {integer(1250), integer(-2)}, int64_t{1300}},
      {kRound, kInt, {integer(kMax32), integer(-1)}, kNull, true},
      {kRound, kBig, {bigint(-1249), integer(-2)}, int64_t{-1200}},
      {kRound, kBig, {bigint(kMax64), integer(-1)}, kNull, true},
      {kRound, kBig, {bigint(55), integer(-400)}, int64_t{0}},
      {kRound, kDouble, {real(1.5), null(kInt)}, kNull},
  });
}

}  // namespace tidegate::compute::testing
