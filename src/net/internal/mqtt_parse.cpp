#include "net/internal/mqtt_codec.h"
#include "net/internal/mqtt_properties.h"
#include "net/internal/mqtt_text.h"
#include "net/internal/mqtt_wire.h"

namespace tidegate::net {
namespace {

using enum MqttReason;

// Section 2.1.3: which packets have which fixed flags.
bool flags_allowed(MqttPacketType type, uint8_t flags) {
  switch (type) {
    case MqttPacketType::kPublish: return (flags & 0x06) != 0x06 && ((flags & 0x06) != 0 || (flags & 0x08) == 0);
    case MqttPacketType::kPubrel:
    case MqttPacketType::kSubscribe:
    case MqttPacketType::kUnsubscribe: return flags == 0x02;
    default: return flags == 0;
  }
}

MqttReason ended(const WireReader& reader) { return reader.ok() && reader.left() == 0 ? kSuccess : kMalformedPacket; }

MqttReason properties_if_v5(WireReader& reader, MqttVersion version, PropertyPlace place, MqttProperties& out) {
  if (!reader.ok()) return kMalformedPacket;
  return version == MqttVersion::kV5 ? read_properties(reader, place, out) : kSuccess;
}

MqttReason parse_will(WireReader& reader, uint8_t flags, MqttVersion version, MqttConnect& out) {
  MqttWill will;
  will.qos = flags >> 3 & 0x03;
  will.retain = (flags & 0x20) != 0;
  const MqttReason reason = properties_if_v5(reader, version, PropertyPlace::kWill, will.properties);
  if (reason != kSuccess) return reason;
  will.topic = reader.binary();
  will.payload = reader.binary();
  if (!reader.ok()) return kMalformedPacket;
  if (!valid_topic_name(will.topic)) return kTopicNameInvalid;
  out.will = std::move(will);
  return kSuccess;
}

bool connect_flags_allowed(uint8_t flags, MqttVersion version) {
  if ((flags & 0x01) != 0) return false;
  const bool has_will = (flags & 0x04) != 0;
  if (!has_will && (flags & 0x38) != 0) return false;
  if ((flags & 0x18) == 0x18) return false;
  // 3.1.1 allows no password without a user name ([MQTT-3.1.2-22]); 5.0 does.
  return version == MqttVersion::kV5 || (flags & 0x80) != 0 || (flags & 0x40) == 0;
}

MqttReason parse_connect_payload(WireReader& reader, uint8_t flags, MqttConnect& out) {
  out.client_id = reader.binary();
  if (!reader.ok() || !valid_utf8(out.client_id)) return kMalformedPacket;
  if ((flags & 0x04) != 0) {
    const MqttReason reason = parse_will(reader, flags, out.version, out);
    if (reason != kSuccess) return reason;
  }
  if ((flags & 0x80) != 0) {
    out.username = reader.binary();
    if (!valid_utf8(*out.username)) return kMalformedPacket;
  }
  if ((flags & 0x40) != 0) out.password = reader.binary();
  return ended(reader);
}

// Codes of SUBACK and UNSUBACK: one per filter, at least one.
MqttReason parse_codes(WireReader& reader, MqttSubscribeAnswer& out) {
  const std::string_view codes = reader.rest();
  if (codes.empty() || codes.size() > kMaxFiltersPerPacket) return kProtocolError;
  out.codes.assign(codes.begin(), codes.end());
  return kSuccess;
}

MqttReason parse_subscription_options(uint8_t options, MqttVersion version, MqttSubscription& out) {
  out.qos = options & 0x03;
  if (out.qos == 3) return kMalformedPacket;
  if (version == MqttVersion::kV311) return (options & 0xFC) == 0 ? kSuccess : kMalformedPacket;
  out.no_local = (options & 0x04) != 0;
  out.retain_as_published = (options & 0x08) != 0;
  out.retain_handling = options >> 4 & 0x03;
  if ((options & 0xC0) != 0) return kMalformedPacket;
  return out.retain_handling == 3 ? kProtocolError : kSuccess;
}

}  // namespace

MqttFrameStatus read_frame(std::string_view bytes, size_t max_packet_bytes, MqttFrame& frame) {
  frame.size = 0;
  if (bytes.size() < 2) return MqttFrameStatus::kIncomplete;
  const auto first = static_cast<uint8_t>(bytes[0]);
  frame.type = static_cast<MqttPacketType>(first >> 4);
  frame.flags = first & 0x0F;
  if (first >> 4 == 0 || !flags_allowed(frame.type, frame.flags)) return MqttFrameStatus::kMalformed;
  size_t length = 0;
  size_t header = 1;
  for (unsigned shift = 0;; shift += 7, ++header) {
    if (shift == 28) return MqttFrameStatus::kMalformed;
    if (header == bytes.size()) return MqttFrameStatus::kIncomplete;
    const auto part = static_cast<uint8_t>(bytes[header]);
    length |= static_cast<size_t>(part & 0x7F) << shift;
    if ((part & 0x80) != 0) continue;
    if (part == 0 && shift > 0) return MqttFrameStatus::kMalformed;
    break;
  }
  ++header;
  if (header + length > max_packet_bytes) return MqttFrameStatus::kTooLarge;
  frame.size = header + length;
  if (bytes.size() < frame.size) return MqttFrameStatus::kIncomplete;
  frame.body = bytes.substr(header, length);
  return MqttFrameStatus::kComplete;
}

MqttReason parse_connect(const MqttFrame& frame, MqttConnect& out) {
  WireReader reader(frame.body);
  const std::string_view protocol = reader.binary();
  const uint8_t version = reader.u8();
  if (!reader.ok()) return kMalformedPacket;
  if (protocol != "MQTT" && protocol != "MQIsdp") return kUnsupportedVersion;
  if (protocol != "MQTT" || (version != 4 && version != 5)) return kUnsupportedVersion;
  out.version = static_cast<MqttVersion>(version);
  const uint8_t flags = reader.u8();
  out.keep_alive_s = reader.u16();
  if (!reader.ok() || !connect_flags_allowed(flags, out.version)) return kMalformedPacket;
  out.clean_start = (flags & 0x02) != 0;
  const MqttReason reason = properties_if_v5(reader, out.version, PropertyPlace::kConnect, out.properties);
  if (reason != kSuccess) return reason;
  if (out.properties.has(MqttProperty::kAuthenticationData) &&
      !out.properties.has(MqttProperty::kAuthenticationMethod)) {
    return kProtocolError;
  }
  return parse_connect_payload(reader, flags, out);
}

MqttReason parse_connack(const MqttFrame& frame, MqttVersion version, MqttConnack& out) {
  WireReader reader(frame.body);
  const uint8_t flags = reader.u8();
  out.code = reader.u8();
  if (!reader.ok() || flags > 1) return kMalformedPacket;
  out.session_present = flags == 1;
  const MqttReason reason = properties_if_v5(reader, version, PropertyPlace::kConnack, out.properties);
  return reason == kSuccess ? ended(reader) : reason;
}

MqttReason parse_publish(const MqttFrame& frame, MqttVersion version, std::string_view known_topic, MqttPublish& out) {
  WireReader reader(frame.body);
  out.duplicate = (frame.flags & 0x08) != 0;
  out.qos = frame.flags >> 1 & 0x03;
  out.retain = (frame.flags & 0x01) != 0;
  out.topic = reader.binary();
  out.packet_id = 0;
  if (out.qos > 0) {
    out.packet_id = reader.u16();
    if (out.packet_id == 0) return reader.ok() ? kProtocolError : kMalformedPacket;
  }
  const MqttReason reason = properties_if_v5(reader, version, PropertyPlace::kPublish, out.properties);
  if (reason != kSuccess) return reason;
  if (out.topic.empty()) {
    if (!out.properties.has(MqttProperty::kTopicAlias)) return kProtocolError;
  } else if (out.topic != known_topic && !valid_topic_name(out.topic)) {
    return kTopicNameInvalid;
  }
  out.payload = reader.rest();
  return kSuccess;
}

MqttReason parse_ack(const MqttFrame& frame, MqttVersion version, MqttAck& out) {
  WireReader reader(frame.body);
  out.type = frame.type;
  out.packet_id = reader.u16();
  if (!reader.ok()) return kMalformedPacket;
  if (out.packet_id == 0) return kProtocolError;
  if (version == MqttVersion::kV311 || reader.left() == 0) return ended(reader);
  out.reason = static_cast<MqttReason>(reader.u8());
  if (reader.left() == 0) return kSuccess;
  const MqttReason reason = read_properties(reader, PropertyPlace::kAck, out.properties);
  return reason == kSuccess ? ended(reader) : reason;
}

MqttReason parse_subscribe(const MqttFrame& frame, MqttVersion version, MqttSubscribe& out) {
  WireReader reader(frame.body);
  out.packet_id = reader.u16();
  if (reader.ok() && out.packet_id == 0) return kProtocolError;
  MqttReason reason = properties_if_v5(reader, version, PropertyPlace::kSubscribe, out.properties);
  if (reason != kSuccess) return reason;
  if (reader.left() == 0) return kProtocolError;
  while (reader.left() > 0) {
    MqttSubscription subscription;
    subscription.filter = reader.binary();
    const uint8_t options = reader.u8();
    if (!reader.ok() || !valid_utf8(subscription.filter)) return kMalformedPacket;
    reason = parse_subscription_options(options, version, subscription);
    if (reason != kSuccess) return reason;
    // A shared subscription must not set No Local ([MQTT-3.8.3-4]).
    if (subscription.no_local && subscription.filter.starts_with("$share/")) return kProtocolError;
    if (out.subscriptions.size() >= kMaxFiltersPerPacket) return kQuotaExceeded;
    out.subscriptions.push_back(subscription);
  }
  return kSuccess;
}

MqttReason parse_unsubscribe(const MqttFrame& frame, MqttVersion version, MqttUnsubscribe& out) {
  WireReader reader(frame.body);
  out.packet_id = reader.u16();
  if (reader.ok() && out.packet_id == 0) return kProtocolError;
  const MqttReason reason = properties_if_v5(reader, version, PropertyPlace::kUnsubscribe, out.properties);
  if (reason != kSuccess) return reason;
  if (reader.left() == 0) return kProtocolError;
  while (reader.left() > 0) {
    const std::string_view filter = reader.binary();
    if (!reader.ok() || !valid_utf8(filter)) return kMalformedPacket;
    if (out.filters.size() >= kMaxFiltersPerPacket) return kQuotaExceeded;
    out.filters.push_back(filter);
  }
  return kSuccess;
}

MqttReason parse_subscribe_answer(const MqttFrame& frame, MqttVersion version, MqttSubscribeAnswer& out) {
  WireReader reader(frame.body);
  out.type = frame.type;
  out.packet_id = reader.u16();
  if (reader.ok() && out.packet_id == 0) return kProtocolError;
  const MqttReason reason = properties_if_v5(reader, version, PropertyPlace::kSubscribeAnswer, out.properties);
  if (reason != kSuccess) return reason;
  if (version == MqttVersion::kV311 && frame.type == MqttPacketType::kUnsuback) return ended(reader);
  return parse_codes(reader, out);
}

MqttReason parse_reason_packet(const MqttFrame& frame, MqttVersion version, MqttReasonPacket& out) {
  WireReader reader(frame.body);
  out.type = frame.type;
  if (version == MqttVersion::kV311) return ended(reader);
  if (reader.left() == 0) return kSuccess;
  out.reason = static_cast<MqttReason>(reader.u8());
  if (reader.left() == 0) return kSuccess;
  const PropertyPlace place = frame.type == MqttPacketType::kAuth ? PropertyPlace::kAuth : PropertyPlace::kDisconnect;
  const MqttReason reason = read_properties(reader, place, out.properties);
  return reason == kSuccess ? ended(reader) : reason;
}

MqttReason check_empty(const MqttFrame& frame) { return frame.body.empty() ? kSuccess : kMalformedPacket; }

bool parse_stored_properties(std::string_view bytes, MqttProperties& out) {
  return read_property_list(bytes, PropertyPlace::kPublish, out) == kSuccess;
}

}  // namespace tidegate::net
