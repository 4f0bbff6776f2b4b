#include "sql/internal/bind_lookup.h"

#include <fmt/format.h>

namespace tidegate::sql {

using columnar::TypeKind;

std::vector<const AstExpression*> conjuncts(const AstExpression& ast) {
  if (ast.kind != AstKind::kCall || ast.name != "AND") return {&ast};
  std::vector<const AstExpression*> all;
  for (const AstExpression& child : ast.children) {
    const auto below = conjuncts(child);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

Uses uses_of(const Expression& expression, const ColumnRange& table) {
  Uses uses;
  if (const auto* column = std::get_if<ColumnRef>(&expression.node)) {
    uses.table = table.holds(column->index);
    uses.row = !uses.table;
  }
  if (const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (const Expression& argument : (*call)->arguments) {
      const Uses below = uses_of(argument, table);
      uses.row = uses.row || below.row;
      uses.table = uses.table || below.table;
    }
  }
  return uses;
}

std::optional<KeyPair> key_pair(Expression& expression, const ColumnRange& table) {
  auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node);
  if (call == nullptr || (*call)->function != FunctionId::kEqual) return std::nullopt;
  Expression& left = (*call)->arguments[0];
  Expression& right = (*call)->arguments[1];
  const Uses of_left = uses_of(left, table);
  const Uses of_right = uses_of(right, table);
  if (of_left.table && !of_left.row && !of_right.table) return KeyPair{std::move(right), std::move(left)};
  if (of_right.table && !of_right.row && !of_left.table) return KeyPair{std::move(left), std::move(right)};
  return std::nullopt;
}

Expression rejoin(KeyPair pair) {
  const bool nullable = pair.row_side.nullable || pair.table_side.nullable;
  std::vector<Expression> both;
  both.push_back(std::move(pair.row_side));
  both.push_back(std::move(pair.table_side));
  return make_call(FunctionId::kEqual, TypeKind::kBoolean, nullable, std::move(both));
}

void move_references(Expression& expression, const ColumnRange& table, size_t first) {
  auto* column = std::get_if<ColumnRef>(&expression.node);
  if (column != nullptr && table.holds(column->index)) column->index = column->index - table.first + first;
  if (auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (Expression& argument : (*call)->arguments) move_references(argument, table, first);
  }
}

bool is_key_type(TypeKind type) {
  return type == TypeKind::kBoolean || type == TypeKind::kInt || type == TypeKind::kBigint ||
         type == TypeKind::kString || columnar::is_timestamp(type);
}

Result<> check_key_type(const Expression& key, TextPosition position) {
  if (is_key_type(key.type)) return {};
  return fail_at(ErrorCode::SqlTypeMismatch, position,
                 fmt::format("a lookup by {} is not supported", columnar::type_name(key.type)),
                 "CAST it to a type that compares exactly: BIGINT or STRING");
}

}  // namespace tidegate::sql
