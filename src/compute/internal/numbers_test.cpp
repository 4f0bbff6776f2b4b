#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
const Literal kNull;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("functions of angles and logarithms") {
  using enum FunctionId;
  check_cases({
      {kSin, kDouble, {real(0.0)}, 0.0},
      {kSin, kDouble, {real(kInfinity)}, std::nan("")},
      {kCos, kDouble, {real(0.0)}, 1.0},
      {kTan, kDouble, {real(0.5)}, std::tan(0.5)},
      {kCot, kDouble, {real(0.5)}, 1.0 / std::tan(0.5)},
      {kCot, kDouble, {real(0.0)}, kNull, true},
      {kAsin, kDouble, {real(1.5)}, kNull, true},
      {kAcos, kDouble, {real(-1.0)}, std::numbers::pi},
      {kAtan, kDouble, {real(1.0)}, std::atan(1.0)},
      {kAtan2, kDouble, {real(-1.0), real(-1.0)}, std::atan2(-1.0, -1.0)},
      {kSinh, kDouble, {real(1000.0)}, kNull, true},
      {kCosh, kDouble, {real(0.0)}, 1.0},
      {kTanh, kDouble, {real(1000.0)}, 1.0},
      {kDegrees, kDouble, {real(std::numbers::pi)}, 180.0},
      {kRadians, kDouble, {real(180.0)}, std::numbers::pi},
      {kLog2, kDouble, {real(8.0)}, 3.0},
      {kLog2, kDouble, {real(0.0)}, kNull, true},
      {kLog, kDouble, {real(1.0)}, 0.0},
      {kLog, kDouble, {real(2.0), real(1024.0)}, 10.0},
      {kLog, kDouble, {real(1.0), real(8.0)}, kNull, true},
      {kLog, kDouble, {real(2.0), real(-8.0)}, kNull, true},
      {kLog, kDouble, {null(kDouble), real(8.0)}, kNull},
  });
  CHECK(value_at(*compile(call(kPi, kDouble, {}))->evaluate({nullptr, {}, {}, 3}), 2) == Literal{std::numbers::pi});
}

TEST_CASE("TRUNCATE cuts decimal digits") {
  using enum FunctionId;
  check_cases({
      {kTruncate, kDouble, {real(42.329)}, 42.0},
      {kTruncate, kDouble, {real(42.329), integer(2)}, 42.32},
      {kTruncate, kDouble, {real(-42.329), integer(1)}, -42.3},
      {kTruncate, kDouble, {real(0.29), integer(2)}, 0.29},
      {kTruncate, kDouble, {real(1299.0), integer(-2)}, 1200.0},
      {kTruncate, kDouble, {real(1e300), integer(-301)}, 0.0},
      {kTruncate, kDouble, {real(-0.5)}, 0.0},
      {kTruncate, kDouble, {real(kInfinity), integer(3)}, kInfinity},
      {kTruncate, kInt, {integer(-1299), integer(-2)}, int64_t{-1200}},
      {kTruncate, kInt, {integer(1299), integer(2)}, int64_t{1299}},
      {kTruncate,
       kBig,
       {bigint(std::numeric_limits<int64_t>::min()), integer(-18)},
       int64_t{-9'000'000'000'000'000'000}},
      {kTruncate, kBig, {bigint(std::numeric_limits<int64_t>::min()), integer(-19)}, int64_t{0}},
  });
}

TEST_CASE("bits") {
  using enum FunctionId;
  check_cases({
      {kBitAnd, kInt, {integer(13), integer(6)}, int64_t{4}},
      {kBitOr, kBig, {bigint(int64_t{1} << 40), bigint(1)}, (int64_t{1} << 40) + 1},
      {kBitXor, kInt, {integer(-1), integer(1)}, int64_t{-2}},
      {kBitNot, kInt, {integer(0)}, int64_t{-1}},
      {kBitAnd, kInt, {integer(13), null(kInt)}, kNull},
  });
}

TEST_CASE("IS DISTINCT FROM is never NULL, TRY_CAST counts nothing") {
  using enum FunctionId;
  const auto evaluated = [](FunctionId id, TypeKind type, std::vector<Typed> typed, uint64_t errors) {
    std::vector<Expression> arguments;
    for (const Typed& argument : typed) arguments.push_back(literal(argument));
    const auto evaluator = compile(call(id, type, std::move(arguments)));
    const Literal value = value_at(*evaluator->evaluate({nullptr, {}, {}, 1}), 0);
    CHECK(evaluator->errors() == errors);
    return value;
  };
  CHECK(evaluated(kDistinctFrom, kBool, {integer(1), integer(1)}, 0) == Literal{false});
  CHECK(evaluated(kDistinctFrom, kBool, {integer(1), integer(2)}, 0) == Literal{true});
  CHECK(evaluated(kDistinctFrom, kBool, {text("a"), null(kText)}, 0) == Literal{true});
  CHECK(evaluated(kDistinctFrom, kBool, {null(kText), null(kText)}, 0) == Literal{false});
  CHECK(evaluated(kDistinctFrom, kBool, {real(1.0), null(kDouble)}, 0) == Literal{true});
  CHECK(evaluated(kTryCast, kInt, {text("x")}, 0) == kNull);
  CHECK(evaluated(kTryCast, kInt, {text("7")}, 0) == Literal{int64_t{7}});
  CHECK(evaluated(kCast, kInt, {text("x")}, 1) == kNull);
}

}  // namespace tidegate::compute::testing
