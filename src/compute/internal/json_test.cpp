#include <doctest/doctest.h>

#include <limits>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

namespace {

const Literal kNull;
Literal str(const char* value) { return std::string(value); }

// JSON_VALUE(json, path ...) as the binder writes it down: text, path, default on empty and on error, the type, modes.
Case value_case(Typed json, const char* path, TypeKind type, const char* modes, Literal expected, bool error = false) {
  const Typed fallback = type == kText ? text("d") : type == kInt ? integer(-1) : real(-1.0);
  return {FunctionId::kJsonValue,
          type,
          {std::move(json), text(path), fallback, fallback, null(type), text(modes)},
          std::move(expected),
          error};
}

void check(Case test) {
  // The reading of NULL rows is not strict: a row of NULLs between has a default of NULL too.
  std::vector<size_t> fixed;
  for (size_t at = 1; at < test.arguments.size(); ++at) fixed.push_back(at);
  check_case(test, fixed);
}

}  // namespace

TEST_CASE("JSON_VALUE takes scalars only") {
  const Typed json = text(R"({"t":{"c":21.5,"n":7,"ok":true,"name":"a\"b"},"r":[1,[2]],"z":null,"big":1e7})");
  check(value_case(json, "$.t.c", kText, "NN", str("21.5")));
  check(value_case(json, "$.t.n", kText, "NN", str("7")));
  check(value_case(json, "$.t.ok", kText, "NN", str("true")));
  check(value_case(json, "$.t.name", kText, "NN", str("a\"b")));
  check(value_case(json, "$['t'].n", kInt, "NN", int64_t{7}));
  check(value_case(json, "$.t.c", kDouble, "NN", 21.5));
  check(value_case(json, "$.big", kText, "NN", str("1.0E7")));
  check(value_case(json, "$.r[0]", kInt, "NN", int64_t{1}));
  check(value_case(json, "$.r[1][0]", kInt, "NN", int64_t{2}));
  check(value_case(json, "$.r", kText, "NN", kNull));
  check(value_case(json, "$.r", kText, "ND", str("d")));
  check(value_case(json, "$.r", kText, "NE", kNull, true));
  check(value_case(json, "$.z", kText, "DN", str("d")));
  check(value_case(json, "$.x", kInt, "DN", int64_t{-1}));
  check(value_case(json, "$.x", kText, "EN", kNull, true));
  check(value_case(json, "strict $.x", kText, "DN", kNull));
  check(value_case(json, "strict $.x", kText, "ND", str("d")));
  check(value_case(json, "$.t.name", kInt, "ND", int64_t{-1}));
  check(value_case(json, "$.t.name", kInt, "NN", kNull));
  check(value_case(text("{"), "$.x", kText, "DN", kNull));
  check(value_case(text("{"), "$.x", kText, "NE", kNull, true));
  check(value_case(text("5"), "$", kInt, "NN", int64_t{5}));
}

TEST_CASE("JSON_QUERY takes objects and arrays, and wraps") {
  const auto query = [](const char* json, const char* path, const char* modes, Literal expected, bool error = false) {
    check({FunctionId::kJsonQuery, kText, {text(json), text(path), text(modes)}, std::move(expected), error});
  };
  query(R"({"a": [1, "x"]})", "$.a", "NNW", str(R"([1,"x"])"));
  query(R"({"a": [1]})", "$", "NNW", str(R"({"a":[1]})"));
  query(R"({"a": 1})", "$.a", "NNW", kNull);
  query(R"({"a": 1})", "$.a", "NNC", str("[1]"));
  query(R"({"a": "x"})", "$.a", "NNU", str(R"(["x"])"));
  query(R"({"a": [1]})", "$.a", "NNC", str("[1]"));
  query(R"({"a": [1]})", "$.a", "NNU", str("[[1]]"));
  query("{}", "$.a", "ANW", str("[]"));
  query("{}", "$.a", "EOW", kNull, true);
  query("{", "$.a", "AOW", str("{}"));
  query(R"({"a": null})", "$.a", "ONW", str("{}"));
}

TEST_CASE("JSON_EXISTS and IS JSON") {
  const auto exists = [](const char* json, const char* path, const char* mode, Literal expected, bool error = false) {
    check({FunctionId::kJsonExists, kBool, {text(json), text(path), text(mode)}, std::move(expected), error});
  };
  exists(R"({"a": null})", "$.a", "F", true);
  exists("{}", "$.a", "F", false);
  exists("{}", "strict $.a", "T", true);
  exists("{", "$.a", "F", false);
  exists("{", "$.a", "U", kNull);
  exists("{", "$.a", "E", kNull, true);

  const auto is_json = [](Typed json, const char* kind) {
    const auto evaluator = compile(make_call(FunctionId::kIsJson, kBool, literal(json), literal(text(kind))));
    return value_at(*evaluator->evaluate({nullptr, {}, {}, 1}), 0);
  };
  CHECK(is_json(text("1"), "VALUE") == Literal{true});
  CHECK(is_json(text("null"), "SCALAR") == Literal{true});
  CHECK(is_json(text("[]"), "ARRAY") == Literal{true});
  CHECK(is_json(text("[]"), "OBJECT") == Literal{false});
  CHECK(is_json(text("{\"a\":1,}"), "VALUE") == Literal{false});
  CHECK(is_json(text(""), "VALUE") == Literal{false});
  CHECK(is_json(null(kText), "VALUE") == Literal{false});
}

TEST_CASE("values as JSON") {
  using enum FunctionId;
  check_cases({
      {kJsonString, kText, {text("a\"\n\x01ü/")}, str("\"a\\\"\\n\\u0001ü/\"")},
      {kJsonString, kText, {boolean(true)}, str("true")},
      {kJsonString, kText, {integer(-7)}, str("-7")},
      {kJsonString, kText, {real(1.5)}, str("1.5")},
      {kJsonString, kText, {real(std::numeric_limits<double>::infinity())}, kNull, true},
      {kJsonString, kText, {time(0)}, str("\"1970-01-01 00:00:00.000\"")},
      {kJsonString, kText, {null(kText)}, kNull},
      {kJsonQuote, kText, {text("a/b")}, str("\"a\\/b\"")},
      {kJsonUnquote, kText, {text("\"a\\u00fc\\/\"")}, str("aü/")},
      {kJsonUnquote, kText, {text("plain")}, str("plain")},
      {kJsonUnquote, kText, {text("\"bad\\x\"")}, str("\"bad\\x\"")},
      {kJsonUnquote, kText, {text("\"")}, str("\"")},
  });
}

TEST_CASE("hashes") {
  using enum FunctionId;
  check_cases({
      {kMd5, kText, {text("abc")}, str("900150983cd24fb0d6963f7d28e17f72")},
      {kSha1, kText, {text("abc")}, str("a9993e364706816aba3e25717850c26c9cd0d89d")},
      {kSha256, kText, {null(kText)}, kNull},
  });
}

}  // namespace tidegate::compute::testing
