#include "codec/json_decoder.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "codec/json_encoder.h"

namespace tidegate::codec {
namespace {

using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;

struct Collected final : MisfitHandler {
  void on_misfit(Misfit misfit) override {
    records.emplace_back(misfit.record);
    misfits.push_back(std::move(misfit));
  }
  std::vector<Misfit> misfits;
  std::vector<std::string> records;
};

struct Bench {
  columnar::StringPool devices{4};
  columnar::SchemaPtr schema = std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false},
                                                                      {"ts", TypeKind::kTimestampLtz, false},
                                                                      {"value", TypeKind::kDouble, true},
                                                                      {"count", TypeKind::kInt, true},
                                                                      {"total", TypeKind::kBigint, true},
                                                                      {"ok", TypeKind::kBoolean, true},
                                                                      {"note", TypeKind::kString, true},
                                                                      {"wall", TypeKind::kTimestamp, true}}});
  JsonDecoder decoder{{schema, 0, &devices, 1, kMaxRecordBytes}};
  columnar::BatchBuilder rows{schema, 0, &devices};
  Collected collected;
  RowRules rules;
  Decoded last;

  // The good rows as NDJSON.
  std::string decode(std::string_view payload) {
    last = decoder.decode({payload, false, {}}, rules, rows, collected);
    const columnar::Batch batch = rows.finish();
    CHECK(batch.rows == last.good);
    std::string out;
    JsonEncoder(schema).append_ndjson(batch, out);
    return out;
  }
  // The one value that the member decodes to, or the reason why not.
  std::string decode_member(const std::string& column, const std::string& value) {
    collected.misfits.clear();
    const std::string out = decode(R"({"device":"m","ts":0,")" + column + "\":" + value + "}");
    if (!collected.misfits.empty()) return collected.misfits.front().reason;
    const size_t at = out.find("\"" + column + "\":") + column.size() + 3;
    return out.substr(at, out.find_first_of(",}", at) - at);
  }
};

TEST_CASE("values decode by the type of their column, first by the careful and then by the quick way") {
  struct Case {
    std::string column, value, expected;
  };
  const std::vector<Case> cases{
      {"value", "21.53", "21.53"},
      {"value", "-0.5", "-0.5"},
      {"value", "7", "7"},
      {"value", "0.1234567890123456789", "0.12345678901234568"},
      {"value", "9007199254740993", "9007199254740992"},
      {"value", "1.5e3", "1500"},
      {"value", "123456789012345678901234567", "1.2345678901234568e+26"},
      {"value", "4.9e-324", "5e-324"},
      {"value", "null", "null"},
      {"value", "1e999", "column 'value' expects DOUBLE: a number in its range, but 1e999 came"},
      {"value", "\"21\"", "column 'value' expects DOUBLE, but \"21\" came"},
      {"value", "true", "column 'value' expects DOUBLE, but true came"},
      {"value", "[1]", "column 'value' expects DOUBLE, but an array came"},
      {"value", "01", "column 'value' expects DOUBLE: a number in its range, but 01 came"},
      {"value", "1.", "column 'value' expects DOUBLE: a number in its range, but 1. came"},
      {"count", "2147483647", "2147483647"},
      {"count", "-2147483648", "-2147483648"},
      {"count", "3.0", "3"},
      {"count", "2147483648",
       "column 'count' expects INT: a number from -2147483648 to 2147483647, but 2147483648 came"},
      {"count", "3.5", "column 'count' expects INT: a number without a fraction, but 3.5 came"},
      {"total", "9223372036854775807", "9223372036854775807"},
      {"total", "-9223372036854775808", "-9223372036854775808"},
      {"total", "9223372036854775808",
       "column 'total' expects BIGINT: a number in its range, but 9223372036854775808 came"},
      {"ok", "true", "true"},
      {"ok", "false", "false"},
      {"ok", "1", "column 'ok' expects BOOLEAN, but 1 came"},
      {"note", "\"a\\n\\u00e9\"", "\"a\\né\""},
      {"note", "\"plain\"", "\"plain\""},
      {"note", "5", "column 'note' expects STRING, but 5 came"},
      {"wall", "\"2026-03-01 12:00:00+05:00\"", "\"2026-03-01T12:00:00.000\""},
      {"wall", "1700000000123", "\"2023-11-14T22:13:20.123\""},
      {"wall", "1700000000123.9", "\"2023-11-14T22:13:20.123\""},
  };
  for (const Case& one : cases) {
    Bench fresh;
    CHECK(fresh.decode_member(one.column, one.value) == one.expected);
    // A layout learnt from another value of the column must not change what comes out.
    Bench warm;
    const std::string other = one.column == "note" ? "\"x\"" : one.column == "ok" ? "false" : "1";
    CHECK(warm.decode_member(one.column, other) != "");
    CHECK(warm.decode_member(one.column, one.value) == one.expected);
    CHECK(warm.decode_member(one.column, one.value) == one.expected);
  }
}

