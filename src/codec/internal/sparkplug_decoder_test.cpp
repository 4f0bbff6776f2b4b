#include <doctest/doctest.h>

#include <bit>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

using columnar::TypeKind;

// A message of Protocol Buffers under construction.
struct Message {
  std::string bytes;

  void raw_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
  }
  Message& varint(uint32_t field, uint64_t value) {
    raw_varint(field << 3);
    raw_varint(value);
    return *this;
  }
  Message& text(uint32_t field, std::string_view value) {
    raw_varint(field << 3 | 2);
    raw_varint(value.size());
    bytes += value;
    return *this;
  }
  Message& fixed(uint32_t field, uint64_t value, size_t size) {
    raw_varint(field << 3 | (size == 8 ? 1 : 5));
    for (size_t at = 0; at < size; ++at, value >>= 8) bytes += static_cast<char>(value & 0xFF);
    return *this;
  }
  Message& add(const Message& metric) { return text(2, metric.bytes); }
};

Message metric(std::string_view name, uint64_t alias, uint32_t type) {
  return Message().text(1, name).varint(2, alias).varint(4, type);
}
Message alias(uint64_t number) { return Message().varint(2, number); }
Message at(uint64_t time_ms) { return Message().varint(1, time_ms); }
Message real(Message of, double value) { return of.fixed(13, std::bit_cast<uint64_t>(value), 8); }

constexpr uint64_t kTime = 1'700'000'000'000;

struct Plant : DecoderFixture {
  explicit Plant(const char* layout = "columns")
      : DecoderFixture({{"format", "sparkplug"}, {"metrics", layout}, {"field.temp", "Inputs/Temp 1"}},
                       {{"device", TypeKind::kString, true},
                        {"ts", TypeKind::kTimestampLtz, true},
                        {"temp", TypeKind::kDouble, true},
                        {"level", TypeKind::kInt, true},
                        {"run", TypeKind::kBoolean, true}}) {
    rules.arrival_us = 42'000'000;
  }
  std::string send(std::string_view type, std::string_view device, const Message& message) {
    topic = "spBv1.0/plant/" + std::string(type) + "/edge" + (device.empty() ? "" : "/") + std::string(device);
    return decode(message.bytes);
  }
};

std::string row(std::string_view device, std::string_view time, std::string_view temp, std::string_view level,
                std::string_view run) {
  std::string out = R"({"device":")";
  ((out += device) += R"(","ts":")") += time;
  ((out += R"(","temp":)") += temp) += ",\"level\":";
  ((out += level) += ",\"run\":") += run;
  return out + "}\n";
}

TEST_CASE("births name the metrics that data messages call by number") {
  Plant plant;
  const Message birth = at(kTime)
                            .add(real(metric("Inputs/Temp 1", 1, 10), 20.5))
                            .add(metric("level", 2, 3).varint(10, 0xFFFFFFFB))
                            .add(metric("other", 3, 12).text(15, "x"))
                            .varint(3, 0);
  CHECK(plant.send("DBIRTH", "pump", birth) ==
        row("plant/edge/pump", "2023-11-14T22:13:20.000Z", "20.5", "-5", "null"));
  CHECK(plant.last.unknown_keys == 1);
  const Message data = at(kTime + 1000).add(alias(2).varint(10, 7)).add(real(alias(1), 21));
  CHECK(plant.send("DDATA", "pump", data) == row("plant/edge/pump", "2023-11-14T22:13:21.000Z", "21", "7", "null"));
  CHECK(plant.send("NDATA", "", at(kTime).add(Message().text(1, "run").varint(4, 11).varint(14, 1))) ==
        row("plant/edge", "2023-11-14T22:13:20.000Z", "null", "null", "true"));
  // A type that only the birth has said, of a metric called by its name.
  CHECK(plant.send("DDATA", "pump", at(kTime).add(Message().text(1, "level").varint(10, 0xFFFFFFFF)))
            .find("\"level\":-1") != std::string::npos);
}

TEST_CASE("what no birth has named is one dead letter, and the rest counts") {
  Plant plant;
  CHECK(plant.send("DDATA", "pump",
                   at(kTime).add(alias(9)).add(alias(8)).add(real(Message().text(1, "Inputs/Temp 1"), 5))) ==
        row("plant/edge/pump", "2023-11-14T22:13:20.000Z", "5", "null", "null"));
  CHECK(plant.misfits.reasons == std::vector<std::string>{"2 metrics of 'plant/edge/pump' have an alias that no birth "
                                                          "has named (9 is the first); ask the edge node for a "
                                                          "rebirth (Node Control/Rebirth)"});
  CHECK(plant.misfits.records.front().starts_with("hex:0880"));
  // A birth of the node forgets what was; so does its death.
  plant.send("DBIRTH", "pump", at(kTime).add(real(metric("Inputs/Temp 1", 1, 10), 1)));
  CHECK(plant.send("DDATA", "pump", at(kTime).add(real(alias(1), 2))).find("\"temp\":2") != std::string::npos);
  plant.send("NDEATH", "", Message());
  plant.send("DDATA", "pump", at(kTime).add(real(alias(1), 2)));
  CHECK(plant.last.good == 0);
  plant.send("DBIRTH", "pump", at(kTime).add(real(metric("Inputs/Temp 1", 1, 10), 1)));
  plant.send("NBIRTH", "", at(kTime));
  plant.send("DDATA", "pump", at(kTime).add(real(alias(1), 2)));
  CHECK(plant.last.misfits == 1);
}

