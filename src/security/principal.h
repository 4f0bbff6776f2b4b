// Who is at the other end: a device, a gateway, a person or a service.
#pragma once

#include <cstdint>
#include <string>

namespace tidegate::security {

enum class PrincipalKind : uint8_t { kDevice, kUser, kService };

struct Principal {
  PrincipalKind kind = PrincipalKind::kDevice;
  std::string name;  // the device's id, the user's name
  bool admin = false;
};

}  // namespace tidegate::security
