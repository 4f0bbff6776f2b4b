// A connection that was accepted, then sends any bytes.
#include <string>

#include "net/internal/mqtt_fakes.h"
#include "net/internal/mqtt_protocol.h"

using namespace tidegate;
using namespace tidegate::net;

namespace {
struct NoMail final : MqttMailbox {
  void wake(uint64_t) override {}
  void take_over(uint64_t) override {}
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FakeMqttHandler handler;
  const io::ManualClock clock(0);
  io::SeededRandom random(1);
  MqttCore core({}, handler, nullptr, clock, random);
  const auto lane = handler.open_lane();
  NoMail mail;
  MqttThread thread{core, *lane, mail, {}, {}, {}, {}, {}, 0, 0};
  MqttProtocol link(thread, 1, std::nullopt);
  std::string bytes;
  MqttConnect connect;
  connect.version = size > 0 && (data[0] & 1) != 0 ? MqttVersion::kV5 : MqttVersion::kV311;
  connect.client_id = "fuzz";
  write_connect(bytes, connect);
  bytes.append(reinterpret_cast<const char*>(data), size);
  const size_t end = bytes.size();
  bytes.append(64, '\0');
  size_t needed = 0;
  link.read(std::string_view(bytes).substr(0, end), needed);
  const uint64_t round = thread.acks.seal(1);
  thread.acks.done(round, true);
  thread.acks.take_ready([&](const MqttPendingAck& ack, bool durable) {
    if (ack.session && !ack.repeated) ack.session->settle_inbound(ack.packet_id, durable);
    link.settle(ack, durable);
  });
  link.pump();
  link.closed();
  return 0;
}