TEST_CASE("event times: milliseconds or text, with a zone or in UTC") {
  Bench bench;
  const auto ts = [&](const std::string& value) {
    bench.collected.misfits.clear();
    const std::string out = bench.decode(R"({"device":"m","ts":)" + value + "}");
    return bench.collected.misfits.empty() ? out.substr(20, 24) : "misfit";
  };
  CHECK(ts("1700000000000") == "2023-11-14T22:13:20.000Z");
  CHECK(ts("\"2026-03-01T12:00:00.25+02:00\"") == "2026-03-01T10:00:00.250Z");
  CHECK(ts("\"2026-03-01 12:00:00\"") == "2026-03-01T12:00:00.000Z");
  CHECK(ts("-1") == "1969-12-31T23:59:59.999Z");
  CHECK(ts("\"2026-02-29T12:00:00Z\"") == "misfit");
  CHECK(ts("\"2026-02-28\"") == "misfit");
  CHECK(ts("1700000000000000") == "misfit");
}

TEST_CASE("good records of a payload count, whatever stands between them") {
  Bench bench;
  const std::string good = R"({"device":"m","ts":1})";
  CHECK(bench.decode("[" + good + ", {\"device\":\"m\",\"ts\":\"x\"} ,3," + good + "]") != "");
  CHECK(bench.last.good == 2);
  CHECK(bench.last.misfits == 2);
  CHECK(bench.collected.misfits[0].position == 1);
  CHECK(bench.collected.records[0] == "{\"device\":\"m\",\"ts\":\"x\"}");
  CHECK(bench.collected.records[1] == "3");

  bench.decode("\xEF\xBB\xBF" + good + "\r\n" + "{\"device\":\"m\",\"ts\":\n" + good + "\n\nnoise\n" + good + good);
  CHECK(bench.last.good == 4);
  CHECK(bench.last.misfits == 2);
  bench.decode("{\n  \"device\": \"m\",\n  \"ts\": 1\n}\n");
  CHECK(bench.last.good == 1);
  bench.decode("[" + good + "," + good);
  CHECK(bench.last.good == 2);
  CHECK(bench.last.misfits == 1);
  bench.decode("  ");
  CHECK(bench.last.misfits == 1);
  bench.decode("[]");
  CHECK(bench.last.misfits == 0);
}

TEST_CASE("what is not valid JSON is malformed, in ignored members too") {
  Bench bench;
  for (const char* payload : {"{", "}", "[", "]", "{\"device\"}", "{\"device\":\"m\" \"ts\":1}",
                              "{\"device\":\"m\",\"ts\":1,}", "{\"device\":\"m\",\"ts\":1,\"junk\":[1,2}}",
                              "{\"device\":\"m\",\"ts\":1,\"junk\":{\"a\":tru}}", "{\"device\":\"\xff\",\"ts\":1}",
                              "{\"device\":\"m\",\"ts\":nul}", "\"text\"", "{\"device\":\"m\tn\",\"ts\":1}"}) {
    CAPTURE(std::string(payload));
    bench.collected.misfits.clear();
    bench.decode(payload);
    CHECK(bench.last.good == 0);
    REQUIRE(bench.collected.misfits.size() == 1);
    CHECK(bench.collected.misfits[0].code == ErrorCode::RecordMalformed);
  }
  bench.decode(R"({"device":"m","ts":1,"junk":)" + std::string(70, '[') + std::string(70, ']') + "}");
  CHECK(bench.last.misfits == 1);
  bench.decode(R"({"device":"m","ts":1,"junk":{"a":[1,"b",null,true]},"more":2})");
  CHECK(bench.last.good == 1);
  CHECK(bench.last.unknown_keys == 2);
}

TEST_CASE("members that no column has are left out and counted, also in records of a learnt layout") {
  Bench bench;
  for (const char* unit : {R"("C")", "12.5", "-3", "true", "null", R"("a\"b")", R"({"x":[1]})"}) {
    const std::string payload = R"({"device":"m","unit":)" + std::string(unit) + R"(,"ts":0,"value":2})";
    for (int round = 0; round < 3; ++round) {
      CHECK(bench.decode(payload).find("\"value\":2") != std::string::npos);
      CHECK(bench.last.unknown_keys == 1);
    }
  }
  for (const char* broken : {"C", "12.", "tru", R"("open)", "1e", ""}) {
    bench.decode(R"({"device":"m","unit":"C","ts":0,"value":2})");
    bench.decode(R"({"device":"m","unit":)" + std::string(broken) + R"(,"ts":0,"value":2})");
    CHECK(bench.last.good == 0);
    CHECK(bench.last.misfits == 1);
  }
}

