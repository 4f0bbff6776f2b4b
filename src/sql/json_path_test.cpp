#include "sql/json_path.h"

#include <doctest/doctest.h>

#include "sql/functions.h"
#include "sql/internal/signature.h"

namespace tidegate::sql {

TEST_CASE("JSON paths") {
  using Step = JsonPath::Step;
  CHECK(parse_json_path("$") == JsonPath{});
  CHECK(parse_json_path(" lax $ ") == JsonPath{});
  CHECK(parse_json_path("strict $.a") == JsonPath{true, {Step("a")}});
  CHECK(parse_json_path("strict$.a") == JsonPath{true, {Step("a")}});
  CHECK(parse_json_path("$.a.\"b c\"['d.e'][\"f\"][12]") ==
        JsonPath{false, {Step("a"), Step("b c"), Step("d.e"), Step("f"), Step(size_t{12})}});
  CHECK(parse_json_path("$.größe") == JsonPath{false, {Step("größe")}});
  for (const char* wrong : {"", "a", "$.", "$..a", "$.*", "$[*]", "$[-1]", "$[1", "$['a", "$.a b", "$[99999999999]",
                            "lax", "$ $", "$.a()"}) {
    CHECK_MESSAGE(!parse_json_path(wrong), wrong);
  }
  std::string deep = "$";
  for (size_t at = 0; at < kMaxJsonPathSteps; ++at) deep += "[0]";
  CHECK(parse_json_path(deep));
  CHECK_FALSE(parse_json_path(deep + "[0]"));
}

TEST_CASE("every signature that is a rule can be read") {
  for (const FunctionInfo& function : functions()) {
    CHECK_MESSAGE(function.id == function_info(function.id).id, function.name);
    if (!function.signature.starts_with('(')) continue;
    for (const Signature& form : parse_signatures(function.signature)) {
      CHECK_MESSAGE(!form.result.empty(), function.name);
      CHECK_MESSAGE((form.parameters.empty() || !form.parameters.front().optional), function.name);
    }
  }
}

}  // namespace tidegate::sql
