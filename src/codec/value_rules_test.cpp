#include "codec/value_rules.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <limits>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

using columnar::Type;
using columnar::TypeKind;

template <class T>
bool inside(std::string_view range, const Type& type, T value) {
  const auto parsed = ValueRange::parse(range, type);
  REQUIRE(parsed);
  columnar::ColumnBuilder builder(type);
  builder.append(value);
  return parsed->contains(builder.so_far(), 0);
}

TEST_CASE("both ends of a range belong to it, in the type of the column") {
  CHECK(inside("-40..85", TypeKind::kDouble, -40.0));
  CHECK(inside("-40..85", TypeKind::kDouble, 85.0));
  CHECK_FALSE(inside("-40..85", TypeKind::kDouble, 85.00001));
  CHECK_FALSE(inside("-40..85", TypeKind::kDouble, std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(inside("0..", TypeKind::kDouble, std::numeric_limits<double>::quiet_NaN()));
  CHECK(inside("0..0.1", TypeKind::kFloat, 0.1F));  // as DOUBLE it is 0.10000000149
  CHECK(inside("0..", TypeKind::kDouble, 1e300));
  CHECK_FALSE(inside("0..", TypeKind::kDouble, -0.5));
  CHECK(inside("..1e3", TypeKind::kInt, int32_t{1000}));
  CHECK_FALSE(inside("..1e3", TypeKind::kInt, int32_t{1001}));
  CHECK(inside("-1.5..1.5", TypeKind::kInt, int32_t{-1}));
  CHECK_FALSE(inside("-1.5..1.5", TypeKind::kInt, int32_t{-2}));
  CHECK_FALSE(inside("-1.5..1.5", TypeKind::kInt, int32_t{2}));
  // No double tells these two apart.
  CHECK(inside("..9007199254740992", TypeKind::kBigint, int64_t{9007199254740992}));
  CHECK_FALSE(inside("..9007199254740992", TypeKind::kBigint, int64_t{9007199254740993}));
  CHECK(inside("..9223372036854775807", TypeKind::kBigint, std::numeric_limits<int64_t>::max()));
  const Type cents = Type::decimal(10, 2);
  CHECK(inside("0..1.005", cents, columnar::Int128{100}));
  CHECK_FALSE(inside("0..1.005", cents, columnar::Int128{101}));
  CHECK_FALSE(inside("0.001..1", cents, columnar::Int128{0}));
  CHECK(inside("..99999999999999999999", Type::decimal(38, 38), columnar::power_of_ten(38) - 1));
  CHECK_FALSE(inside("..0.5", Type::decimal(38, 38), columnar::power_of_ten(38) - 1));
}

TEST_CASE("what is no range says what one looks like") {
  for (const char* bad : {"", "..", "1", "1..x", "a..2", "2..1", "nan..1", "0..inf", "0..1e999", "0..1..2", "0...",
                          "-..5", "0 .. 1 ..", "1-2"}) {
    CAPTURE(bad);
    CHECK_FALSE(ValueRange::parse(bad, TypeKind::kDouble));
  }
  CHECK_FALSE(ValueRange::parse("0.2..0.8", TypeKind::kInt));  // no INT is in it
  CHECK_FALSE(ValueRange::parse("0..1e30", TypeKind::kBigint));
  CHECK(ValueRange::parse(" -5 .. 5 ", TypeKind::kDouble)->least_text() == "-5");
}

TEST_CASE("a value outside of its range is a misfit that says which, what and where it should be") {
  DecoderFixture stream({{"unit.value", "Cel"}, {"range.value", "-40..85"}, {"range.n", "0.."}});
  CHECK(stream.decode(R"({"device":"a","value":85,"n":0})").starts_with(R"({"device":"a","ts":null,"value":85,"n":0)"));
  CHECK(stream.reason(R"({"device":"a","value":85.5})") == "column 'value' is 85.5 Cel, outside of its range -40..85");
  CHECK(stream.misfits.codes.front() == 4013);
  CHECK(stream.misfits.records.front() == R"({"device":"a","value":85.5})");
  CHECK(stream.reason(R"({"device":"a","n":-1})") == "column 'n' is -1, outside of its range 0..");
  const std::string rows = stream.decode(
      "{\"device\":\"a\",\"value\":1}\n{\"device\":\"a\",\"value\":99}\n{\"device\":\"b\",\"value\":null}");
  CHECK(rows.find("\"value\":1") != std::string::npos);
  CHECK(rows.find("99") == std::string::npos);
  CHECK(rows.find("\"device\":\"b\"") != std::string::npos);  // no value is outside of no range
  CHECK(stream.last.good == 2);
  CHECK(stream.last.misfits == 1);
}

std::string quality(DecoderFixture& stream, std::string_view payload) {
  const std::string row = stream.decode(payload);
  const size_t at = row.find("\"q\":");
  return at == std::string::npos ? "dead: " + (stream.misfits.reasons.empty() ? row : stream.misfits.reasons.front())
                                 : row.substr(at + 4, row.find('}') - at - 4);
}

TEST_CASE("every record has a quality, bad if a value is outside of its range") {
  for (const bool nullable : {true, false}) {
    DecoderFixture stream({{"quality", "Q"}, {"range.value", "0..10"}, {"range.n", "..5"}},
                          {{"device", TypeKind::kString, false},
                           {"value", TypeKind::kDouble, true},
                           {"n", TypeKind::kInt, true},
                           {"q", TypeKind::kString, nullable}});
    CHECK(quality(stream, R"({"device":"a","value":1})") == R"("good")");
    CHECK(quality(stream, R"({"device":"a","value":1,"q":null})") == R"("good")");
    CHECK(quality(stream, R"({"device":"a","value":1,"q":"uncertain"})") == R"("uncertain")");
    CHECK(quality(stream, R"({"device":"a","value":1,"q":"substituted"})") == R"("substituted")");
    CHECK(quality(stream, R"({"device":"a","value":1,"q":"bad"})") == R"("bad")");
    for (const char* said : {"good", "uncertain", "substituted", "bad"}) {
      CHECK(quality(stream, fmt::format(R"({{"device":"a","value":11,"q":"{}","n":6}})", said)) == R"("bad")");
    }
    CHECK(quality(stream, R"({"device":"a","value":-1})") == R"("bad")");
    CHECK(quality(stream, R"({"q":"good","device":"a","value":-1,"n":9})") == R"("bad")");
    CHECK(quality(stream, R"({"device":"a","value":1,"q":"GOOD"})") ==
          "dead: column 'q' holds the quality of a record: good, substituted, uncertain, bad; 'GOOD' came");
    CHECK(quality(stream, R"({"device":"a","q":""})").starts_with("dead: "));
    CHECK(quality(stream, R"({"device":"a","q":7})").starts_with("dead: "));
  }
}

TEST_CASE("rows of a payload keep their quality apart, in every format and with rows taken back between them") {
  const std::vector<columnar::Field> fields = {
      {"device", TypeKind::kString, false}, {"v", TypeKind::kDouble, true}, {"q", TypeKind::kString, true}};
  DecoderFixture json({{"quality", "q"}, {"range.v", "0..1"}}, fields);
  CHECK(json.decode(R"([{"device":"a","v":2},{"device":"a","v":"x"},{"device":"a","v":1,"q":"wrong"},)"
                    R"({"device":"a","v":0.5},{"device":"a","v":3,"q":"good"}])") ==
        "{\"device\":\"a\",\"v\":2,\"q\":\"bad\"}\n{\"device\":\"a\",\"v\":0.5,\"q\":\"good\"}\n"
        "{\"device\":\"a\",\"v\":3,\"q\":\"bad\"}\n");
  DecoderFixture csv({{"format", "csv"}, {"quality", "q"}, {"range.v", "0..1"}}, fields);
  CHECK(csv.decode("a,2,\na,0.5,uncertain\n") ==
        "{\"device\":\"a\",\"v\":2,\"q\":\"bad\"}\n{\"device\":\"a\",\"v\":0.5,\"q\":\"uncertain\"}\n");
  DecoderFixture influx({{"format", "influx"}, {"quality", "q"}, {"range.v", "0..1"}}, fields);
  CHECK(influx.decode("m,device=a v=2\nm,device=a v=1\n") ==
        "{\"device\":\"a\",\"v\":2,\"q\":\"bad\"}\n{\"device\":\"a\",\"v\":1,\"q\":\"good\"}\n");
  DecoderFixture topic({{"quality", "q"}, {"range.v", "0..1"}, {"mqtt.topic", "in/{q}"}}, fields);
  const TopicValue from_topic{2, "uncertain", {}};
  topic.rules.from_topic = {&from_topic, 1};
  CHECK(topic.decode(R"({"device":"a","v":1})") == "{\"device\":\"a\",\"v\":1,\"q\":\"uncertain\"}\n");
}

TEST_CASE("a record is signed by the person who sends it, and by nobody else") {
  DecoderFixture stream({{"author", "note"}});
  const auto note = [&](std::string_view payload) {
    const std::string row = stream.decode(payload);
    const size_t at = row.find("\"note\":") + 7;
    return row.substr(at, row.find(',', at) - at);
  };
  CHECK(note(R"({"device":"a","note":"eve"})") == "null");
  CHECK(note(R"({"device":"a"})") == "null");
  stream.rules.author = "ann";
  CHECK(note(R"({"device":"a","note":"eve"})") == R"("ann")");
  CHECK(note(R"({"device":"a","note":null})") == R"("ann")");
  CHECK(note(R"({"device":"a"})") == R"("ann")");
  // Nothing is left behind by the row before.
  stream.rules.author = {};
  CHECK(stream.decode("{\"device\":\"a\",\"note\":\"eve\"}\n{\"device\":\"b\",\"note\":\"eve\"}").find("eve") ==
        std::string::npos);
}

TEST_CASE("options about values are checked when the stream is made") {
  const auto refused = [](std::initializer_list<SourceOptions::value_type> options) {
    return DecoderFixture(options).refused;
  };
  CHECK(refused({{"unit.value", "degC"}}) == "unit.value: 'unit.value' cannot be 'degC': 'degC' is no unit of UCUM");
  CHECK(refused({{"unit.valeu", "Cel"}}) == "unit.valeu: unknown column 'valeu' for 'unit.valeu'");
  CHECK(refused({{"unit.note", "Cel"}}) ==
        "unit.note: 'unit.note' cannot be set here: column 'note' is STRING and not a number");
  CHECK(refused({{"range.ts", "0..1"}}).starts_with("range.ts: 'range.ts' cannot be set here"));
  CHECK(refused({{"range.value", "5..1"}}) == "range.value: 'range.value' cannot be '5..1'");
  CHECK(refused({{"range.value", "0..1"}, {"range.VALUE", "0..2"}}).ends_with("the column has one already"));
  CHECK(refused({{"resolution.value", "0"}}) == "resolution.value: 'resolution.value' cannot be '0'");
  CHECK(refused({{"resolution.value", "-0.1"}}).starts_with("resolution.value: "));
  CHECK(refused({{"quality", "value"}}) == "quality: 'quality' cannot be 'value'");
  CHECK(refused({{"quality", "device"}}) == "quality: 'quality' cannot be 'device'");
  CHECK(refused({{"quality", "nope"}}) == "quality: unknown column 'nope' for 'quality'");
  const DecoderFixture taken({{"unit.VALUE", "kW.h"}, {"resolution.value", "0.1"}, {"quality", "note"}});
  REQUIRE(taken.format.values);
  REQUIRE(taken.format.values->columns.size() == 1);
  CHECK(taken.format.values->columns.front().unit_name == "kilowatt hour");
  CHECK(taken.format.values->columns.front().resolution == "0.1");
  CHECK_FALSE(DecoderFixture({}).format.values);
  CHECK_FALSE(DecoderFixture({{"unit.value", "Cel"}}).format.values->check_records());
}

}  // namespace
}  // namespace tidegate::codec
