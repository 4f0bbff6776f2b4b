#include "codec/topic_pattern.h"

#include <doctest/doctest.h>

#include "codec/internal/decoder_fixture.h"

namespace tidegate::codec {
namespace {

TEST_CASE("a pattern is a filter whose levels have names") {
  const auto pattern = TopicPattern::parse("plant/{area}/+/{device}/#");
  REQUIRE(pattern.has_value());
  CHECK(pattern->filter() == "plant/+/+/+/#");
  REQUIRE(pattern->captures().size() == 2);
  CHECK(pattern->captures()[1].level == 3);
  CHECK(pattern->captures()[1].name == "device");
  CHECK(TopicPattern::parse("a/b")->captures().empty());
  CHECK(TopicPattern::parse("/")->filter() == "/");
  for (const char* bad : {"", "a/{b", "a/x{b}", "{}", "{a{b}}", "{+}", "a/#/b", "a+/b", "{a}{b}"}) {
    CHECK_FALSE(TopicPattern::parse(bad).has_value());
  }
}

TEST_CASE("levels of a topic") {
  CHECK(topic_level("a/b//d", 0) == "a");
  CHECK(topic_level("a/b//d", 2) == "");
  CHECK(topic_level("a/b//d", 3) == "d");
  CHECK(topic_level("a/b//d", 4) == "");
  CHECK(topic_level("", 0) == "");
}

TEST_CASE("captures name columns") {
  const DecoderFixture good({{"mqtt.topic", "p/{note}/{device}"}});
  REQUIRE(good.format.topic_columns.size() == 2);
  CHECK(good.format.topic_columns[0].column == 6);
  CHECK(good.format.topic_columns[1].column == 0);
  CHECK(DecoderFixture({{"mqtt.topic", "p/{line}"}}).refused == "mqtt.topic: unknown column 'line' for 'mqtt.topic'");
  CHECK(DecoderFixture({{"mqtt.topic", "p/{value}"}}).refused.starts_with("mqtt.topic: "));
  CHECK(DecoderFixture({{"mqtt.topic", "p/{note}/{note}"}}).refused.starts_with("mqtt.topic: "));
  CHECK(DecoderFixture({{"topic", "p/x{note}"}}).refused.starts_with("topic: "));
  CHECK(DecoderFixture({{"topic", "p/{line}"}, {"connector", "mqtt"}}).refused.empty());
}

// What a record becomes when the topic says "x" is the note and "m7" the device.
struct Topic : DecoderFixture {
  Topic() : DecoderFixture({{"mqtt.topic", "p/{note}/{device}"}}) {
    values = {{6, "x", {}}, {0, "m7", devices.intern("m7")}};
    rules.from_topic = values;
  }
  std::vector<TopicValue> values;
};

TEST_CASE("what the topic says fills columns that the payload leaves out, in the quick way of reading too") {
  Topic topic;
  for (int round = 0; round < 3; ++round) {
    const std::string rows = topic.decode(R"({"value":1})");
    CHECK(rows.starts_with(R"({"device":"m7","ts":null,"value":1,)"));
    CHECK(rows.find(R"("note":"x")") != std::string::npos);
    CHECK(topic.decode(R"({"value":1,"note":null,"device":null})") == rows);
    CHECK(topic.decode(R"({"value":1,"note":"x","device":"m7"})") == rows);
  }
}

TEST_CASE("a payload that contradicts its topic is a misfit, and the sender decides who may be named") {
  Topic topic;
  for (int round = 0; round < 3; ++round) {
    CHECK(topic.reason(R"({"note":"y"})") == "column 'note': the topic says 'x', the record 'y'");
    CHECK(topic.misfits.codes.front() == 4011);
    CHECK(topic.reason(R"({"device":"m8"})") == "column 'device': the topic says 'm7', the record 'm8'");
    CHECK(topic.misfits.codes.front() == 4011);
  }
  topic.rules.only_device = topic.rules.default_device = topic.devices.intern("m1");
  CHECK(topic.reason(R"({"value":1})") ==
        "the topic says it is from device 'm7', but 'm1' sent it, which may send only its own");
  CHECK(topic.misfits.codes.front() == 7002);
  CHECK(topic.reason(R"({"device":"m1"})").starts_with("the topic says it is from device 'm7', but 'm1' sent it"));
  CHECK(topic.reason(R"({"device":"m7"})").starts_with("the record says it is from device 'm7', but 'm1' sent it"));
  topic.rules.only_device = topic.rules.default_device = topic.devices.intern("m7");
  CHECK(topic.decode(R"({"value":1})").starts_with(R"({"device":"m7")"));
}

}  // namespace
}  // namespace tidegate::codec
