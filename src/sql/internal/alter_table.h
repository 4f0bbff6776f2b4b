// ALTER TABLE: from a stream and the columns it gets to its new definition.
#pragma once

#include "base/error.h"
#include "catalog/definitions.h"
#include "sql/internal/ast.h"

namespace tidegate::sql {

// Its text is the CREATE TABLE that makes such a stream at once. SqlAlreadyExists, SqlUnsupported, SqlTooComplex.
[[nodiscard]] Result<catalog::StreamDefinition> add_columns(const catalog::StreamDefinition& stream,
                                                            const AlterTableAst& added);

}  // namespace tidegate::sql
