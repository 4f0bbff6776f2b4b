#include "server/internal/device_messages.h"

#include <algorithm>

namespace tidegate::server {

Result<> publish_to_device(net::MqttBroker* broker, const registry::DeviceMessage& message, const io::Clock& clock) {
  if (broker == nullptr) return fail(ErrorCode::Overloaded, "the MQTT broker is not running");
  constexpr uint8_t kAtLeastOnce = 1;
  net::MqttProperties properties;
  if (!message.answer_topic.empty()) {
    properties.set_text(net::MqttProperty::kResponseTopic, message.answer_topic);
    properties.set_text(net::MqttProperty::kCorrelationData, message.correlation);
  }
  if (message.expires_us > 0) {
    const int64_t left_s = (message.expires_us - clock.now_us() + kMicrosPerSecond - 1) / kMicrosPerSecond;
    properties.set_number(net::MqttProperty::kMessageExpiry, static_cast<uint32_t>(std::max<int64_t>(left_s, 1)));
  }
  return broker->publish(message.topic, message.payload, kAtLeastOnce, false, properties);
}

}  // namespace tidegate::server
