#include <doctest/doctest.h>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

using columnar::Field;
using columnar::TypeKind;

std::vector<Field> metric_fields() {
  return {{"device", TypeKind::kString, false},
          {"ts", TypeKind::kTimestampLtz, true},
          {"metric", TypeKind::kString, true},
          {"value", TypeKind::kDouble, true}};
}

std::string row(std::string_view device, std::string_view ts, std::string_view metric, std::string_view value) {
  std::string out = R"({"device":")";
  ((out += device) += R"(","ts":)") += ts;
  ((out += R"(,"metric":)") += metric) += ",\"value\":";
  return (out += value) + "}\n";
}

TEST_CASE("a path says where a column's value stands; the others go by name") {
  DecoderFixture fixture({{"field.value", "$.data.temp"}, {"field.device", "$['dev id']"}, {"field.ts", "$.at[0]"}},
                         metric_fields());
  CHECK(fixture.decode(R"({"dev id":"m1","data":{"temp":21.5},"at":[1000],"metric":"t","value":9})") ==
        row("m1", R"("1970-01-01T00:00:01.000Z")", "\"t\"", "21.5"));
  CHECK(fixture.last.unknown_keys == 4);
  CHECK(fixture.decode(R"([{"dev id":"m1"},{"dev id":"m2","data":5}])") ==
        row("m1", "null", "null", "null") + row("m2", "null", "null", "null"));
  CHECK(fixture.reason(R"({"dev id":"m1","data":{"temp":{"c":1}}})") ==
        "column 'value' expects DOUBLE, but an object came");
  CHECK(fixture.misfits.records.front() == R"({"dev id":"m1","data":{"temp":{"c":1}}})");
  CHECK(fixture.reason(R"({"data":{"temp":1}})") == "column 'device', which names the device, is missing or empty");
  CHECK(fixture.reason(R"({"dev id":"m1","data":{"temp":1})").starts_with("not valid JSON"));
  CHECK(fixture.reason(R"({"dev id":"m1","metric":"a","METRIC":"b"})") == "column 'metric' comes more than once");
}

TEST_CASE("the elements of an array become records") {
  DecoderFixture fixture({{"records", "$.readings[*]"}, {"field.device", "$.dev"}, {"field.ts", "@.t"}},
                         metric_fields());
  CHECK(fixture.decode(R"({"dev":"m","readings":[{"t":1,"value":1},{"t":2,"value":"x"},{"t":3,"metric":"a"},7]})") ==
        row("m", R"("1970-01-01T00:00:00.001Z")", "null", "1") +
            row("m", R"("1970-01-01T00:00:00.003Z")", "\"a\"", "null") + row("m", "null", "null", "null"));
  CHECK(fixture.misfits.records == std::vector<std::string>{R"({"t":2,"value":"x"})"});
  CHECK(fixture.decode(R"({"dev":"m","readings":[]})").empty());
  CHECK(fixture.last.misfits == 0);
  CHECK(fixture.reason(R"({"dev":"m","reading":[]})") == "records are expected at $.readings[*], but nothing is there");
  CHECK(fixture.reason(R"({"dev":"m","readings":5})") == "records are expected at $.readings[*], but nothing is there");
  CHECK(fixture.decode(R"({"dev":"m","readings":[{"value":1}]}{"dev":"n","readings":[{"value":2}]})") ==
        row("m", "null", "null", "1") + row("n", "null", "null", "2"));
}

TEST_CASE("arrays within arrays, and arrays as records") {
  DecoderFixture fixture({{"records", "$.gateways[*].readings[*]"}, {"field.device", "@[0]"}, {"field.value", "@[-1]"}},
                         metric_fields());
  CHECK(
      fixture.decode(R"({"gateways":[{"readings":[["a",1],["b",0,2]]},{"readings":[]},{},{"readings":[["c",3]]}]})") ==
      row("a", "null", "null", "1") + row("b", "null", "null", "2") + row("c", "null", "null", "3"));
}

