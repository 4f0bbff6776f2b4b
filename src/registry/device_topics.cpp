#include "registry/device_topics.h"

#include <fmt/format.h>

namespace tidegate::registry {
namespace {

constexpr std::string_view kDevices = "devices/";

// The first level of `rest`, which is taken off it.
std::string_view next_level(std::string_view& rest) {
  const size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return level;
}

}  // namespace

std::string desired_topic(std::string_view device) { return fmt::format("devices/{}/twin/desired", device); }
std::string delta_topic(std::string_view device) { return fmt::format("devices/{}/twin/delta", device); }
std::string accepted_topic(std::string_view device) { return fmt::format("devices/{}/twin/reported/accepted", device); }
std::string rejected_topic(std::string_view device) { return fmt::format("devices/{}/twin/reported/rejected", device); }
std::string command_topic(std::string_view device, std::string_view id) {
  return fmt::format("devices/{}/commands/{}", device, id);
}
std::string answer_topic(std::string_view device, std::string_view id) {
  return fmt::format("devices/{}/commands/{}/answer", device, id);
}

std::optional<DeviceTopic> parse_device_topic(std::string_view topic) {
  if (!topic.starts_with(kDevices)) return std::nullopt;
  std::string_view rest = topic.substr(kDevices.size());
  DeviceTopic parsed;
  parsed.device = next_level(rest);
  if (parsed.device.empty()) return std::nullopt;
  if (rest == "twin/reported") return parsed;
  if (next_level(rest) != "commands") return std::nullopt;
  parsed.kind = DeviceTopicKind::kAnswer;
  parsed.command = next_level(rest);
  return rest == "answer" && !parsed.command.empty() ? std::optional(parsed) : std::nullopt;
}

std::optional<DeviceSubscription> parse_device_filter(std::string_view filter) {
  if (!filter.starts_with(kDevices)) return std::nullopt;
  std::string_view rest = filter.substr(kDevices.size());
  DeviceSubscription parsed;
  parsed.device = next_level(rest);
  if (parsed.device == "#") return DeviceSubscription{"+", true, true};
  const std::string_view what = next_level(rest);
  const bool all = what == "#" || what == "+";
  parsed.twin = all || what == "twin";
  parsed.commands = all || what == "commands";
  return parsed.twin || parsed.commands ? std::optional(parsed) : std::nullopt;
}

}  // namespace tidegate::registry
