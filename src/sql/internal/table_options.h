// CREATE TABLE: from its text to a stream's definition.
#pragma once

#include <string>

#include "base/error.h"
#include "catalog/definitions.h"
#include "sql/internal/ast.h"

namespace tidegate::sql {

// SqlInvalidOption, SqlUnknownColumn, SqlTypeMismatch, SqlAmbiguousColumn.
[[nodiscard]] Result<catalog::StreamDefinition> define_stream(const CreateTableAst& table, std::string sql);

}  // namespace tidegate::sql
