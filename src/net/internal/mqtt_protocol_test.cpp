// The server's side of connections, table and script driven, without sockets.
#include "net/internal/mqtt_protocol.h"

#include <doctest/doctest.h>

#include <map>

#include "net/internal/mqtt_fakes.h"

namespace tidegate::net {
namespace {

struct Wakes final : MqttMailbox {
  void wake(uint64_t connection) override { woken.push_back(connection); }
  void take_over(uint64_t connection) override { taken_over.push_back(connection); }
  std::vector<uint64_t> woken;
  std::vector<uint64_t> taken_over;
};

// One broker thread without sockets; packets go in as bytes and come out as text.
struct Bench {
  explicit Bench(MqttBrokerOptions options = {}, MqttPersistence* persistence = nullptr)
      : core(options, handler, persistence, clock, random), lane(handler.open_lane()) {
    if (persistence != nullptr) REQUIRE(core.load(*persistence));
  }
  ~Bench() {
    for (auto& [id, link] : links) link->closed();
  }

  MqttProtocol& open(uint64_t id) {
    return *links.insert_or_assign(id, std::make_unique<MqttProtocol>(thread, id, std::nullopt)).first->second;
  }
  // CONNECT, expecting success.
  MqttProtocol& connect(uint64_t id, const std::string& client_id, MqttVersion version = MqttVersion::kV5,
                        bool clean = true, uint32_t expiry_s = 0) {
    MqttConnect connect;
    connect.version = version;
    connect.client_id = client_id;
    connect.clean_start = clean;
    connect.username = client_id;
    if (expiry_s > 0) connect.properties.set_number(MqttProperty::kSessionExpiry, expiry_s);
    std::string bytes;
    write_connect(bytes, connect);
    MqttProtocol& link = open(id);
    give(link, bytes);
    REQUIRE(link.authenticated());
    return link;
  }
  void give(MqttProtocol& link, std::string bytes) {
    const size_t size = bytes.size();
    bytes.append(64, '\0');
    size_t needed = 0;
    link.read(std::string_view(bytes).substr(0, size), needed);
  }
  void publish(MqttProtocol& link, MqttVersion version, std::string_view topic, std::string_view payload, uint8_t qos,
               uint16_t packet_id = 0, bool retain = false) {
    MqttPublish packet;
    packet.topic = topic;
    packet.payload = payload;
    packet.qos = qos;
    packet.packet_id = packet_id;
    packet.retain = retain;
    std::string bytes;
    write_publish(bytes, version, packet);
    give(link, bytes);
  }
  void subscribe(MqttProtocol& link, MqttVersion version, std::string_view filter, uint8_t qos, bool no_local = false) {
    MqttSubscribe packet;
    packet.packet_id = 77;
    MqttSubscription wanted;
    wanted.filter = filter;
    wanted.qos = qos;
    wanted.no_local = no_local;
    packet.subscriptions.push_back(wanted);
    std::string bytes;
    write_subscribe(bytes, version, packet);
    give(link, bytes);
  }
  void ack(MqttProtocol& link, MqttPacketType type, uint16_t packet_id) {
    std::string bytes;
    write_ack(bytes, MqttVersion::kV5, type, packet_id, MqttReason::kSuccess);
    give(link, bytes);
  }
  void settle(bool ok) {
    const uint64_t round = thread.acks.seal(1);
    thread.acks.done(round, ok);
    thread.acks.take_ready([&](const MqttPendingAck& pending, bool durable) {
      if (pending.session && !pending.repeated) pending.session->settle_inbound(pending.packet_id, durable);
      if (links.contains(pending.connection)) links[pending.connection]->settle(pending, durable);
    });
  }
  void drop(uint64_t id) {
    links[id]->closed();
    links.erase(id);
  }
  // The packets in the output, "PUBLISH a/b=x q1 #1" or "4 #7 r0" (type, packet id, reason).
  std::vector<std::string> out(MqttProtocol& link, MqttVersion version = MqttVersion::kV5) {
    link.pump();
    std::vector<std::string> packets;
    std::string bytes;
    bytes.swap(link.output());
    std::string_view rest = bytes;
    MqttFrame frame;
    while (read_frame(rest, kMaxRemainingLength, frame) == MqttFrameStatus::kComplete) {
      packets.push_back(describe(frame, version));
      rest.remove_prefix(frame.size);
    }
    CHECK(rest.empty());
    return packets;
  }
  static std::string describe(const MqttFrame& frame, MqttVersion version) {
    const auto number = [](auto value) { return std::to_string(static_cast<int>(value)); };
    if (frame.type == MqttPacketType::kPublish) {
      MqttPublish packet;
      CHECK(parse_publish(frame, version, {}, packet) == MqttReason::kSuccess);
      return "PUBLISH " + std::string(packet.topic) + "=" + std::string(packet.payload) + " q" + number(packet.qos) +
             (packet.retain ? " retained" : "") + (packet.duplicate ? " dup" : "");
    }
    if (frame.type >= MqttPacketType::kPuback && frame.type <= MqttPacketType::kPubcomp) {
      MqttAck packet;
      CHECK(parse_ack(frame, version, packet) == MqttReason::kSuccess);
      return number(frame.type) + " #" + number(packet.packet_id) + " r" + number(packet.reason);
    }
    if (frame.type == MqttPacketType::kDisconnect) {
      MqttReasonPacket packet;
      CHECK(parse_reason_packet(frame, version, packet) == MqttReason::kSuccess);
      return "DISCONNECT " + number(packet.reason);
    }
    if (frame.type == MqttPacketType::kConnack) {
      MqttConnack packet;
      CHECK(parse_connack(frame, version, packet) == MqttReason::kSuccess);
      return "CONNACK " + number(packet.session_present) + " " + number(packet.code);
    }
    return "type " + number(frame.type);
  }

