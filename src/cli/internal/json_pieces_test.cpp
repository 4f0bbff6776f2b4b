#include "cli/internal/json_pieces.h"

#include <doctest/doctest.h>

namespace tidegate::cli {
namespace {

TEST_CASE("pieces of JSON are found as they were written") {
  const auto items = json_items(R"( [1.90, "a,]\"" , {"b":[1,{"c":"}"}]},[ ],null] )");
  REQUIRE(items.has_value());
  CHECK(*items == std::vector<std::string_view>{"1.90", R"("a,]\"")", R"({"b":[1,{"c":"}"}]})", "[ ]", "null"});
  CHECK(json_items("[]")->empty());
  const auto members = json_members(R"({"price":12345678901234567890.10,"na\"me":"x\\","o":{ }})");
  REQUIRE(members.has_value());
  REQUIRE(members->size() == 3);
  CHECK(members->at(0).value == "12345678901234567890.10");
  CHECK(members->at(1).name == "na\"me");
  CHECK(members->at(1).value == R"("x\\")");
  CHECK(members->at(2).value == "{ }");
  CHECK(json_members("{}")->empty());
}

TEST_CASE("what is no JSON is told from it, and never read beyond") {
  for (const char* wrong : {"", "[", "[1", "[1,", "[,]", "[1 2]", "[1]x", "{}", "[\"", "[\"\\", "[{]"}) {
    CAPTURE(wrong);
    CHECK_FALSE(json_items(wrong).has_value());
  }
  for (const char* wrong :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":}", "{a:1}", "{\"a\" 1}", "{1:1}", "{\"a\":1,}", "[]"}) {
    CAPTURE(wrong);
    CHECK_FALSE(json_members(wrong).has_value());
  }
}

}  // namespace
}  // namespace tidegate::cli
