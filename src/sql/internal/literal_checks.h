// What can be known of a call's literals when a pipeline is made: regular expressions, time zones, JSON paths.
#pragma once

#include "sql/internal/bind_expression.h"

namespace tidegate::sql {

// SqlInvalidLiteral for a literal that could only ever yield NULL.
[[nodiscard]] Result<> check_literals(const Expression& call, TextPosition position);

}  // namespace tidegate::sql
