#include "server/internal/adopt_devices.h"

#include "base/logging.h"

namespace tidegate::server {

Result<> adopt_devices(const security::Authenticator& authenticator, registry::Registry& registry) {
  std::vector<registry::Device> adopted;
  for (const security::DeviceRecord& record : authenticator.devices()) {
    if (registry.find_device(record.name) != nullptr) continue;
    if (!registry::check_device_name(record.name)) {
      log_warn("a device's name cannot stand in the registry", {{"device", record.name}});
      continue;
    }
    registry::Device device;
    device.name = record.name;
    device.created_us = record.created_us;
    adopted.push_back(std::move(device));
  }
  if (adopted.empty()) return {};
  log_info("devices taken into the registry", {{"devices", std::to_string(adopted.size())}});
  return registry.add_devices(std::move(adopted), {});
}

}  // namespace tidegate::server
