#include "registry/merge_patch.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "io/random.h"

namespace tidegate::registry {
namespace {

namespace json = boost::json;

json::object object(std::string_view text) { return json::parse({text.data(), text.size()}).as_object(); }

json::object patched(std::string_view target, std::string_view patch) {
  json::object out = object(target);
  apply_merge_patch(out, object(patch));
  return out;
}

json::value random_value(io::Random& random, int depth) {
  switch (random.below(depth > 0 ? 5 : 3)) {
    case 0: return static_cast<int64_t>(random.below(3));
    case 1: return json::string(random.below(2) == 0 ? "x" : "y");
    case 2: return random.below(2) == 0;
    case 3: return json::array{static_cast<int64_t>(random.below(2))};
    default: break;
  }
  json::object out;
  for (const char* name : {"a", "b", "c"}) {
    if (random.below(2) == 0) out[name] = random_value(random, depth - 1);
  }
  return out;
}

}  // namespace

// RFC 7396, appendix A, the rows whose target and patch are objects.
TEST_CASE("the examples of the RFC") {
  CHECK(patched(R"({"a":"b"})", R"({"a":"c"})") == object(R"({"a":"c"})"));
  CHECK(patched(R"({"a":"b"})", R"({"b":"c"})") == object(R"({"a":"b","b":"c"})"));
  CHECK(patched(R"({"a":"b"})", R"({"a":null})") == object(R"({})"));
  CHECK(patched(R"({"a":"b","b":"c"})", R"({"a":null})") == object(R"({"b":"c"})"));
  CHECK(patched(R"({"a":["b"]})", R"({"a":"c"})") == object(R"({"a":"c"})"));
  CHECK(patched(R"({"a":"c"})", R"({"a":["b"]})") == object(R"({"a":["b"]})"));
  CHECK(patched(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})") == object(R"({"a":{"b":"d"}})"));
  CHECK(patched(R"({"a":[{"b":"c"}]})", R"({"a":[1]})") == object(R"({"a":[1]})"));
  CHECK(patched(R"({"e":null})", R"({"a":1})") == object(R"({"e":null,"a":1})"));
  CHECK(patched(R"({})", R"({"a":{"bb":{"ccc":null}}})") == object(R"({"a":{"bb":{}}})"));
}

TEST_CASE("the patch between two documents makes one of the other") {
  io::SeededRandom random(5);
  for (int round = 0; round < 2000; ++round) {
    json::object from{{"k", random_value(random, 3)}, {"l", random_value(random, 2)}};
    const json::object to{{"k", random_value(random, 3)}, {"m", random_value(random, 2)}};
    const json::object patch = merge_patch_between(from, to);
    CHECK(merge_patch_between(to, to).empty());
    apply_merge_patch(from, patch);
    CHECK(from == to);
  }
}

TEST_CASE("only objects of a bounded size are documents") {
  CHECK(parse_document("{}", 10));
  CHECK(parse_document("[]", 10).error().code == ErrorCode::BadRequest);
  CHECK(parse_document("{", 10).error().code == ErrorCode::BadRequest);
  CHECK(parse_document(R"({"a":"0123456789"})", 10).error().code == ErrorCode::RecordTooLarge);
  CHECK(!parse_document(std::string(100, '[') + "{}" + std::string(100, ']'), 1000));
}

}  // namespace tidegate::registry
