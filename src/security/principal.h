// Who is at the other end: a device, a gateway, a person or a service.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "security/device_scope.h"

namespace tidegate::security {

enum class PrincipalKind : uint8_t { kDevice, kUser, kService, kGateway };

struct Principal {
  PrincipalKind kind = PrincipalKind::kDevice;
  std::string name;  // the device's id, the user's name
  bool admin = false;
  // Of a gateway, the devices that it speaks for. Shared with the authenticator, which changes it.
  std::shared_ptr<const DeviceScope> scope = nullptr;
};

// Devices and gateways send records; people and services read and change things.
[[nodiscard]] inline bool is_machine(const Principal& principal) {
  return principal.kind == PrincipalKind::kDevice || principal.kind == PrincipalKind::kGateway;
}
// "admin", "device/meter-1", "gateway/gw-1": as the audit log names it.
[[nodiscard]] inline std::string audit_name(const Principal& principal) {
  if (!is_machine(principal) || principal.name.empty()) return principal.name;
  return (principal.kind == PrincipalKind::kDevice ? "device/" : "gateway/") + principal.name;
}

// "device:meter-1", "gateway:gw-1": as quotas name senders.
[[nodiscard]] inline std::string quota_subject(const Principal& machine) {
  return (machine.kind == PrincipalKind::kGateway ? "gateway:" : "device:") + machine.name;
}

}  // namespace tidegate::security
