// Random aggregates, and what they are of some rows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "expression.h"

namespace tidegate::queries {

struct Aggregate {
  std::string sql;
  Type type;
  std::function<Value(const std::vector<Row>&)> of;
};

// COUNT, SUM, AVG, MIN, MAX of a column.
[[nodiscard]] Aggregate simple_aggregate(Random& random);
// One whose results can be added up exactly.
[[nodiscard]] Aggregate exact_aggregate(Random& random);
// SUM, MIN or MAX of a column.
[[nodiscard]] Aggregate aggregate_of_column(const std::string& function, const std::string& name, size_t at, Type type);
// Of an expression.
[[nodiscard]] Aggregate aggregate_of_expression(Random& random, const Expression& argument, Type type);
// Those also of expressions, DISTINCT and with FILTER.
[[nodiscard]] Aggregate any_aggregate(Random& random);

}  // namespace tidegate::queries