  FakeMqttHandler handler;
  io::ManualClock clock{1'700'000'000'000'000};
  io::SeededRandom random{1};
  MqttCore core;
  std::unique_ptr<MqttLane> lane;
  Wakes wakes;
  MqttThread thread{core, *lane, wakes, {}, {}, {}, {}, {}, 0, 0};
  std::map<uint64_t, std::unique_ptr<MqttProtocol>> links;
};

using Packets = std::vector<std::string>;
constexpr auto kV5 = MqttVersion::kV5;
constexpr auto kV311 = MqttVersion::kV311;

}  // namespace

TEST_CASE("acknowledgements wait for durability and say when it failed") {
  Bench bench;
  MqttProtocol& link = bench.connect(1, "a");
  CHECK(bench.out(link) == Packets{"CONNACK 0 0"});
  bench.publish(link, kV5, "t", "x", 1, 5);
  bench.publish(link, kV5, "t", "y", 2, 6);
  CHECK(bench.out(link).empty());
  bench.settle(true);
  CHECK(bench.out(link) == Packets{"4 #5 r0", "5 #6 r0"});
  bench.publish(link, kV5, "t", "z", 1, 7);
  bench.settle(false);
  CHECK(bench.out(link) == Packets{"4 #7 r151"});

  MqttProtocol& old = bench.connect(2, "b", kV311);
  bench.out(old, kV311);
  bench.publish(old, kV311, "t", "z", 1, 7);
  bench.settle(false);
  CHECK(bench.out(old, kV311).empty());
  CHECK(old.closing());
}

TEST_CASE("a QoS 2 publication that comes again is taken once until PUBREL") {
  Bench bench;
  MqttProtocol& link = bench.connect(1, "a");
  bench.out(link);
  bench.publish(link, kV5, "t", "x", 2, 9);
  bench.publish(link, kV5, "t", "x", 2, 9);
  bench.settle(true);
  CHECK(bench.out(link) == Packets{"5 #9 r0", "5 #9 r0"});
  CHECK(bench.handler.platform.state.lock()->published == Packets{"t=x"});
  bench.ack(link, MqttPacketType::kPubrel, 9);
  CHECK(bench.out(link) == Packets{"7 #9 r0"});
  bench.publish(link, kV5, "t", "x", 2, 9);
  CHECK(bench.handler.platform.state.lock()->published.size() == 2);
}

TEST_CASE("over its quota a client is told in 5.0, loses QoS 0, and waits in 3.1.1") {
  Bench bench;
  auto& platform = bench.handler.platform;
  MqttProtocol& link = bench.connect(1, "a");
  bench.out(link);
  platform.state.lock()->over_quota_us = 5'000'000;
  for (uint8_t qos = 0; qos < 3; ++qos) bench.publish(link, kV5, "t", "x", qos, qos);
  bench.settle(true);
  CHECK(bench.out(link) == Packets{"4 #1 r151", "5 #2 r151"});

  MqttProtocol& old = bench.connect(2, "b", kV311);
  bench.out(old, kV311);
  bench.publish(old, kV311, "t", "lost", 0);
  CHECK(old.held_us() == 0);
  for (uint8_t qos = 1; qos < 3; ++qos) {
    platform.state.lock()->over_quota_us = 5'000'000;
    std::string bytes;
    MqttPublish packet;
    packet.topic = "t";
    packet.qos = qos;
    for (const std::string payload : {"first", "second"}) {
      packet.payload = payload;
      packet.packet_id = static_cast<uint16_t>(bytes.size() + 1);
      write_publish(bytes, kV311, packet);
    }
    const size_t size = bytes.size();
    bytes.append(64, '\0');
    const std::string_view whole = std::string_view(bytes).substr(0, size);
    size_t needed = 0;
    CHECK(old.read(whole, needed) == 0);
    CHECK(needed == size / 2);
    CHECK(old.held_us() == kLongestHoldUs);
    platform.state.lock()->over_quota_us = 0;
    CHECK(old.read(whole, needed) == size);
    CHECK(old.held_us() == 0);
    bench.settle(true);
    CHECK(bench.out(old, kV311).size() == 2);
  }
  CHECK_FALSE(old.closing());
  CHECK(platform.state.lock()->published == Packets{"t=first", "t=second", "t=first", "t=second"});
}

TEST_CASE("refusals carry a reason in 5.0 and close in 3.1.1") {
  Bench bench;
  MqttProtocol& link = bench.connect(1, "a");
  bench.out(link);
  bench.publish(link, kV5, "secret/x", "x", 1, 1);
  bench.publish(link, kV5, "refused", "x", 1, 2);
  bench.publish(link, kV5, "$SYS/x", "x", 1, 3);
  bench.settle(true);
  CHECK(bench.out(link) == Packets{"4 #1 r135", "4 #2 r153", "4 #3 r135"});
  MqttProtocol& old = bench.connect(2, "b", kV311);
  bench.publish(old, kV311, "secret/x", "x", 1, 1);
  CHECK(old.closing());
}

TEST_CASE("a huge packet is refused from its fixed header") {
  Bench bench;
  MqttProtocol& link = bench.connect(1, "a");
  bench.out(link);
  std::string header = "\x30";
  for (size_t left = 300'000'000 & 0xFFFFFFF, i = 0; i < 4; ++i, left >>= 7) {
    header.push_back(static_cast<char>((left & 0x7F) | (i < 3 ? 0x80 : 0)));
  }
  bench.give(link, header);
  CHECK(bench.out(link) == Packets{"DISCONNECT 149"});
  CHECK(link.closing());
}

TEST_CASE("wildcards, no local, retained, shared and hidden topics") {
  Bench bench;
  MqttProtocol& a = bench.connect(1, "a");
  MqttProtocol& b = bench.connect(2, "b");
  bench.subscribe(a, kV5, "s/+/t", 1);
  bench.subscribe(a, kV5, "x/#", 0, true);
  bench.subscribe(b, kV5, "$share/g/w", 1);
  bench.subscribe(a, kV5, "$share/g/w", 1);
  bench.out(a);
  bench.out(b);
  bench.publish(b, kV5, "s/1/t", "m", 2, 1);
  bench.publish(b, kV5, "s/1/u", "m", 0);
  bench.publish(a, kV5, "x", "own", 0);
  bench.publish(b, kV5, "x/hidden", "m", 0);
  bench.publish(b, kV5, "x", "m", 0);
  CHECK(bench.out(a) == Packets{"PUBLISH s/1/t=m q1", "PUBLISH x=m q0"});
  bench.publish(b, kV5, "w", "1", 0);
  bench.publish(b, kV5, "w", "2", 0);
  CHECK(bench.out(a).size() + bench.out(b).size() == 2);
  bench.publish(b, kV5, "keep/1", "k", 1, 4, true);
  bench.subscribe(a, kV5, "keep/#", 1);
  CHECK(bench.out(a) == Packets{"type 9", "PUBLISH keep/1=k q1 retained"});
}

TEST_CASE("a session resumes with what was queued and resends what was not acknowledged") {
  Bench bench;
  MqttProtocol& first = bench.connect(1, "a", kV5, true, 3600);
  bench.subscribe(first, kV5, "t", 1);
  bench.out(first);
  MqttProtocol& other = bench.connect(2, "b");
  bench.publish(other, kV5, "t", "1", 1, 1);
  CHECK(bench.out(first) == Packets{"PUBLISH t=1 q1"});
  bench.drop(1);
  bench.publish(other, kV5, "t", "2", 1, 2);
  bench.publish(other, kV5, "t", "3", 0);
  MqttProtocol& second = bench.connect(3, "a", kV5, false, 3600);
  CHECK(bench.out(second) == Packets{"CONNACK 1 0", "PUBLISH t=1 q1 dup", "PUBLISH t=2 q1"});
  bench.drop(3);
  bench.clock.advance_us(3'601'000'000);
  bench.core.expire_sessions();
  CHECK(bench.out(bench.connect(4, "a", kV5, false)) == Packets{"CONNACK 0 0"});
}

TEST_CASE("sessions and retained messages survive a restart") {
  MemoryMqttPersistence persistence;
  {
    Bench bench({}, &persistence);
    MqttProtocol& a = bench.connect(1, "a", kV5, true, 3600);
    bench.subscribe(a, kV5, "t", 1);
    bench.drop(1);
    MqttProtocol& b = bench.connect(2, "b");
    bench.publish(b, kV5, "t", "1", 1, 1);
    bench.publish(b, kV5, "r", "kept", 1, 2, true);
  }
  CHECK(persistence.size() == 3);
  Bench bench({}, &persistence);
  MqttProtocol& a = bench.connect(1, "a", kV5, false, 3600);
  CHECK(bench.out(a) == Packets{"CONNACK 1 0", "PUBLISH t=1 q1"});
  bench.subscribe(a, kV5, "r", 1);
  CHECK(bench.out(a) == Packets{"type 9", "PUBLISH r=kept q1 retained"});
}

TEST_CASE("a full queue drops the oldest QoS 0 message first") {
  MqttBrokerOptions options;
  options.max_queued_messages = 2;
  Bench bench(options);
  MqttProtocol& a = bench.connect(1, "a");
  bench.subscribe(a, kV5, "t", 1);
  bench.out(a);
  MqttProtocol& b = bench.connect(2, "b");
  bench.publish(b, kV5, "t", "1", 1, 1);
  for (const char* payload : {"2", "3"}) bench.publish(b, kV5, "t", payload, 0);
  CHECK(bench.out(a) == Packets{"PUBLISH t=1 q1", "PUBLISH t=3 q0"});
  CHECK(bench.core.counters().messages_dropped == 1);
}

TEST_CASE("take-over, keep-alive, wills and somebody else's client id") {
  Bench bench;
  MqttProtocol& watcher = bench.connect(1, "w");
  bench.subscribe(watcher, kV5, "gone", 0);
  bench.out(watcher);
  MqttConnect connect;
  connect.client_id = "a";
  connect.username = "a";
  connect.keep_alive_s = 10;
  connect.will.emplace();
  connect.will->topic = "gone";
  connect.will->payload = "a";
  std::string bytes;
  write_connect(bytes, connect);
  MqttProtocol& a = bench.open(2);
  bench.give(a, bytes);
  bench.out(a);
  bench.clock.advance_us(14'000'000);
  a.tick(bench.clock.monotonic_us());
  CHECK(!a.closing());
  bench.clock.advance_us(2'000'000);
  a.tick(bench.clock.monotonic_us());
  CHECK(bench.out(a) == Packets{"DISCONNECT 141"});
  bench.drop(2);
  CHECK(bench.out(watcher) == Packets{"PUBLISH gone=a q0"});

  bench.connect(3, "w2");
  bench.connect(4, "w2");
  CHECK(bench.wakes.taken_over == std::vector<uint64_t>{3});
  connect.client_id = "w2";
  connect.username = "stranger";
  bytes.clear();
  write_connect(bytes, connect);
  MqttProtocol& stranger = bench.open(5);
  bench.give(stranger, bytes);
  CHECK(bench.out(stranger) == Packets{"CONNACK 0 133"});
}

}  // namespace tidegate::net
