// The MQTT topics of twins and commands, all below devices/<device>/ (docs/devices.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::registry {

[[nodiscard]] std::string desired_topic(std::string_view device);   // devices/<device>/twin/desired
[[nodiscard]] std::string delta_topic(std::string_view device);     // devices/<device>/twin/delta
[[nodiscard]] std::string accepted_topic(std::string_view device);  // devices/<device>/twin/reported/accepted
[[nodiscard]] std::string rejected_topic(std::string_view device);  // devices/<device>/twin/reported/rejected
[[nodiscard]] std::string command_topic(std::string_view device,
                                        std::string_view id);                          // devices/<device>/commands/<id>
[[nodiscard]] std::string answer_topic(std::string_view device, std::string_view id);  // .../commands/<id>/answer

// What a device publishes to the platform.
enum class DeviceTopicKind : uint8_t { kReport, kAnswer };
struct DeviceTopic {
  DeviceTopicKind kind = DeviceTopicKind::kReport;
  std::string_view device;
  std::string_view command;  // of an answer
};
// devices/<device>/twin/reported, devices/<device>/commands/<id>/answer; nothing for other topics. The views are into
// the topic.
[[nodiscard]] std::optional<DeviceTopic> parse_device_topic(std::string_view topic);

// What a subscription is about to hear.
struct DeviceSubscription {
  std::string_view device;  // "+": of all
  bool twin = false;
  bool commands = false;
};
// Of a filter below devices/; nothing for other filters.
[[nodiscard]] std::optional<DeviceSubscription> parse_device_filter(std::string_view filter);

}  // namespace tidegate::registry
