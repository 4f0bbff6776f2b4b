// CREATE TABLE of a lookup table: from its text to its definition.
#pragma once

#include <string>

#include "base/error.h"
#include "catalog/table_definition.h"
#include "sql/internal/ast.h"

namespace tidegate::sql {

// By 'connector' = 'filesystem'.
[[nodiscard]] bool is_lookup_table(const CreateTableAst& table);
// SqlInvalidOption, SqlUnknownColumn, SqlTypeMismatch, SqlAmbiguousColumn, SqlUnsupported.
[[nodiscard]] Result<catalog::TableDefinition> define_lookup_table(const CreateTableAst& table, std::string sql);

}  // namespace tidegate::sql
