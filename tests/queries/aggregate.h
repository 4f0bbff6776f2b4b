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
// Those also of expressions, DISTINCT and with FILTER.
[[nodiscard]] Aggregate any_aggregate(Random& random);

}  // namespace tidegate::queries