TEST_CASE("several metrics of a message become rows, all below a name or the named ones") {
  DecoderFixture all({{"records", "$.data.*"}, {"field.metric", "@key"}, {"field.value", "@"}, {"field.device", "$.d"}},
                     metric_fields());
  CHECK(all.decode(R"({"d":"m","data":{"temp":21,"hum":40.5}})") ==
        row("m", "null", "\"temp\"", "21") + row("m", "null", "\"hum\"", "40.5"));
  DecoderFixture some(
      {{"records", "$['temp','hum','co2']"}, {"field.metric", "@key"}, {"field.value", "@"}, {"field.device", "$.d"}},
      metric_fields());
  CHECK(some.decode(R"({"d":"m","hum":40,"temp":21,"rssi":-70})") ==
        row("m", "null", "\"temp\"", "21") + row("m", "null", "\"hum\"", "40"));
  CHECK(some.reason(R"({"d":"m","temp":"hot"})") == "column 'value' expects DOUBLE, but \"hot\" came");
  CHECK(some.misfits.records.front() == "\"hot\"");
}

TEST_CASE("several metrics of a message become columns") {
  DecoderFixture fixture({{"field.value", "$.m[?@.n == 'temp'].v"},
                          {"field.ts", "$.m[?(@.id.no==2)].v"},
                          {"field.metric", "$.m[?@.ok==true].n"}},
                         metric_fields());
  CHECK(
      fixture.decode(R"({"device":"d","m":[{"n":"hum","v":4},{"n":"temp","v":21,"ok":true},{"id":{"no":2},"v":7}]})") ==
      row("d", R"("1970-01-01T00:00:00.007Z")", "\"temp\"", "21"));
  CHECK(fixture.decode(R"({"device":"d","m":[{"n":"hum","v":4},5]})") == row("d", "null", "null", "null"));
}

TEST_CASE("a bare value is a message too") {
  DecoderFixture fixture({{"field.value", "$"}}, metric_fields());
  fixture.rules.default_device = fixture.devices.intern("m");
  CHECK(fixture.decode("21.5") == row("m", "null", "null", "21.5"));
  CHECK(fixture.decode(" -3e2\n4") == row("m", "null", "null", "-300") + row("m", "null", "null", "4"));
  CHECK(fixture.reason("\"warm\"") == "column 'value' expects DOUBLE, but \"warm\" came");
  CHECK(fixture.reason("1,2").starts_with("not valid JSON"));
  CHECK(fixture.reason("").starts_with("the payload is empty"));
  CHECK(fixture.reason("x").starts_with("not valid JSON"));
}

TEST_CASE("what is too deep or has too many values is refused, and its neighbours stay") {
  DecoderFixture fixture({{"field.value", "$.v"}}, metric_fields());
  const std::string good = R"({"device":"m","v":1})";
  fixture.decode(good + "{\"x\":" + std::string(70, '[') + std::string(70, ']') + "}" + good);
  CHECK(fixture.last.good == 2);
  CHECK(fixture.misfits.codes == std::vector<int>{4001});
  std::string wide = "{\"x\":[0";
  for (int at = 0; at < 70'000; ++at) wide += ",0";
  fixture.decode(good + "\n" + wide + "]}\n" + good);
  CHECK(fixture.last.good == 2);
  CHECK(fixture.reason(wide + "]}") == "a message of more than 65536 values, which is the limit");
}

TEST_CASE("paths that cannot be followed are refused when the stream is declared") {
  for (const char* bad :
       {"temp", "$.", "$[", "$['a'", "$[a]", "$.a.[0]", "$[?@.a]", "$[?@.a=='x]", "$[?@.a==b]", "$..a"}) {
    CHECK(DecoderFixture({{"field.value", bad}}).refused.starts_with("field.value: 'field.value' cannot be"));
  }
  CHECK(DecoderFixture({{"field.value", "$.a[*]"}}).refused.starts_with("field.value: "));
  CHECK(DecoderFixture({{"field.valeu", "$.a"}}).refused == "field.valeu: unknown column 'valeu' for 'field.valeu'");
  CHECK(DecoderFixture({{"field.value", "$.a"}, {"field.VALUE", "$.b"}}).refused.find("has a path already") !=
        std::string::npos);
  CHECK(DecoderFixture({{"records", "@[*]"}}).refused.starts_with("records: "));
  CHECK(DecoderFixture({{"records", "$[*]"}, {"format", "csv"}}).refused.starts_with("records: "));
}

}  // namespace
}  // namespace tidegate::codec
