// Random expressions of DECIMAL, and what they are: as fractions of whole numbers of any size.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "values.h"

namespace tidegate::queries {

struct DecimalExpression {
  std::string sql;
  int precision = 0;
  int scale = 0;
  std::function<Value(const Row&)> value;
};

// At most `depth` levels below it.
[[nodiscard]] DecimalExpression some_decimal(Random& random, int depth);
// < 0, 0, > 0.
[[nodiscard]] int order_of(const Decimal& left, const Decimal& right);
// SUM as DECIMAL(38, s) and AVG as DECIMAL(38, max(6, s)); NULL of nothing.
[[nodiscard]] Value sum_of(const std::vector<Decimal>& numbers, int scale);
[[nodiscard]] Value mean_of(const std::vector<Decimal>& numbers, int scale);

}  // namespace tidegate::queries
