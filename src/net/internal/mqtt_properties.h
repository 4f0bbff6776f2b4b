// Property lists (MQTT 5.0 section 2.2.2): which packet may carry which, and how each is written.
#pragma once

#include <string>
#include <string_view>

#include "net/internal/mqtt_wire.h"
#include "net/mqtt_packet.h"

namespace tidegate::net {

// Where a list stands decides what it may hold.
enum class PropertyPlace : uint8_t {
  kConnect,
  kConnack,
  kPublish,
  kWill,
  kAck,
  kSubscribe,
  kSubscribeAnswer,  // and UNSUBACK
  kUnsubscribe,
  kDisconnect,
  kAuth,
};

// A length and the properties; kSuccess, kMalformedPacket or kProtocolError.
[[nodiscard]] MqttReason read_properties(WireReader& reader, PropertyPlace place, MqttProperties& out);
// The properties alone.
[[nodiscard]] MqttReason read_property_list(std::string_view list, PropertyPlace place, MqttProperties& out);

void put_property_list(std::string& out, const MqttProperties& properties);
[[nodiscard]] size_t property_list_size(const MqttProperties& properties);
// A length and the properties.
void put_properties(std::string& out, const MqttProperties& properties);

}  // namespace tidegate::net
