#include <doctest/doctest.h>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

using columnar::TypeKind;

std::vector<columnar::Field> long_fields() {
  return {
      {"device", TypeKind::kString, true}, {"ts", TypeKind::kTimestampLtz, true}, {"name", TypeKind::kString, true},
      {"metric", TypeKind::kString, true}, {"unit", TypeKind::kString, true},     {"value", TypeKind::kDouble, true},
      {"text", TypeKind::kString, true},   {"flag", TypeKind::kBoolean, true},    {"sum", TypeKind::kDouble, true}};
}
std::vector<columnar::Field> wide_fields() {
  return {{"device", TypeKind::kString, true},
          {"ts", TypeKind::kTimestampLtz, true},
          {"temp", TypeKind::kDouble, true},
          {"hum", TypeKind::kDouble, true},
          {"state", TypeKind::kString, true}};
}

struct Long : DecoderFixture {
  explicit Long(const char* wire = "senml-json")
      : DecoderFixture({{"format", wire}, {"metrics", "rows"}}, long_fields()) {
    rules.arrival_us = 1'700'000'000'000'000;
    rules.default_device = devices.intern("sender");
  }
};

TEST_CASE("base values are worked into the records behind them (RFC 8428 section 5.1.3)") {
  Long senml;
  CHECK(senml.decode(
            R"([{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V",)"
            R"("v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"vs":"x"},{"n":"on",)"
            R"("vb":true,"s":3}])") ==
        R"({"device":"urn:dev:ow:10e2073a0108006","ts":"2010-06-08T18:01:16.001Z",)"
        R"("name":"urn:dev:ow:10e2073a0108006:voltage",)"
        R"("metric":"voltage","unit":"V","value":120.1,"text":null,"flag":null,"sum":null})"
        "\n"
        R"({"device":"urn:dev:ow:10e2073a0108006","ts":"2010-06-08T18:01:11.001Z",)"
        R"("name":"urn:dev:ow:10e2073a0108006:current",)"
        R"("metric":"current","unit":"A","value":1.2,"text":null,"flag":null,"sum":null})"
        "\n"
        R"({"device":"urn:dev:ow:10e2073a0108006","ts":"2010-06-08T18:01:12.001Z",)"
        R"("name":"urn:dev:ow:10e2073a0108006:current",)"
        R"("metric":"current","unit":"A","value":null,"text":"x","flag":null,"sum":null})"
        "\n"
        R"({"device":"urn:dev:ow:10e2073a0108006","ts":"2010-06-08T18:01:16.001Z",)"
        R"("name":"urn:dev:ow:10e2073a0108006:on",)"
        R"("metric":"on","unit":"A","value":null,"text":null,"flag":true,"sum":3})"
        "\n");
}

TEST_CASE("times before 2^28 count from now, and no time is now") {
  Long senml;
  CHECK(senml.decode(R"([{"n":"a","v":1}])").find("2023-11-14T22:13:20.000Z") != std::string::npos);
  CHECK(senml.decode(R"([{"n":"a","v":1,"t":-10}])").find("2023-11-14T22:13:10.000Z") != std::string::npos);
  CHECK(senml.decode(R"([{"bt":5,"n":"a","v":1,"t":0.25}])").find("2023-11-14T22:13:25.250Z") != std::string::npos);
  CHECK(senml.decode(R"([{"n":"a","v":1,"t":1700000001}])").find("2023-11-14T22:13:21.000Z") != std::string::npos);
  CHECK(senml.reason(R"([{"n":"a","v":1,)"
                     R"("t":1e15}])") == "SenML time 1000000000000000 is outside the years 1 to 9999");
}

TEST_CASE("base value and base sum are added") {
  Long senml;
  CHECK(senml.decode(R"([{"bv":20,"bs":100,"n":"a","v":1,"s":2}])")
            .find(R"("value":21,"text":null,"flag":null,"sum":102)") != std::string::npos);
  CHECK(senml.decode(R"([{"n":"a","s":2}])").find(R"("value":null,"text":null,"flag":null,"sum":2)") !=
        std::string::npos);
}

