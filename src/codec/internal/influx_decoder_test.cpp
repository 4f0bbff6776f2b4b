#include <doctest/doctest.h>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

using columnar::TypeKind;

std::vector<columnar::Field> weather_fields() {
  return {{"room", TypeKind::kString, true},        {"ts", TypeKind::kTimestampLtz, true},
          {"measurement", TypeKind::kString, true}, {"floor", TypeKind::kString, true},
          {"temp", TypeKind::kDouble, true},        {"count", TypeKind::kBigint, true},
          {"ok", TypeKind::kBoolean, true},         {"note", TypeKind::kString, true}};
}

TEST_CASE("measurement, tags, fields and time become columns") {
  DecoderFixture fixture({{"format", "influx"}}, weather_fields());
  CHECK(fixture.decode("weather,room=attic,floor=2 temp=21.5,count=7i,ok=t,note=\"fine\" 1700000000123456789\n") ==
        R"({"room":"attic","ts":"2023-11-14T22:13:20.123Z","measurement":"weather","floor":"2","temp":21.5,"count":7,)"
        R"("ok":true,"note":"fine"})"
        "\n");
  fixture.rules.arrival_us = 1'000'000;
  CHECK(fixture.decode("# a comment\r\n\n  weather,room=a temp=-1e2\r\n").find("1970-01-01T00:00:01.000Z") !=
        std::string::npos);
  CHECK(fixture.decode("w,room=a,unknown=1 temp=1,more=2").size() > 0);
  CHECK(fixture.last.unknown_keys == 2);
}

TEST_CASE("escapes and texts as the line protocol has them") {
  DecoderFixture fixture({{"format", "influx"}}, weather_fields());
  const std::string row =
      fixture.decode("my\\,m\\ x,room=a\\ b\\=c\\\\,floor=\"q\" note=\"say \\\"hi\\\\\\n\nbye, = \" 5");
  CHECK(row.find(R"("room":"a b=c\\\\")") != std::string::npos);
  CHECK(row.find(R"("measurement":"my,m x")") != std::string::npos);
  CHECK(row.find(R"("floor":"\"q\"")") != std::string::npos);
  CHECK(row.find(R"("note":"say \"hi\\\\n\nbye, = ")") != std::string::npos);
}

TEST_CASE("values have the types that their form says") {
  DecoderFixture fixture({{"format", "influx"}}, weather_fields());
  const auto member = [&](const std::string& text) {
    const std::string out = fixture.decode("w,room=a " + text);
    if (out.empty()) return fixture.misfits.reasons.front();
    const size_t at = out.find("\"temp\"");
    return out.substr(at, out.size() - at - 2);
  };
  CHECK(member("temp=3i,count=9007199254740993i").starts_with(R"("temp":3,"count":9007199254740993)"));
  CHECK(member("count=18446744073709551615u") ==
        "column 'count' expects BIGINT: a number in its range, but 1.8446744073709552e+19 came");
  CHECK(member("temp=18446744073709551615u").starts_with(R"("temp":18446744073709551616)"));
  CHECK(member("ok=FALSE").find(R"("ok":false)") != std::string::npos);
  CHECK(member("ok=1").starts_with("column 'ok' expects BOOLEAN, but 1 came"));
  CHECK(member("temp=\"21\"") == "column 'temp' expects DOUBLE, but \"21\" came");
  CHECK(member("temp=21x") ==
        "character 15: a value such as 21.5, 21i, 21u, true or \"text\" expected, but \"21x\" came");
  CHECK(member("temp=") ==
        "character 15: a value such as 21.5, 21i, 21u, true or \"text\" expected, but the end of the line came");
  CHECK(member("count=-1u").starts_with("character"));
  CHECK(member("temp=1 soon") == "character 17: a timestamp, a whole number, expected, but \"soon\" came");
  CHECK(member("temp=1 1 2").starts_with("character"));
  CHECK(member("temp=1,").starts_with("character"));
  CHECK(member("temp").starts_with("character"));
}

TEST_CASE("a bad line costs only itself, a text that is not closed too") {
  DecoderFixture fixture({{"format", "influx"}}, weather_fields());
  fixture.decode(
      "w,room=a temp=1\nnonsense\nw,room=a note=\"open\nw,room=a temp=2\n,room=a temp=1\nw,room= temp=1\nw,room=b "
      "note=\"two\\\"\"\n");
  CHECK(fixture.last.good == 3);
  CHECK(fixture.misfits.records ==
        std::vector<std::string>{"nonsense", "w,room=a note=\"open", ",room=a temp=1", "w,room= temp=1"});
  std::string many;
  for (int at = 0; at < 50'000; ++at) many += "w,room=a note=\"x\n";
  CHECK(fixture.decode(many + "w,room=a temp=2").find("\"temp\":2") != std::string::npos);
  CHECK(fixture.reason(" \n# only a comment\n") == "the payload is empty");
}

TEST_CASE("each field can be a row, and timestamps can count in other units") {
  const std::vector<columnar::Field> fields{{"host", TypeKind::kString, true},
                                            {"ts", TypeKind::kTimestampLtz, true},
                                            {"metric", TypeKind::kString, true},
                                            {"value", TypeKind::kDouble, true},
                                            {"flag", TypeKind::kBoolean, true}};
  DecoderFixture fixture(
      {{"format", "influx"}, {"metrics", "rows"}, {"timestamp.precision", "s"}, {"field.host", "node name"}}, fields);
  CHECK(fixture.decode("cpu,node\\ name=n1 user=1,up=t,text=\"x\" 1700000000") ==
        R"({"host":"n1","ts":"2023-11-14T22:13:20.000Z","metric":"user","value":1,"flag":null})"
        "\n"
        R"({"host":"n1","ts":"2023-11-14T22:13:20.000Z","metric":"up","value":null,"flag":true})"
        "\n");
  CHECK(fixture.last.unknown_keys == 1);
  CHECK(fixture.reason("cpu,node\\ name=n1 user=1 9223372036854775807").starts_with("character"));
  DecoderFixture micros({{"format", "influx"}, {"timestamp.precision", "us"}}, weather_fields());
  CHECK(micros.decode("w,room=a temp=1 1700000000123999").find("22:13:20.123Z") != std::string::npos);
  CHECK(DecoderFixture({{"format", "influx"}, {"metrics", "both"}}).refused.starts_with("metrics: "));
  CHECK(DecoderFixture({{"format", "influx"}, {"records", "$[*]"}}).refused.starts_with("records: "));
  CHECK(DecoderFixture({{"timestamp.precision", "s"}}).refused.starts_with("timestamp.precision: "));
}

}  // namespace
}  // namespace tidegate::codec
