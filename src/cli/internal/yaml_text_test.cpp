#include "cli/internal/yaml_text.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

namespace tidegate::cli {

TEST_CASE("objects, lists and scalars in block style") {
  const auto value =
      boost::json::parse(R"({"name":"readings","n":3,"x":1.5,"none":null,"on":true,"empty":{},"list":[],)"
                         R"("in":{"a":[1,[2,3],{"b":"c","d":4}]}})");
  CHECK(yaml_text(value) ==
        "name: readings\n\"n\": 3\nx: 1.5\nnone: null\n\"on\": true\nempty: {}\nlist: []\n"
        "in:\n  a:\n    - 1\n    - - 2\n      - 3\n    - b: c\n      d: 4\n");
  CHECK(yaml_text(boost::json::array()) == "[]\n");
  CHECK(yaml_text("a") == "a\n");
}

TEST_CASE("texts that would be read as something else are in quotes; SQL is a block") {
  const boost::json::object value{{"a", "true"}, {"b", "1"},    {"c", "2026-01-01"}, {"d", "a: b"},
                                  {"e", ""},     {"f", "x\ty"}, {"g", "# no"},       {"h", "NO"},
                                  {"i", "ü"},    {"k", "\n a"}, {"l", "a\n b\n\nc"}, {"m", "a\n\n"}};
  CHECK(
      yaml_text(value) ==
      "a: \"true\"\nb: \"1\"\nc: \"2026-01-01\"\nd: \"a: b\"\ne: \"\"\nf: \"x\\ty\"\ng: \"# no\"\nh: \"NO\"\ni: \"ü\"\n"
      "k: \"\\n a\"\nl: |-\n  a\n   b\n\n  c\nm: |+\n  a\n\n");
}

}  // namespace tidegate::cli