TEST_CASE("what one device measured at one time is a row") {
  DecoderFixture senml({{"format", "senml-json"}}, wide_fields());
  CHECK(senml.decode(R"([{"bn":"m1/","bt":1700000000,"n":"temp","v":21},{"n":"hum","v":40},{"n":"rssi","v":-70},)"
                     R"({"n":"temp","v":22,"t":1},{"bn":"m2/","n":"temp","v":5},{"n":"state","vs":"on"}])") ==
        R"({"device":"m1","ts":"2023-11-14T22:13:20.000Z","temp":21,"hum":40,"state":null})"
        "\n"
        R"({"device":"m1","ts":"2023-11-14T22:13:21.000Z","temp":22,"hum":null,"state":null})"
        "\n"
        R"({"device":"m2","ts":"2023-11-14T22:13:20.000Z","temp":5,"hum":null,"state":"on"})"
        "\n");
  CHECK(senml.last.unknown_keys == 1);
  CHECK(senml
            .decode(R"([{"bn":"m1/","n":"temp","v":1},{"n":"temp",)"
                    R"("v":2}])")
            .find("\"temp\":2") != std::string::npos);
}

TEST_CASE("a bad SenML record costs only itself") {
  Long senml;
  senml.decode(
      R"([{"n":"a","v":1},{"n":"b","v":"warm"},{"n":"c","v":1,"vs":"x"},{"n":"d"},{"v":1},5,{"n":"e","x_":1,"v":1},)"
      R"({"n":"f","vb":1},{"n":"g","v":2},{"n":1,"v":1},{"bver":11,"n":"h","v":1},{"bn":"base"}])");
  CHECK(senml.last.good == 2);
  CHECK(senml.misfits.reasons ==
        std::vector<std::string>{
            "SenML label 'v' expects a number, but \"warm\" came", "SenML record with two values; 'vs' is the second",
            "SenML record '\"d\"' has no value", "a SenML record without a name, neither 'bn' nor 'n'",
            "a SenML record is an object, starting with '{'", "SenML label 'x_' must be understood, and is not known",
            "SenML label 'vb' expects a boolean, but 1 came", "SenML label 'n' expects a text, but 1 came",
            "SenML version 11 is not known, 10 is the latest"});
  senml.decode(R"([{"n":"a","v":1},{"n":"b","v":2)");
  CHECK(senml.last.good == 1);
  CHECK(senml.last.misfits == 1);
}

TEST_CASE("the form of drafts before the RFC, with times in milliseconds and numbers as texts") {
  DecoderFixture senml({{"format", "senml-json"}, {"timestamp.precision", "ms"}, {"field.device", "source"}},
                       wide_fields());
  CHECK(senml.decode(R"({"e":[{"u":"string","n":"source","sv":"c1"},{"v":"6.1","u":"lon","n":"longitude"},)"
                     R"({"v":"8","u":"far","n":"temp"},{"n":"on","bv":true}],"bt":1422748800000})") ==
        R"({"device":"c1","ts":"2015-02-01T00:00:00.000Z","temp":8,"hum":null,"state":null})"
        "\n");
}

TEST_CASE("SenML in CBOR has numbers for labels (RFC 8428 section 6)") {
  Long senml("senml-cbor");
  // [{-2:"m1:",-3:1700000000,0:"temp",1:"Cel",2:21.5},{0:"up",4:true,6:-1},{0:"x"}]
  std::string cbor;
  const std::string_view hex =
      "83a521636d313a221a6553f10000"
      "6474656d70"
      "01"
      "6343656c"
      "02f94d60"
      "a300627570"
      "04f5"
      "0620"
      "a1006178";
  for (size_t at = 0; at < hex.size(); at += 2)
    cbor += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  CHECK(senml.decode(cbor) ==
        R"({"device":"m1","ts":"2023-11-14T22:13:20.000Z","name":"m1:temp","metric":"temp","unit":"Cel",)"
        R"("value":21.5,"text":null,)"
        R"("flag":null,"sum":null})"
        "\n"
        R"({"device":"m1","ts":"2023-11-14T22:13:19.000Z","name":"m1:up","metric":"up","unit":null,)"
        R"("value":null,"text":null,)"
        R"("flag":true,"sum":null})"
        "\n");
  CHECK(senml.misfits.reasons == std::vector<std::string>{"SenML record '\"x\"' has no value"});
  CHECK(senml.reason("\xA0") == "a SenML pack is an array");
  CHECK(senml.reason(cbor.substr(0, 20)).starts_with("not valid CBOR"));
  CHECK(senml.reason("").starts_with("a SenML pack is an array"));
}

}  // namespace
}  // namespace tidegate::codec
