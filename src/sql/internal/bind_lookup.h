// What JOIN, IN (SELECT ...) and EXISTS have in common: conditions taken apart into keys.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "sql/internal/ast.h"
#include "sql/internal/bind_expression.h"

namespace tidegate::sql {

// Where a table's columns stand among others.
struct ColumnRange {
  size_t first = 0;
  size_t count = 0;
  [[nodiscard]] bool holds(size_t column) const { return column >= first && column < first + count; }
};

// a AND b AND c, one by one. They live as long as `ast`.
[[nodiscard]] std::vector<const AstExpression*> conjuncts(const AstExpression& ast);

// Whose columns an expression uses.
struct Uses {
  bool row = false;
  bool table = false;
};
[[nodiscard]] Uses uses_of(const Expression& expression, const ColumnRange& table);

// An equality of something of the row with something of the table.
struct KeyPair {
  Expression row_side;
  Expression table_side;
};
// Takes the equality apart, if it is one; else leaves it as it is.
[[nodiscard]] std::optional<KeyPair> key_pair(Expression& expression, const ColumnRange& table);
[[nodiscard]] Expression rejoin(KeyPair pair);

// Lets references to the table's columns begin at `first` instead.
void move_references(Expression& expression, const ColumnRange& table, size_t first);

// Keys are found by their bytes: SqlTypeMismatch for what does not compare so.
[[nodiscard]] Result<> check_key_type(const Expression& key, TextPosition position);
[[nodiscard]] bool is_key_type(columnar::TypeKind type);

}  // namespace tidegate::sql
