#include <doctest/doctest.h>

#include <limits>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
const Literal kNull;
const Typed kTrue = boolean(true);
const Typed kFalse = boolean(false);
const Typed kUnknown = null(kBool);
}  // namespace

TEST_CASE("comparisons of every type") {
  using enum FunctionId;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_cases({
      {kEqual, kBool, {integer(1), integer(1)}, true},
      {kNotEqual, kBool, {integer(1), integer(1)}, false},
      {kLess, kBool, {bigint(-1), bigint(0)}, true},
      {kLessOrEqual, kBool, {real(2), real(2)}, true},
      {kGreater, kBool, {real(10.5), real(10)}, true},
      {kGreaterOrEqual, kBool, {real(9), real(10)}, false},
      {kEqual, kBool, {real(nan), real(nan)}, false},
      {kNotEqual, kBool, {real(nan), real(1)}, true},
      {kGreater, kBool, {ltz(5), ltz(4)}, true},
      {kEqual, kBool, {kTrue, kFalse}, false},
      {kLess, kBool, {kFalse, kTrue}, true},
      {kEqual, kBool, {text("pump"), text("pump")}, true},
      {kEqual, kBool, {text("pump"), text("pumps")}, false},
      {kNotEqual, kBool, {text(""), text("a")}, true},
      {kNotEqual, kBool, {text("a"), text("a")}, false},
      {kLess, kBool, {text("Z"), text("a")}, true},
      {kGreater, kBool, {text("é"), text("z")}, true},
      {kLessOrEqual, kBool, {text("ab"), text("abc")}, true},
      {kGreaterOrEqual, kBool, {text("ab"), text("abc")}, false},
      {kEqual, kBool, {null(kText), text("a")}, kNull},
      {kLess, kBool, {null(kInt), integer(1)}, kNull},
      {kGreater, kBool, {real(1), null(kDouble)}, kNull},
  });
}

TEST_CASE("a literal that no dictionary entry holds") {
  columnar::StringPool pool;
  const std::vector<Literal> rows = {Literal{std::string("a")}, Literal{}, Literal{std::string("b")}};
  const Batch batch{nullptr, {make_column(kText, rows, &pool)}, {}, 3};
  const auto equal = compile(make_call(FunctionId::kEqual, kBool, column(0, kText), literal(text("x"))));
  const auto differ = compile(make_call(FunctionId::kNotEqual, kBool, literal(text("x")), column(0, kText)));
  const ColumnPtr none = equal->evaluate(batch);
  const ColumnPtr all = differ->evaluate(batch);
  CHECK(value_at(*none, 0) == Literal{false});
  CHECK(value_at(*none, 1) == kNull);
  CHECK(value_at(*all, 2) == Literal{true});
  // The entry may come later.
  const auto code = pool.intern("x");
  REQUIRE(code);
  CHECK(value_at(*equal->evaluate(batch), 0) == Literal{false});
}

TEST_CASE("Kleene logic") {
  using enum FunctionId;
  check_cases({
      {kAnd, kBool, {kTrue, kTrue}, true},
      {kAnd, kBool, {kTrue, kFalse}, false},
      {kAnd, kBool, {kFalse, kUnknown}, false},
      {kAnd, kBool, {kUnknown, kFalse}, false},
      {kAnd, kBool, {kTrue, kUnknown}, kNull},
      {kAnd, kBool, {kUnknown, kTrue}, kNull},
      {kAnd, kBool, {kUnknown, kUnknown}, kNull},
      {kOr, kBool, {kFalse, kFalse}, false},
      {kOr, kBool, {kTrue, kUnknown}, true},
      {kOr, kBool, {kUnknown, kTrue}, true},
      {kOr, kBool, {kFalse, kUnknown}, kNull},
      {kOr, kBool, {kUnknown, kUnknown}, kNull},
      {kNot, kBool, {kTrue}, false},
      {kNot, kBool, {kFalse}, true},
      {kNot, kBool, {kUnknown}, kNull},
      {kIsNull, kBool, {kUnknown}, true},
      {kIsNull, kBool, {text("")}, false},
      {kIsNotNull, kBool, {null(kText)}, false},
      {kIsNotNull, kBool, {real(1)}, true},
  });
}

TEST_CASE("chains of AND and OR") {
  using enum FunctionId;
  check_cases({
      {kAnd, kBool, {kTrue, kTrue, kTrue}, true},
      {kAnd, kBool, {kTrue, kTrue, kFalse}, false},
      {kAnd, kBool, {kTrue, kUnknown, kFalse}, false},
      {kAnd, kBool, {kTrue, kUnknown, kTrue}, kNull},
      {kOr, kBool, {kFalse, kFalse, kTrue, kUnknown}, true},
      {kOr, kBool, {kFalse, kFalse, kUnknown}, kNull},
      {kOr, kBool, {kFalse, kFalse, kFalse}, false},
  });
}

TEST_CASE("IN knows what NULL leaves open") {
  using enum FunctionId;
  const std::vector<size_t> list = {1, 2, 3};
  check_cases(
      {
          {kIn, kBool, {integer(2), integer(1), integer(2), integer(3)}, true},
          {kIn, kBool, {integer(5), integer(1), integer(2), integer(3)}, false},
          {kIn, kBool, {integer(5), integer(1), null(kInt), integer(3)}, kNull},
          {kIn, kBool, {integer(3), integer(1), null(kInt), integer(3)}, true},
          {kIn, kBool, {null(kInt), integer(1), integer(2), integer(3)}, kNull},
          {kIn, kBool, {text("b"), text("a"), text("b"), text("c")}, true},
          {kIn, kBool, {text("d"), text("a"), text("b"), text("c")}, false},
          {kIn, kBool, {text("d"), text("a"), null(kText), text("c")}, kNull},
          {kIn, kBool, {real(0.5), real(0.5), real(1), real(2)}, true},
          {kIn, kBool, {kTrue, kFalse, kFalse, kFalse}, false},
          {kIn, kBool, {ltz(7), ltz(1), ltz(7), ltz(3)}, true},
      },
      list);
}

TEST_CASE("IN over more literals than are compared one by one, and over expressions") {
  std::vector<Expression> many;
  many.push_back(column(0, kBig));
  for (int64_t at = 0; at < 100; ++at) many.push_back(literal(bigint(at * 3)));
  const std::vector<Literal> rows = {Literal{int64_t{297}}, Literal{int64_t{298}}, Literal{}};
  const Batch batch{nullptr, {make_column(kBig, rows)}, {}, 3};
  const ColumnPtr found = compile(call(FunctionId::kIn, kBool, std::move(many)))->evaluate(batch);
  CHECK(value_at(*found, 0) == Literal{true});
  CHECK(value_at(*found, 1) == Literal{false});
  CHECK(value_at(*found, 2) == kNull);

  const auto computed = compile(make_call(FunctionId::kIn, kBool, column(0, kBig), literal(bigint(1)),
                                          make_call(FunctionId::kNegate, kBig, literal(bigint(-298)))));
  CHECK(value_at(*computed->evaluate(batch), 0) == Literal{false});
  CHECK(value_at(*computed->evaluate(batch), 1) == Literal{true});
}

TEST_CASE("true_rows takes true and leaves false and NULL") {
  std::vector<uint32_t> rows = {9, 9};
  const std::vector<Literal> some = {true, false, Literal{}, true};
  true_rows(*make_column(kBool, some), rows);
  CHECK(rows == std::vector<uint32_t>{0, 3});
  const std::vector<Literal> none = {false, false};
  true_rows(*make_column(kBool, none), rows);
  CHECK(rows.empty());
}

}  // namespace tidegate::compute::testing
