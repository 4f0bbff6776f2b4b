// Arrays and rows: random ones, what of them is a number or a text, and what makes others of them.
#pragma once

#include <vector>

#include "expression.h"

namespace tidegate::queries {

// Of the columns from kArray on.
[[nodiscard]] std::vector<Value> some_nested(Random& random);

// A number, text or truth that an array or a row gives.
[[nodiscard]] Expression part_of(Random& random, Type type);

struct NestedExpression {
  Expression expression;
  std::string type;  // as CREATE TABLE says it
};
// An array or a row as a whole.
[[nodiscard]] NestedExpression some_whole(Random& random, int depth);

// ARRAY<BIGINT>, ARRAY<STRING> or that of the pairs.
[[nodiscard]] NestedExpression some_list(Random& random, int depth);

}  // namespace tidegate::queries
