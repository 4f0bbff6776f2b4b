// Gives every device that has credentials a document in the registry.
#pragma once

#include "registry/registry.h"
#include "security/authenticator.h"

namespace tidegate::server {

// For data folders from before there was a registry. Once, at the start.
[[nodiscard]] Result<> adopt_devices(const security::Authenticator& authenticator, registry::Registry& registry);

}  // namespace tidegate::server
