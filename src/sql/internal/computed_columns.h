// Computed columns of a stream: `name AS expression` in its CREATE TABLE.
#pragma once

#include <string>

#include "base/error.h"
#include "sql/internal/ast.h"
#include "sql/internal/bind_expression.h"

namespace tidegate::sql {

// What a column that is computed from those of `schema` is. INTERVAL is refused, NULL is a STRING.
[[nodiscard]] Result<Expression> bind_computed(const ColumnDefinition& column, const columnar::Schema& schema,
                                               const std::string& stream, size_t& nodes);

// Puts `values` in the place of the columns that the expression uses.
void substitute(Expression& expression, const std::vector<Expression>& values);

}  // namespace tidegate::sql