TEST_CASE("decoders of other threads know the births too") {
  Plant plant;
  plant.send("DBIRTH", "pump", at(kTime).add(real(metric("Inputs/Temp 1", 1, 10), 1)));
  plant.decoder = make_decoder(plant.format, {plant.schema, 0, &plant.devices, plant.time, kMaxRecordBytes});
  CHECK(plant.send("DDATA", "pump", at(kTime).add(real(alias(1), 2))).find("\"temp\":2") != std::string::npos);
}

TEST_CASE("metrics with times of their own are rows of their own; nulls and odd types") {
  Plant plant;
  const auto timed = [](Message one, uint64_t time_ms) { return one.varint(3, time_ms); };
  CHECK(plant.send("NDATA", "",
                   at(kTime)
                       .add(timed(real(Message().text(1, "Inputs/Temp 1"), 2), kTime + 2000))
                       .add(timed(real(Message().text(1, "Inputs/Temp 1"), 1), kTime + 1000))
                       .add(timed(Message().text(1, "level").varint(10, 3), kTime + 1000))) ==
        row("plant/edge", "2023-11-14T22:13:21.000Z", "1", "3", "null") +
            row("plant/edge", "2023-11-14T22:13:22.000Z", "2", "null", "null"));
  CHECK(plant.send("NDATA", "", at(kTime).add(Message().text(1, "level").varint(7, 1))).find("\"level\":null") !=
        std::string::npos);
  CHECK(plant.send("NDATA", "", Message().add(Message().text(1, "level").varint(10, 1)))
            .find("1970-01-01T00:00:42.000Z") != std::string::npos);
  plant.send("NDATA", "", at(kTime).add(Message().text(1, "level").text(17, "")));
  CHECK(plant.misfits.reasons == std::vector<std::string>{"column 'level' expects INT, but a DataSet came"});
  plant.send("NDATA", "", at(UINT64_MAX).add(Message().text(1, "level").varint(10, 1)));
  CHECK(plant.last.misfits == 1);
}

TEST_CASE("each metric can be a row, and deaths are rows for those who ask") {
  Plant rows("rows");
  CHECK(rows.send("NDATA", "", at(kTime).add(real(Message().text(1, "a"), 1))).empty());
  DecoderFixture status({{"format", "sparkplug"}, {"field.unit", "device_id"}, {"metrics", "rows"}},
                        {{"unit", TypeKind::kString, true},
                         {"ts", TypeKind::kTimestampLtz, true},
                         {"online", TypeKind::kBoolean, true},
                         {"group_id", TypeKind::kString, true},
                         {"metric", TypeKind::kString, true},
                         {"value", TypeKind::kDouble, true},
                         {"text", TypeKind::kString, true}});
  status.topic = "spBv1.0/plant/DDATA/edge/pump";
  CHECK(status.decode(at(kTime).add(real(Message().text(1, "a"), 1)).add(Message().text(1, "b").text(15, "x")).bytes) ==
        R"({"unit":"pump","ts":"2023-11-14T22:13:20.000Z","online":true,"group_id":"plant","metric":"a",)"
        R"("value":1,"text":null})"
        "\n"
        R"({"unit":"pump","ts":"2023-11-14T22:13:20.000Z","online":true,"group_id":"plant","metric":"b",)"
        R"("value":null,"text":"x"})"
        "\n");
  status.topic = "spBv1.0/plant/DDEATH/edge/pump";
  CHECK(status.decode(at(kTime).bytes) ==
        R"({"unit":"pump","ts":"2023-11-14T22:13:20.000Z","online":false,"group_id":"plant","metric":null,)"
        R"("value":null,"text":null})"
        "\n");
  Plant plant;
  CHECK(plant.send("DDEATH", "pump", at(kTime)).empty());
  CHECK(plant.last.misfits == 0);
}

TEST_CASE("topics and payloads that are not Sparkplug's") {
  Plant plant;
  for (const char* topic : {"spBv1.0/STATE/host", "spBv1.0/plant/NCMD/edge", "spBv1.0/plant/DCMD/edge/pump"}) {
    plant.topic = topic;
    CHECK(plant.decode("anything").empty());
    CHECK(plant.last.misfits == 0);
  }
  for (const char* topic :
       {"", "a/b", "spBv1.0/plant/DDATA/edge", "spBv1.0/plant/NDATA/edge/pump", "spBv1.0/plant/XDATA/edge"}) {
    plant.topic = topic;
    CHECK(plant.reason(at(kTime).bytes).starts_with("a topic spBv1.0/GROUP/TYPE/NODE[/DEVICE] expected, but"));
  }
  plant.topic = "spBv1.0/plant/NDATA/edge";
  CHECK(plant.reason("\xFF\xFF") == "not a Sparkplug B payload: it is no protobuf message");
  CHECK(plant.reason("{\"json\":1}").starts_with("not a Sparkplug B payload"));
  CHECK(plant.reason(Message().text(2, "\x0A\x7F").bytes) == "not a Sparkplug B payload: metric 1 cannot be read");
  CHECK(plant.reason(Message().text(4, "SPBV1.0_COMPRESSED").bytes).starts_with("a compressed Sparkplug B payload"));
}

}  // namespace
}  // namespace tidegate::codec
