#include <doctest/doctest.h>

#include "compute/internal/like.h"
#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {
const Literal kNull;
Literal str(const char* value) { return std::string(value); }
}  // namespace

TEST_CASE("string functions count characters, not bytes") {
  using enum FunctionId;
  check_cases({
      {kUpper, kText, {text("pump-é1")}, str("PUMP-é1")},
      {kLower, kText, {text("PUMP [A]")}, str("pump [a]")},
      {kUpper, kText, {null(kText)}, kNull},
      {kCharLength, kInt, {text("")}, int64_t{0}},
      {kCharLength, kInt, {text("Zürich 😀")}, int64_t{8}},
      {kTrim, kText, {text("  a b  ")}, str("a b")},
      {kTrim, kText, {text("   ")}, str("")},
      {kSubstring, kText, {text("Zürich"), integer(2)}, str("ürich")},
      {kSubstring, kText, {text("Zürich"), integer(2), integer(1)}, str("ü")},
      {kSubstring, kText, {text("abc"), integer(0), integer(2)}, str("ab")},
      {kSubstring, kText, {text("abc"), integer(-2)}, str("bc")},
      {kSubstring, kText, {text("abc"), integer(-4)}, str("")},
      {kSubstring, kText, {text("abc"), integer(4)}, str("")},
      {kSubstring, kText, {text("abc"), integer(2), integer(100)}, str("bc")},
      {kSubstring, kText, {text("abc"), bigint(2), bigint(0)}, str("")},
      {kSubstring, kText, {text("abc"), integer(2), integer(-1)}, kNull, true},
      {kConcat, kText, {text("a"), text("b"), text("c")}, str("abc")},
      {kConcat, kText, {text("a"), null(kText), text("c")}, kNull},
      {kConcatOperator, kText, {text("a"), text("")}, str("a")},
      {kConcatOperator, kText, {null(kText), text("b")}, kNull},
      {kReplace, kText, {text("a.b.c"), text("."), text("::")}, str("a::b::c")},
      {kReplace, kText, {text("aaa"), text("aa"), text("b")}, str("ba")},
      {kReplace, kText, {text("abc"), text(""), text("x")}, str("abc")},
      {kPosition, kInt, {text("ri"), text("Zürich")}, int64_t{4 - 1}},
      {kPosition, kInt, {text("x"), text("Zürich")}, int64_t{0}},
      {kPosition, kInt, {text(""), text("abc")}, int64_t{1}},
  });
}

TEST_CASE("a string longer than the limit is NULL") {
  // 2^11 bytes doubled ten times.
  Expression grown = literal(text(std::string(2048, 'x')));
  for (int round = 0; round < 10; ++round) {
    Expression again = grown.clone();
    grown = make_call(FunctionId::kConcatOperator, kText, std::move(grown), std::move(again));
  }
  const Batch batch{nullptr, {}, {}, 2};
  const auto evaluator = compile(grown);
  CHECK(value_at(*evaluator->evaluate(batch), 0) == kNull);
  CHECK(evaluator->errors() > 0);
}

TEST_CASE("LIKE in every shape") {
  using enum FunctionId;
  check_cases({
      {kLike, kBool, {text("pump-1"), text("pump-1")}, true},
      {kLike, kBool, {text("pump-1"), text("pump-%")}, true},
      {kLike, kBool, {text("pump-1"), text("%-1")}, true},
      {kLike, kBool, {text("pump-1"), text("%mp%")}, true},
      {kLike, kBool, {text("pump-1"), text("p%1")}, true},
      {kLike, kBool, {text("p"), text("p%p")}, false},
      {kLike, kBool, {text(""), text("%")}, true},
      {kLike, kBool, {text(""), text("")}, true},
      {kLike, kBool, {text(""), text("_")}, false},
      {kLike, kBool, {text("é"), text("_")}, true},
      {kLike, kBool, {text("é"), text("__")}, false},
      {kLike, kBool, {text("Zürich"), text("Z_rich")}, true},
      {kLike, kBool, {text("a1b22c"), text("a_b%c")}, true},
      {kLike, kBool, {text("aXbXc"), text("%X%X%")}, true},
      {kLike, kBool, {text("aXbc"), text("%X%X%")}, false},
      {kLike, kBool, {text("abab"), text("%ab")}, true},
      {kLike, kBool, {text("ababc"), text("%a_")}, false},
      {kLike, kBool, {text("ababab"), text("%a_ab")}, true},
      {kLike, kBool, {text("ab"), text("%b%%a%")}, false},
      {kLike, kBool, {text("a\nb"), text("a%b")}, true},
      {kLike, kBool, {text("50%"), text("50\\%"), text("\\")}, true},
      {kLike, kBool, {text("500"), text("50\\%"), text("\\")}, false},
      {kLike, kBool, {text("a_b"), text("a#_b"), text("#")}, true},
      {kLike, kBool, {text("axb"), text("a#_b"), text("#")}, false},
      {kLike, kBool, {text("a#b"), text("a##b"), text("#")}, true},
      {kLike, kBool, {text("a"), text("a#"), text("#")}, kNull, true},
      {kLike, kBool, {text("a"), text("a"), text("##")}, kNull, true},
      {kLike, kBool, {null(kText), text("%")}, kNull},
      {kLike, kBool, {text("a"), null(kText)}, kNull},
  });
}

TEST_CASE("a long pattern takes no exponential time") {
  std::string pattern;
  for (int at = 0; at < 200; ++at) pattern += "%a_";
  pattern += "%b";
  const auto compiled = LikePattern::compile(pattern, "");
  REQUIRE(compiled);
  CHECK_FALSE(compiled->matches(std::string(5000, 'a')));
}

}  // namespace tidegate::compute::testing
