#include "net/internal/mqtt_codec.h"
#include "net/internal/mqtt_properties.h"
#include "net/internal/mqtt_wire.h"

namespace tidegate::net {
namespace {

void put_header(std::string& out, MqttPacketType type, unsigned flags, size_t length) {
  put_u8(out, static_cast<unsigned>(type) << 4 | flags);
  put_variable(out, length);
}

bool is_v5(MqttVersion version) { return version == MqttVersion::kV5; }

size_t properties_size(MqttVersion version, const MqttProperties& properties) {
  if (!is_v5(version)) return 0;
  const size_t list = property_list_size(properties);
  return variable_size(list) + list;
}

void put_properties_if_v5(std::string& out, MqttVersion version, const MqttProperties& properties) {
  if (is_v5(version)) put_properties(out, properties);
}

unsigned connect_flags(const MqttConnect& packet) {
  unsigned flags = packet.clean_start ? 0x02 : 0;
  if (packet.will) flags |= 0x04U | packet.will->qos << 3U | (packet.will->retain ? 0x20U : 0U);
  if (packet.password) flags |= 0x40;
  if (packet.username) flags |= 0x80;
  return flags;
}

size_t publish_length(MqttVersion version, const MqttPublish& packet, size_t list) {
  size_t length = 2 + packet.topic.size() + (packet.qos > 0 ? 2 : 0) + packet.payload.size();
  if (is_v5(version)) length += variable_size(list) + list;
  return length;
}

}  // namespace

void write_connect(std::string& out, const MqttConnect& packet) {
  const MqttVersion version = packet.version;
  size_t length = 10 + properties_size(version, packet.properties) + 2 + packet.client_id.size();
  if (packet.will) {
    length +=
        properties_size(version, packet.will->properties) + 4 + packet.will->topic.size() + packet.will->payload.size();
  }
  if (packet.username) length += 2 + packet.username->size();
  if (packet.password) length += 2 + packet.password->size();
  put_header(out, MqttPacketType::kConnect, 0, length);
  put_text(out, "MQTT");
  put_u8(out, static_cast<unsigned>(version));
  put_u8(out, connect_flags(packet));
  put_u16(out, packet.keep_alive_s);
  put_properties_if_v5(out, version, packet.properties);
  put_text(out, packet.client_id);
  if (packet.will) {
    put_properties_if_v5(out, version, packet.will->properties);
    put_text(out, packet.will->topic);
    put_text(out, packet.will->payload);
  }
  if (packet.username) put_text(out, *packet.username);
  if (packet.password) put_text(out, *packet.password);
}

void write_connack(std::string& out, MqttVersion version, const MqttConnack& packet) {
  put_header(out, MqttPacketType::kConnack, 0, 2 + properties_size(version, packet.properties));
  put_u8(out, packet.session_present ? 1 : 0);
  put_u8(out, packet.code);
  put_properties_if_v5(out, version, packet.properties);
}

void write_publish(std::string& out, MqttVersion version, const MqttPublish& packet,
                   std::string_view stored_properties) {
  const size_t list = is_v5(version) ? stored_properties.size() + property_list_size(packet.properties) : 0;
  const unsigned flags = (packet.duplicate ? 0x08U : 0U) | packet.qos << 1U | (packet.retain ? 1U : 0U);
  put_header(out, MqttPacketType::kPublish, flags, publish_length(version, packet, list));
  put_text(out, packet.topic);
  if (packet.qos > 0) put_u16(out, packet.packet_id);
  if (is_v5(version)) {
    put_variable(out, list);
    put_property_list(out, packet.properties);
    out.append(stored_properties);
  }
  out.append(packet.payload);
}

void write_publish(std::string& out, MqttVersion version, const MqttPublish& packet) {
  write_publish(out, version, packet, {});
}

size_t publish_size(MqttVersion version, const MqttPublish& packet, std::string_view stored_properties) {
  const size_t length =
      publish_length(version, packet, stored_properties.size() + property_list_size(packet.properties));
  return 1 + variable_size(length) + length;
}

void write_ack(std::string& out, MqttVersion version, MqttPacketType type, uint16_t packet_id, MqttReason reason) {
  const bool with_reason = is_v5(version) && reason != MqttReason::kSuccess;
  const unsigned flags = type == MqttPacketType::kPubrel ? 0x02 : 0;
  const char bytes[5] = {static_cast<char>(static_cast<unsigned>(type) << 4 | flags),
                         static_cast<char>(with_reason ? 3 : 2), static_cast<char>(packet_id >> 8),
                         static_cast<char>(packet_id), static_cast<char>(reason)};
  out.append(bytes, with_reason ? 5 : 4);
}

void write_subscribe(std::string& out, MqttVersion version, const MqttSubscribe& packet) {
  size_t length = 2 + properties_size(version, packet.properties);
  for (const auto& subscription : packet.subscriptions) length += 3 + subscription.filter.size();
  put_header(out, MqttPacketType::kSubscribe, 0x02, length);
  put_u16(out, packet.packet_id);
  put_properties_if_v5(out, version, packet.properties);
  for (const auto& subscription : packet.subscriptions) {
    put_text(out, subscription.filter);
    unsigned options = subscription.qos;
    if (is_v5(version)) {
      options |= (subscription.no_local ? 0x04U : 0U) | (subscription.retain_as_published ? 0x08U : 0U) |
                 static_cast<unsigned>(subscription.retain_handling) << 4U;
    }
    put_u8(out, options);
  }
}

void write_unsubscribe(std::string& out, MqttVersion version, const MqttUnsubscribe& packet) {
  size_t length = 2 + properties_size(version, packet.properties);
  for (const std::string_view filter : packet.filters) length += 2 + filter.size();
  put_header(out, MqttPacketType::kUnsubscribe, 0x02, length);
  put_u16(out, packet.packet_id);
  put_properties_if_v5(out, version, packet.properties);
  for (const std::string_view filter : packet.filters) put_text(out, filter);
}

void write_subscribe_answer(std::string& out, MqttVersion version, const MqttSubscribeAnswer& packet) {
  const bool with_codes = packet.type == MqttPacketType::kSuback || is_v5(version);
  const size_t length = 2 + properties_size(version, packet.properties) + (with_codes ? packet.codes.size() : 0);
  put_header(out, packet.type, 0, length);
  put_u16(out, packet.packet_id);
  put_properties_if_v5(out, version, packet.properties);
  if (with_codes) out.append(packet.codes.begin(), packet.codes.end());
}

void write_reason_packet(std::string& out, MqttVersion version, const MqttReasonPacket& packet) {
  const bool plain = packet.reason == MqttReason::kSuccess && packet.properties.empty();
  if (!is_v5(version) || plain) {
    put_header(out, packet.type, 0, 0);
    return;
  }
  put_header(out, packet.type, 0, 1 + properties_size(version, packet.properties));
  put_u8(out, static_cast<unsigned>(packet.reason));
  put_properties(out, packet.properties);
}

void write_empty(std::string& out, MqttPacketType type) { put_header(out, type, 0, 0); }

void write_stored_properties(std::string& out, const MqttProperties& properties) { put_property_list(out, properties); }

}  // namespace tidegate::net
