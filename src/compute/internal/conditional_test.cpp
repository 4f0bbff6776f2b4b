#include <doctest/doctest.h>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
const Literal kNull;
Literal str(const char* value) { return std::string(value); }
}  // namespace

TEST_CASE("COALESCE, NULLIF, GREATEST, LEAST") {
  using enum FunctionId;
  check_cases({
      {kCoalesce, kInt, {null(kInt), integer(2), integer(3)}, int64_t{2}},
      {kCoalesce, kInt, {integer(1), integer(2), integer(3)}, int64_t{1}},
      {kCoalesce, kDouble, {null(kDouble), null(kDouble)}, kNull},
      {kCoalesce, kText, {null(kText), text("b")}, str("b")},
      {kCoalesce, kText, {text(""), text("b")}, str("")},
      {kCoalesce, kBool, {null(kBool), boolean(true)}, true},
      {kNullIf, kInt, {integer(1), integer(1)}, kNull},
      {kNullIf, kInt, {integer(1), integer(2)}, int64_t{1}},
      {kNullIf, kText, {text("n/a"), text("n/a")}, kNull},
      {kNullIf, kText, {text("5"), text("n/a")}, str("5")},
      {kNullIf, kText, {text("5"), null(kText)}, str("5")},
      {kNullIf, kDouble, {real(1), null(kDouble)}, 1.0},
      {kNullIf, kDouble, {null(kDouble), real(1)}, kNull},
      {kGreatest, kInt, {integer(1), integer(3), integer(2)}, int64_t{3}},
      {kLeast, kDouble, {real(1), real(-3), real(2)}, -3.0},
      {kGreatest, kText, {text("a"), text("b")}, str("b")},
      {kLeast, kLtz, {ltz(4), ltz(3)}, int64_t{3}},
      {kLeast, kInt, {integer(1), null(kInt)}, kNull},
  });
}

TEST_CASE("CASE takes the first true branch") {
  using enum FunctionId;
  const Typed yes = boolean(true);
  const Typed no = boolean(false);
  const Typed unknown = null(kBool);
  check_cases({
      {kCase, kInt, {yes, integer(1), yes, integer(2), integer(3)}, int64_t{1}},
      {kCase, kInt, {no, integer(1), yes, integer(2), integer(3)}, int64_t{2}},
      {kCase, kInt, {unknown, integer(1), no, integer(2), integer(3)}, int64_t{3}},
      {kCase, kText, {no, text("a"), null(kText)}, kNull},
      {kCase, kText, {yes, text("a"), null(kText)}, str("a")},
      {kCase, kDouble, {no, real(1), yes, null(kDouble), real(3)}, kNull},
  });
}

TEST_CASE("errors of branches that are not taken do not count") {
  // CASE WHEN b <> 0 THEN a / b ELSE -1 END
  const std::vector<Literal> a = {int64_t{6}, int64_t{7}, int64_t{8}};
  const std::vector<Literal> b = {int64_t{2}, int64_t{0}, Literal{}};
  const Batch batch{nullptr, {make_column(kBig, a), make_column(kBig, b)}, {}, 3};
  const auto guarded = compile(
      make_call(FunctionId::kCase, kBig, make_call(FunctionId::kNotEqual, kBool, column(1, kBig), literal(bigint(0))),
                make_call(FunctionId::kDivide, kBig, column(0, kBig), column(1, kBig)), literal(bigint(-1))));
  const ColumnPtr result = guarded->evaluate(batch);
  CHECK(value_at(*result, 0) == Literal{int64_t{3}});
  CHECK(value_at(*result, 1) == Literal{int64_t{-1}});
  CHECK(value_at(*result, 2) == Literal{int64_t{-1}});
  CHECK(guarded->errors() == 0);

  // COALESCE(b, 1 / 0): an error only where b is NULL.
  const auto fallback =
      compile(make_call(FunctionId::kCoalesce, kBig, column(1, kBig),
                        make_call(FunctionId::kDivide, kBig, literal(bigint(1)), literal(bigint(0)))));
  CHECK(value_at(*fallback->evaluate(batch), 2) == kNull);
  CHECK(fallback->errors() == 1);
}

TEST_CASE("a bare column is passed on, a literal is spread, no rows are no rows") {
  const std::vector<Literal> rows = {int64_t{1}, int64_t{2}};
  const Batch batch{nullptr, {make_column(kInt, rows)}, {}, 2};
  CHECK(compile(column(0, kInt))->evaluate(batch) == batch.columns[0]);
  const ColumnPtr spread = compile(literal(text("x")))->evaluate(batch);
  REQUIRE(spread->rows == 2);
  CHECK(spread->string_at(1) == "x");
  const Batch empty{nullptr, {make_column(kInt, {})}, {}, 0};
  CHECK(compile(literal(null(kText)))->evaluate(empty)->rows == 0);
  CHECK(compile(make_call(FunctionId::kNegate, kInt, column(0, kInt)))->evaluate(empty)->rows == 0);
}

}  // namespace tidegate::compute::testing
