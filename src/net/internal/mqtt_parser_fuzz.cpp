// Every parser over any bytes; what parses must be writable.
#include <string>

#include "net/internal/mqtt_codec.h"

using namespace tidegate::net;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  MqttFrame frame;
  if (read_frame(bytes, 1U << 20, frame) != MqttFrameStatus::kComplete) return 0;
  for (const auto version : {MqttVersion::kV311, MqttVersion::kV5}) {
    MqttPublish publish;
    MqttConnect connect;
    MqttConnack connack;
    MqttAck ack;
    MqttSubscribe subscribe;
    MqttUnsubscribe unsubscribe;
    MqttSubscribeAnswer answer;
    MqttReasonPacket reason;
    std::string out;
    if (parse_publish(frame, version, {}, publish) == MqttReason::kSuccess) write_publish(out, version, publish);
    if (parse_connect(frame, connect) == MqttReason::kSuccess) write_connect(out, connect);
    (void)parse_connack(frame, version, connack);
    (void)parse_ack(frame, version, ack);
    if (parse_subscribe(frame, version, subscribe) == MqttReason::kSuccess) write_subscribe(out, version, subscribe);
    (void)parse_unsubscribe(frame, version, unsubscribe);
    (void)parse_subscribe_answer(frame, version, answer);
    (void)parse_reason_packet(frame, version, reason);
  }
  return 0;
}
