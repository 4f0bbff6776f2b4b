// The broker's stored records (docs/formats/mqtt.md): keys "r/topic", "s/client", "q/client" + 0 + sequence.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "net/internal/mqtt_session.h"

namespace tidegate::net {

inline constexpr uint8_t kSessionRecordVersion = 1;

inline std::string retained_key(std::string_view topic) { return "r/" + std::string(topic); }
inline std::string session_key(std::string_view client_id) { return "s/" + std::string(client_id); }
// The zero byte cannot occur in a client id; the sequence is big-endian so that keys sort by it.
inline std::string queued_key(std::string_view client_id, uint64_t sequence) {
  std::string key = "q/" + std::string(client_id);
  key.push_back('\0');
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(sequence >> shift));
  return key;
}

inline void put_message(std::string& out, const MqttMessage& message) {
  ByteWriter writer(out);
  writer.fixed(static_cast<uint8_t>(message.qos | (message.retain ? 4 : 0)));
  writer.fixed(message.expires_at_us);
  writer.text(message.topic);
  writer.text(message.properties);
  writer.text(message.payload);
}

inline std::optional<MqttMessagePtr> read_message(std::string_view bytes) {
  ByteReader reader(bytes);
  auto message = std::make_shared<MqttMessage>();
  const auto flags = reader.fixed<uint8_t>();
  message->qos = flags & 3;
  message->retain = (flags & 4) != 0;
  message->expires_at_us = reader.fixed<int64_t>();
  message->topic = reader.text();
  message->properties = reader.text();
  message->payload = reader.text();
  if (!reader.finished()) return std::nullopt;
  return message;
}

}  // namespace tidegate::net
