#include "net/internal/mqtt_codec.h"

#include <doctest/doctest.h>

#include "io/random.h"
#include "net/internal/mqtt_text.h"

namespace tidegate::net {
namespace {

MqttFrame whole(const std::string& bytes) {
  MqttFrame frame;
  REQUIRE(read_frame(bytes, 1U << 20, frame) == MqttFrameStatus::kComplete);
  REQUIRE(frame.size == bytes.size());
  return frame;
}

}  // namespace

TEST_CASE("packets come back as they were written, in both versions") {
  for (const auto version : {MqttVersion::kV311, MqttVersion::kV5}) {
    const bool v5 = version == MqttVersion::kV5;
    MqttConnect connect;
    connect.version = version;
    connect.client_id = "meter-1";
    connect.keep_alive_s = 30;
    connect.username = "u";
    connect.password = "p";
    connect.will.emplace();
    connect.will->topic = "gone";
    connect.will->payload = "bye";
    connect.will->qos = 1;
    if (v5) connect.properties.set_number(MqttProperty::kSessionExpiry, 60);
    std::string bytes;
    write_connect(bytes, connect);
    MqttConnect read;
    CHECK(parse_connect(whole(bytes), read) == MqttReason::kSuccess);
    CHECK(read.client_id == "meter-1");
    CHECK(read.keep_alive_s == 30);
    CHECK(read.will->payload == "bye");
    CHECK(read.password == "p");
    CHECK(read.properties.number(MqttProperty::kSessionExpiry, 0) == (v5 ? 60 : 0));

    MqttPublish publish;
    publish.topic = "a/b";
    publish.payload = "xyz";
    publish.qos = 2;
    publish.packet_id = 300;
    publish.retain = true;
    if (v5) {
      publish.properties.set_text(MqttProperty::kResponseTopic, "answers");
      publish.properties.add_user_property("k", "v");
    }
    bytes.clear();
    write_publish(bytes, version, publish);
    MqttPublish back;
    CHECK(parse_publish(whole(bytes), version, {}, back) == MqttReason::kSuccess);
    CHECK(back.topic == "a/b");
    CHECK(back.payload == "xyz");
    CHECK(back.packet_id == 300);
    CHECK(back.retain);
    CHECK(back.properties.text(MqttProperty::kResponseTopic) == (v5 ? "answers" : ""));
    CHECK(publish_size(version, publish, {}) == bytes.size());
  }
}

TEST_CASE("malformed packets are refused with their reason") {
  struct Case {
    const char* what;
    std::string bytes;
    MqttReason reason;
  };
  const auto text = [](const char* bytes, size_t size) { return std::string(bytes, size); };
  const Case cases[] = {
      {"QoS 3", text("\x36\x05\x00\x01t\x00\x01", 7), MqttReason::kMalformedPacket},
      {"DUP with QoS 0", text("\x38\x04\x00\x01t\x00", 6), MqttReason::kMalformedPacket},
      {"packet id 0", text("\x32\x06\x00\x01t\x00\x00\x00", 8), MqttReason::kProtocolError},
      {"wildcard in topic", text("\x30\x04\x00\x01+\x00", 6), MqttReason::kTopicNameInvalid},
      {"topic beyond the end", text("\x30\x04\x00\x09t\x00", 6), MqttReason::kMalformedPacket},
      {"no topic, no alias", text("\x30\x03\x00\x00\x00", 5), MqttReason::kProtocolError},
      {"zero in topic", text("\x30\x04\x00\x01\x00\x00", 6), MqttReason::kTopicNameInvalid},
      {"alias 0", text("\x30\x06\x00\x00\x03\x23\x00\x00", 8), MqttReason::kTopicAliasInvalid},
      {"property twice", text("\x30\x08\x00\x01t\x04\x01\x01\x01\x01", 10), MqttReason::kProtocolError},
      {"property of CONNECT", text("\x30\x07\x00\x01t\x03\x21\x00\x05", 9), MqttReason::kProtocolError},
      {"unknown property", text("\x30\x06\x00\x01t\x02\x7e\x01", 8), MqttReason::kMalformedPacket},
      {"length not minimal", text("\x30\x84\x00\x00\x01t\x00", 7), MqttReason::kMalformedPacket},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    MqttFrame frame;
    MqttReason reason = MqttReason::kMalformedPacket;
    if (read_frame(c.bytes, 1U << 20, frame) == MqttFrameStatus::kComplete) {
      MqttPublish publish;
      reason = parse_publish(frame, MqttVersion::kV5, {}, publish);
    }
    CHECK(reason == c.reason);
  }
}

TEST_CASE("random bytes and truncated packets never read beyond their end") {
  io::SeededRandom random(7);
  for (int round = 0; round < 20'000; ++round) {
    const std::string bytes = random.bytes(random.below(40));
    MqttFrame frame;
    if (read_frame(bytes, 1U << 20, frame) != MqttFrameStatus::kComplete) continue;
    for (const auto version : {MqttVersion::kV311, MqttVersion::kV5}) {
      MqttPublish publish;
      MqttConnect connect;
      MqttSubscribe subscribe;
      MqttReasonPacket reason;
      (void)parse_publish(frame, version, {}, publish);
      (void)parse_connect(frame, connect);
      (void)parse_subscribe(frame, version, subscribe);
      (void)parse_reason_packet(frame, version, reason);
    }
  }
}

TEST_CASE("topic filters match as section 4.7 says") {
  struct Case {
    const char* filter;
    const char* topic;
    bool matches;
  };
  for (const Case& c :
       {Case{"a/+/c", "a/b/c", true}, Case{"a/#", "a", true}, Case{"a/#", "a/b/c", true}, Case{"+", "a", true},
        Case{"+", "/a", false}, Case{"/+", "/a", true}, Case{"#", "$SYS/x", false}, Case{"+/x", "$SYS/x", false},
        Case{"$SYS/#", "$SYS/x", true}, Case{"a/+", "a", false}, Case{"a/+", "a/", true}, Case{"a", "a/", false}}) {
    CAPTURE(c.filter);
    CAPTURE(c.topic);
    CHECK(topic_matches(c.filter, c.topic) == c.matches);
  }
  for (const char* bad : {"", "a#", "#/a", "a+/b", "$share//a", "$share/g", "$share/g+/a"}) {
    CAPTURE(bad);
    CHECK(!parse_filter(bad));
  }
  CHECK(!valid_utf8("\xC0\x80"));
  CHECK(!valid_utf8("\xED\xA0\x80"));
  CHECK(valid_utf8("Zähler/Straße/€/😀"));
}

}  // namespace tidegate::net
