// The device registry as rows of the table `devices`.
#pragma once

#include "catalog/table_definition.h"
#include "columnar/batch.h"
#include "registry/registry.h"

namespace tidegate::lookup {

// In the order of a version. Any thread.
[[nodiscard]] columnar::Batch device_rows(const registry::Registry& registry, const catalog::TableDefinition& table);

}  // namespace tidegate::lookup
