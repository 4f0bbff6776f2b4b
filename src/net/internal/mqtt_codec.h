// Bytes to packets and back, without sockets or state. Every function checks its bounds; nothing is copied.
#pragma once

#include <string>
#include <string_view>

#include "net/mqtt_packet.h"

namespace tidegate::net {

inline constexpr size_t kMaxRemainingLength = 268'435'455;  // four bytes of seven bits (MQTT 5.0 section 1.5.5)
inline constexpr size_t kMaxUserProperties = 256;           // of one packet; bounds what one packet makes us hold
inline constexpr size_t kMaxFiltersPerPacket = 1'024;       // of one SUBSCRIBE or UNSUBSCRIBE

enum class MqttFrameStatus : uint8_t { kComplete, kIncomplete, kMalformed, kTooLarge };

struct MqttFrame {
  MqttPacketType type = MqttPacketType::kConnect;
  uint8_t flags = 0;
  std::string_view body;
  size_t size = 0;  // of the whole packet; of an incomplete one too once its length is known, else 0
};

// Looks at the first packet of `bytes`. A packet above `max_packet_bytes` is told from its fixed header alone.
[[nodiscard]] MqttFrameStatus read_frame(std::string_view bytes, size_t max_packet_bytes, MqttFrame& frame);

// Each parses frame.body into an empty `out`; kSuccess, or why the packet must be refused (kMalformedPacket,
// kProtocolError, and those named). Views stay valid as long as the frame's bytes.
[[nodiscard]] MqttReason parse_connect(const MqttFrame& frame, MqttConnect& out);  // kUnsupportedVersion
[[nodiscard]] MqttReason parse_connack(const MqttFrame& frame, MqttVersion version, MqttConnack& out);
// A topic equal to `known_topic` is taken as valid: publishers repeat theirs. kTopicNameInvalid.
[[nodiscard]] MqttReason parse_publish(const MqttFrame& frame, MqttVersion version, std::string_view known_topic,
                                       MqttPublish& out);
[[nodiscard]] MqttReason parse_ack(const MqttFrame& frame, MqttVersion version, MqttAck& out);
[[nodiscard]] MqttReason parse_subscribe(const MqttFrame& frame, MqttVersion version, MqttSubscribe& out);
[[nodiscard]] MqttReason parse_unsubscribe(const MqttFrame& frame, MqttVersion version, MqttUnsubscribe& out);
[[nodiscard]] MqttReason parse_subscribe_answer(const MqttFrame& frame, MqttVersion version, MqttSubscribeAnswer& out);
[[nodiscard]] MqttReason parse_reason_packet(const MqttFrame& frame, MqttVersion version, MqttReasonPacket& out);
// PINGREQ and PINGRESP.
[[nodiscard]] MqttReason check_empty(const MqttFrame& frame);

// The properties of a PUBLISH as they are forwarded and stored: without a length before them.
// False if `bytes` is not that.
[[nodiscard]] bool parse_stored_properties(std::string_view bytes, MqttProperties& out);
void write_stored_properties(std::string& out, const MqttProperties& properties);

// Each appends one packet. What 3.1.1 has no place for is left out.
void write_connect(std::string& out, const MqttConnect& packet);
void write_connack(std::string& out, MqttVersion version, const MqttConnack& packet);
void write_publish(std::string& out, MqttVersion version, const MqttPublish& packet);
// The same with properties that write_stored_properties() wrote, and a few that depend on the receiver.
void write_publish(std::string& out, MqttVersion version, const MqttPublish& packet,
                   std::string_view stored_properties);
void write_ack(std::string& out, MqttVersion version, MqttPacketType type, uint16_t packet_id, MqttReason reason);
void write_subscribe(std::string& out, MqttVersion version, const MqttSubscribe& packet);
void write_unsubscribe(std::string& out, MqttVersion version, const MqttUnsubscribe& packet);
void write_subscribe_answer(std::string& out, MqttVersion version, const MqttSubscribeAnswer& packet);
void write_reason_packet(std::string& out, MqttVersion version, const MqttReasonPacket& packet);
void write_empty(std::string& out, MqttPacketType type);

// Bytes of a PUBLISH with these parts, for the receiver's maximum packet size.
[[nodiscard]] size_t publish_size(MqttVersion version, const MqttPublish& packet, std::string_view stored_properties);

}  // namespace tidegate::net
