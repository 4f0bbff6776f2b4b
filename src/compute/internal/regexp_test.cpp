#include <doctest/doctest.h>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
const Literal kNull;
Literal str(const char* value) { return std::string(value); }
}  // namespace

TEST_CASE("regular expressions") {
  using enum FunctionId;
  check_cases({
      {kRegexp, kBool, {text("pump-17"), text("[0-9]+$")}, true},
      {kRegexp, kBool, {text("pump-17"), text("^[0-9]+")}, false},
      {kRegexp, kBool, {text("pump"), text("")}, false},
      {kRegexp, kBool, {text("pump"), text("(")}, kNull, true},
      {kRegexp, kBool, {null(kText), text("a")}, kNull},
      {kRegexpExtract, kText, {text("foothebar"), text("foo(.*?)(bar)"), integer(2)}, str("bar")},
      {kRegexpExtract, kText, {text("foothebar"), text("foo(.*?)(bar)")}, str("foothebar")},
      {kRegexpExtract, kText, {text("foo"), text("(x)?foo"), integer(1)}, kNull},
      {kRegexpExtract, kText, {text("foo"), text("bar")}, kNull},
      {kRegexpExtract, kText, {text("foo"), text("f(o)"), integer(2)}, kNull, true},
      {kRegexpExtract, kText, {text("foo"), text("f(o)"), integer(-1)}, kNull, true},
      {kRegexpExtract, kText, {text("Zürich"), text("ü.")}, str("ür")},
      {kRegexpSubstr, kText, {text("pump-17"), text("[0-9]+")}, str("17")},
      {kRegexpReplace, kText, {text("foobar"), text("oo|ar"), text("")}, str("fb")},
      {kRegexpReplace, kText, {text("abc"), text("b"), text("\\0$1")}, str("a\\0$1c")},
      {kRegexpReplace, kText, {text("aü"), text(""), text("-")}, str("-a-ü-")},
      {kRegexpReplace, kText, {text("abc"), text("x"), text("y")}, str("abc")},
      {kRegexpCount, kInt, {text("a1b22"), text("[0-9]")}, int64_t{3}},
      {kRegexpCount, kInt, {text("aaaa"), text("aa")}, int64_t{2}},
      {kRegexpCount, kInt, {text("aü"), text("x*")}, int64_t{3}},
      {kRegexpInstr, kInt, {text("Zürich"), text("r.")}, int64_t{3}},
      {kRegexpInstr, kInt, {text("Zürich"), text("x")}, int64_t{0}},
      {kSimilarTo, kBool, {text("pump-17"), text("(pump|fan)-[0-9]+")}, true},
      {kSimilarTo, kBool, {text("xpump-17"), text("(pump|fan)-[0-9]+")}, false},
      {kSimilarTo, kBool, {text("a\nb"), text("a%b")}, true},
      {kSimilarTo, kBool, {text("a.b$"), text("a.b$")}, true},
      {kSimilarTo, kBool, {text("axb$"), text("a.b$")}, false},
      {kSimilarTo, kBool, {text("ab"), text("a_")}, true},
      {kSimilarTo, kBool, {text("b"), text("a|b")}, true},
      {kSimilarTo, kBool, {text("a"), text("(")}, kNull, true},
  });
}

TEST_CASE("an expression that would take exponential time elsewhere") {
  const Batch batch{nullptr, {}, {}, 1};
  const auto evaluator =
      compile(make_call(FunctionId::kRegexp, kBool, literal(text(std::string(50'000, 'a'))), literal(text("(a+)+b"))));
  CHECK(value_at(*evaluator->evaluate(batch), 0) == Literal{false});
}

}  // namespace tidegate::compute::testing
