// Lookup tables as JSON.
#pragma once

#include <string>
#include <vector>

#include "catalog/table_definition.h"
#include "lookup/tables.h"

namespace tidegate::api {

// `definition` may be null: then without what it says.
[[nodiscard]] std::string table_json(const lookup::TableStatus& status, const catalog::TableDefinition* definition);
[[nodiscard]] std::string tables_json(const std::vector<lookup::TableStatus>& tables);

}  // namespace tidegate::api
