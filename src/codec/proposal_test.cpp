#include "codec/proposal.h"

#include <doctest/doctest.h>

#include "codec/presets.h"
#include "codec/sample_preview.h"

namespace tidegate::codec {
namespace {

struct Tried {
  Proposal proposal;
  SamplePreview shown;
};

// Proposes, and decodes the same samples with what was proposed.
Tried try_out(const std::vector<Sample>& samples) {
  auto proposal = propose(samples);
  if (!proposal) MESSAGE(proposal.error().to_string());
  REQUIRE(proposal);
  const auto schema = schema_of(*proposal);
  SourceOptions options = proposal->options;
  const SourceColumns columns{*schema, proposal->device, proposal->time};
  auto expanded = expand_preset(options, columns);
  REQUIRE(expanded);
  for (auto& [key, value] : *expanded) options.emplace(key, value);
  auto format = parse_source_format(options, columns);
  if (!format) MESSAGE(format.error().key << ": " << format.error().error.message);
  REQUIRE(format);
  Tried out{std::move(*proposal), {}};
  out.shown = preview(*format, schema, out.proposal.device, out.proposal.time, samples, 1'767'225'600'000'000);
  return out;
}

std::string columns_text(const Proposal& proposal) {
  std::string out;
  for (const ProposedColumn& column : proposal.columns) {
    out += (out.empty() ? "" : ", ") + column.name + " " + std::string(columnar::type_name(column.type)) +
           (column.nullable ? "" : " NOT NULL");
  }
  return out;
}

TEST_CASE("JSON with device, epoch time and measurements") {
  const auto tried =
      try_out({{"plant/hall1/m1/state", R"({"id":"m1","ts":1767225600,"temp":21.5,"ok":true,"n":{"rssi":-70}})"},
               {"plant/hall2/m2/state", R"({"id":"m2","ts":1767225590,"temp":20,"ok":false})"}});
  CHECK(tried.proposal.format == "json");
  CHECK(columns_text(tried.proposal) ==
        "id STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, temp DOUBLE NOT NULL, ok BOOLEAN NOT NULL, rssi DOUBLE");
  CHECK(tried.proposal.options.at("mqtt.topic") == "plant/+/{device}/state");
  CHECK(tried.proposal.options.at("timestamp.format.ts") == "epoch-s");
  CHECK(tried.proposal.options.at("field.rssi") == "$.n.rssi");
  CHECK(tried.proposal.watermark_delay_us == 10 * kMicrosPerSecond);
  REQUIRE(tried.shown.rows.size() == 2);
  CHECK(tried.shown.dead == 0);
  CHECK(tried.shown.rows[0] == R"({"id":"m1","ts":"2026-01-01T00:00:00.000Z","temp":21.5,"ok":true,"rssi":-70})");
}

TEST_CASE("a device that only the topic names, and no time") {
  const auto tried = try_out({{"home/devices/lamp/power", "21.5"}, {"home/devices/oven/power", "7"}});
  CHECK(columns_text(tried.proposal) ==
        "device STRING NOT NULL, time TIMESTAMP_LTZ(3) NOT NULL, value DOUBLE NOT NULL");
  CHECK(tried.proposal.options.at("mqtt.topic") == "home/devices/{device}/power");
  CHECK(tried.proposal.options.at("timestamp.default") == "arrival");
  REQUIRE(tried.shown.rows.size() == 2);
  CHECK(tried.shown.rows[1] == R"({"device":"oven","time":"2026-01-01T00:00:00.000Z","value":7})");
}

TEST_CASE("a list of readings becomes a row each") {
  const auto tried = try_out({{"", R"({"gw":"g1","readings":[{"sensor":"a","at":"2026-01-01T00:00:00Z","v":1.5},)"
                                   R"({"sensor":"b","at":"2026-01-01T00:00:01Z","v":2}]})"}});
  CHECK(tried.proposal.options.at("records") == "$.readings[*]");
  CHECK(tried.shown.good == 2);
  CHECK(tried.shown.dead == 0);
  CHECK(tried.shown.rows[1] == R"({"sensor":"b","at":"2026-01-01T00:00:01.000Z","gw":"g1","v":2})");
}

TEST_CASE("CSV with a header, odd names and a day before the month") {
  const auto tried = try_out({{"", "Datetime,CO(GT),meter\n16/12/2006 17:24:00,2.6,m1\n16/12/2006 17:25:00,NA,m1\n"}});
  CHECK(tried.proposal.format == "csv");
  CHECK(tried.proposal.options.at("csv.header") == "true");
  CHECK(tried.proposal.options.at("csv.null") == "NA");
  CHECK(tried.proposal.options.at("field.co_gt") == "CO(GT)");
  CHECK(tried.proposal.options.at("timestamp.format.Datetime") == "dd/MM/yyyy HH:mm:ss");
  CHECK(tried.shown.good == 2);
  CHECK(tried.shown.dead == 0);
}

TEST_CASE("CSV without a header is named by place") {
  const auto tried = try_out({{"a/b", "m1;1767225600000;2,5;7\n"}, {"a/b", "m2;1767225601000;3,5;8\n"}});
  CHECK(tried.proposal.options.at("csv.delimiter") == ";");
  CHECK(tried.shown.good == 2);
}

TEST_CASE("line protocol: tags, and the unit of its times") {
  const auto tried = try_out({{"",
                               "air,host=h1,room=r2 temp=21.5,count=3i,ok=t 1767225600000\n"
                               "air,host=h2,room=r2 temp=22.5,count=4i,ok=f 1767225601000\n"}});
  CHECK(tried.proposal.format == "influx");
  CHECK(tried.proposal.options.at("timestamp.precision") == "ms");
  CHECK(tried.shown.good == 2);
  CHECK(tried.shown.dead == 0);
  CHECK(tried.shown.rows[0].find(R"("host":"h1","time":"2026-01-01T00:00:00.000Z")") != std::string::npos);
  CHECK(tried.shown.rows[0].find(R"("room":"r2")") != std::string::npos);
}

TEST_CASE("SenML packs") {
  const auto tried =
      try_out({{"", R"([{"bn":"urn:dev:mac:01/","bt":1767225600,"n":"temp","u":"Cel","v":21.5},{"n":"hum","v":40}])"}});
  CHECK(tried.proposal.format == "senml-json");
  CHECK(columns_text(tried.proposal) ==
        "device STRING NOT NULL, time TIMESTAMP_LTZ(3) NOT NULL, temp DOUBLE, hum DOUBLE");
  REQUIRE(tried.shown.rows.size() == 1);
  CHECK(tried.shown.rows[0] == R"({"device":"urn:dev:mac:01","time":"2026-01-01T00:00:00.000Z","temp":21.5,"hum":40})");
}

TEST_CASE("CBOR maps") {
  const auto tried = try_out({{"", "\xA2\x62id\x62m1\x64temp\xF9\x4D\x60"}});
  CHECK(tried.proposal.format == "cbor");
  CHECK(tried.shown.good == 1);
  CHECK(tried.shown.rows[0].find(R"("temp":21.5)") != std::string::npos);
}

TEST_CASE("byte strings of CBOR are BYTES") {
  const auto tried = try_out({{"", "\xA2\x62id\x62m1\x61r\x43\x01\x02\x03"}});
  CHECK(columns_text(tried.proposal) == "id STRING NOT NULL, time TIMESTAMP_LTZ(3) NOT NULL, r BYTES");
  CHECK(tried.shown.good == 1);
}

TEST_CASE("presets are recognised") {
  const auto tried =
      try_out({{"application/1/device/0102/event/up",
                R"({"deviceInfo":{"devEui":"0102","deviceName":"d"},"time":"2026-01-01T00:00:00Z","fCnt":5,)"
                R"("object":{"temp":21.5}})"}});
  CHECK(tried.proposal.options.at("preset") == "chirpstack");
  CHECK(tried.shown.rows.at(0) ==
        R"({"device":"0102","time":"2026-01-01T00:00:00.000Z","device_name":"d","f_cnt":5,"temp":21.5})");
  const auto zigbee = try_out({{"zigbee2mqtt/lamp", R"({"brightness":12.5,"state":"ON"})"}});
  CHECK(zigbee.proposal.options.at("preset") == "zigbee2mqtt");
  CHECK(zigbee.shown.rows.at(0) ==
        R"({"device":"lamp","time":"2026-01-01T00:00:00.000Z","brightness":12.5,"state":"ON"})");
}

TEST_CASE("mixed kinds are said, and the rarer become dead letters in the preview") {
  const auto tried = try_out(
      {{"", R"({"id":"a","v":1.5})"}, {"", R"({"id":"a","v":2.5})"}, {"", R"({"id":"a","v":"bad"})"}, {"", "{broken"}});
  CHECK(tried.shown.good == 2);
  REQUIRE(tried.shown.dead == 2);
  CHECK(tried.shown.dead_letters[0].sample == 2);
  CHECK(tried.shown.dead_letters[0].reason.find("bad") != std::string::npos);
  REQUIRE(tried.proposal.columns.size() == 3);
  CHECK_FALSE(tried.proposal.columns[2].sure);
}

TEST_CASE("names that differ in case only, are odd, or are the same in two places stay apart") {
  const auto tried = try_out({{"", R"({"Temp":1.5,"temp":2.5,"a b":3.5,"x":{"temp":4.5},"it's":5.5})"}});
  CHECK(tried.shown.rows.at(0) ==
        R"-({"device":"(sender)","time":"2026-01-01T00:00:00.000Z","Temp":1.5,"temp_2":2.5,"a_b":3.5,)-"
        R"-("temp_3":4.5,"it_s":5.5})-");
}

TEST_CASE("a number as device and a word as time fill columns of their own") {
  const auto tried = try_out(
      {{"a/b/d1", R"({"device":17,"Time":"noon","v":1.5})"}, {"a/b/d2", R"({"device":18,"Time":"six","v":2.5})"}});
  CHECK(tried.shown.dead == 0);
  CHECK(tried.shown.rows.at(1) ==
        R"({"device_2":"d2","time_2":"2026-01-01T00:00:00.000Z","device":18,"Time":"six","v":2.5})");
}

TEST_CASE("lines that begin with a number are no JSON") {
  CHECK(try_out({{"", "1422748800000,21.5,3\n1422748801000,22.5,4\n"}}).proposal.format == "csv");
  CHECK_FALSE(propose(std::vector<Sample>{{"", "1422748800000,{\"a\":[1,2]}\n1422748801000,{\"a\":[1]}\n"}}));
}

TEST_CASE("names that a terminal would obey are left out; a topic's become a wildcard") {
  const auto tried = try_out({{"a/\x1b[2J/d", "{\"v\":1.5,\"\\u001b[2J\":2.5,\"\\u009b2J\":3.5}"}});
  CHECK(columns_text(tried.proposal) == "device STRING NOT NULL, time TIMESTAMP_LTZ(3) NOT NULL, v DOUBLE");
  CHECK(tried.proposal.options.at("mqtt.topic") == "a/+/d");
  CHECK(tried.proposal.notes.at(0).starts_with("2 values are left out"));
  CHECK_FALSE(propose(std::vector<Sample>{{"", "m,\x1b=1 v=1\nm,\xff=1 v=2\nno line\nno line\nno line\n"}}));
}

TEST_CASE("texts live on when several formats are weighed") {
  const auto tried =
      try_out({{"", R"([{"bn":"a/","bt":1767225600,"n":"t","v":1}])"}, {"", "[{\"n\":\"t\xff\",\"v\":1}]"}});
  CHECK(tried.shown.dead == 1);
}

TEST_CASE("garbage is refused with what it looks like") {
  for (const char* garbage : {"", "\x01\x02\x03\xFF", "hello world", "<xml/>", "{", "[]", "\n\n"}) {
    const auto refused = propose(std::vector<Sample>{{"", garbage}});
    CAPTURE(garbage);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::BadRequest);
    CHECK(refused.error().message.find("begins with") != std::string::npos);
  }
  CHECK_FALSE(propose({}));
}

}  // namespace
}  // namespace tidegate::codec