TEST_CASE("names: exact before any case; twice or missing where needed is a misfit") {
  Bench bench;
  CHECK(bench.decode(R"({"DEVICE":"m","Ts":0,"VALUE":2})").find("\"value\":2") != std::string::npos);
  bench.decode(R"({"device":"m","ts":0,"value":1,"value":2})");
  CHECK(bench.collected.misfits.back().reason == "column 'value' comes more than once");
  bench.decode(R"({"device":"m","value":1})");
  CHECK(bench.collected.misfits.back().reason ==
        "column 'ts' (TIMESTAMP_LTZ(3)) must not be NULL, but the record has no such member");
}

TEST_CASE("devices: default, only, limit of the pool") {
  Bench bench;
  bench.decode(R"({"ts":0})");
  CHECK(bench.collected.misfits.back().code == ErrorCode::RecordWithoutDevice);
  bench.decode(R"({"device":null,"ts":0})");
  CHECK(bench.collected.misfits.back().code == ErrorCode::RecordWithoutDevice);
  bench.rules.default_device = bench.devices.intern("mine");
  CHECK(bench.decode(R"({"ts":0,"device":""})").starts_with(R"({"device":"mine")"));
  bench.rules.only_device = bench.rules.default_device;
  bench.decode(R"({"ts":0,"device":"other"})");
  CHECK(bench.collected.misfits.back().code == ErrorCode::NotAuthorized);
  bench.rules = {};
  bench.decode(R"({"ts":0,"device":"a"}{"ts":0,"device":"b"}{"ts":0,"device":"c"})");
  CHECK(bench.last.good == 2);
  CHECK(bench.collected.misfits.back().code == ErrorCode::LimitReached);
  bench.rules.latest_time_us = 5000;
  bench.decode(R"({"ts":5,"device":"a"}{"ts":6,"device":"a"})");
  CHECK(bench.last.good == 1);
  CHECK(bench.collected.misfits.back().code == ErrorCode::RecordFromFuture);
}

TEST_CASE("a gateway's rows are of its devices only, without a topic and without another rule too") {
  struct OneDevice final : DeviceAllowance {
    explicit OneDevice(StringCode device) : mine(device) {}
    [[nodiscard]] bool takes(StringCode device) const override { return device == mine; }
    [[nodiscard]] std::string_view sender() const override { return "gw-1"; }
    StringCode mine;
  };
  Bench bench;
  const OneDevice pump(*bench.devices.intern("pump"));
  bench.rules.allowance = &pump;
  bench.decode(R"({"ts":0,"device":"pump"}{"ts":0,"device":"valve"}{"ts":0,"device":"pump"})");
  CHECK(bench.last.good == 2);
  CHECK(bench.collected.misfits.back().code == ErrorCode::NotAuthorized);
}

TEST_CASE("a record larger than the limit is refused, its neighbours are not") {
  Bench bench;
  bench.decode(R"({"device":"m","ts":0,"note":")" + std::string(kMaxRecordBytes, 'x') +
               "\"}\n{\"device\":\"m\",\"ts\":0}");
  CHECK(bench.last.good == 1);
  CHECK(bench.collected.misfits.back().code == ErrorCode::RecordTooLarge);
}

TEST_CASE("rows survive encoding and decoding") {
  Bench bench;
  uint64_t state = 42;
  const auto next = [&] { return state = state * 6364136223846793005ULL + 1442695040888963407ULL; };
  columnar::BatchBuilder rows(bench.schema, 0, &bench.devices);
  for (int row = 0; row < 2000; ++row) {
    rows.column(0).append<uint32_t>(bench.devices.intern(next() % 2 != 0 ? "a" : "b\"\n")->value);
    rows.column(1).append<int64_t>(static_cast<int64_t>(next() >> 24) / 1000 * 1000);
    double real = std::bit_cast<double>(next());
    if (!std::isfinite(real)) real = 0.25;
    rows.column(2).append<double>(next() % 3 == 0 ? real : static_cast<double>(next() % 100'000) / 100);
    next() % 5 == 0 ? rows.column(3).append_null() : rows.column(3).append<int32_t>(static_cast<int32_t>(next() >> 32));
    rows.column(4).append<int64_t>(static_cast<int64_t>(next()));
    rows.column(5).append<uint8_t>(next() % 2);
    rows.column(6).append_string(std::string(next() % 20, static_cast<char>(next() % 128)));
    rows.column(7).append<int64_t>(-static_cast<int64_t>(next() >> 24) / 1000 * 1000);
    rows.end_row();
  }
  std::string before;
  JsonEncoder(bench.schema).append_ndjson(rows.finish(), before);
  CHECK(bench.decode(before) == before);
  CHECK(bench.last.good == 2000);
}

}  // namespace
}  // namespace tidegate::codec
