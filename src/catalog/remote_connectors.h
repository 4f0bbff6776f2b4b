// The connectors that carry records to other machines. Numbers as they are stored (docs/formats/catalog.md).
#pragma once

#include "catalog/definitions.h"

namespace tidegate::catalog {

inline constexpr Connector kWebhookConnector{3};
inline constexpr Connector kEmailConnector{4};

[[nodiscard]] constexpr bool is_remote(Connector connector) {
  return connector == kWebhookConnector || connector == kEmailConnector;
}

}  // namespace tidegate::catalog
