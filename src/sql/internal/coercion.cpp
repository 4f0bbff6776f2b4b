// One type into another: what widens by itself, and what both sides of an operator have in common.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "sql/internal/bind_expression.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::is_numeric;
using columnar::is_timestamp;
using columnar::type_name;
using columnar::TypeKind;

bool widens(TypeKind from, TypeKind to) {
  if (from == to || from == TypeKind::kNull) return true;
  return is_numeric(from) && is_numeric(to) && from < to;
}

Expression coerce(Expression expression, TypeKind target) {
  if (expression.type == target) return expression;
  if (auto* literal = std::get_if<Literal>(&expression.node)) {
    const bool null = std::holds_alternative<std::monostate>(*literal);
    const bool same_value = (is_timestamp(expression.type) && is_timestamp(target)) ||
                            (expression.type == TypeKind::kInt && target == TypeKind::kBigint);
    if (null || same_value) {
      expression.type = target;
      return expression;
    }
    if (target == TypeKind::kDouble && std::holds_alternative<int64_t>(*literal)) {
      return Expression{target, false, Literal(static_cast<double>(std::get<int64_t>(*literal)))};
    }
  }
  const bool safe = widens(expression.type, target) || (is_timestamp(expression.type) && is_timestamp(target)) ||
                    target == TypeKind::kString;
  const bool nullable = expression.nullable || !safe;
  std::vector<Expression> argument;
  argument.push_back(std::move(expression));
  return make_call(FunctionId::kCast, target, nullable, std::move(argument));
}

Result<TypeKind> unify(std::vector<Expression*> sides, TextPosition position, std::string_view what) {
  TypeKind common = TypeKind::kNull;
  for (const Expression* side : sides) {
    const TypeKind type = side->type;
    const bool literal = std::holds_alternative<Literal>(side->node);
    if (widens(type, common)) continue;
    if (widens(common, type)) {
      common = type;
      continue;
    }
    const bool times = is_timestamp(type) && is_timestamp(common);
    if (times && literal) continue;
    const bool others_literal = std::ranges::all_of(sides, [&](const Expression* other) {
      return other == side || other->type == type || std::holds_alternative<Literal>(other->node);
    });
    if (times && others_literal) {
      common = type;
      continue;
    }
    const bool one_text = type == TypeKind::kString || common == TypeKind::kString;
    return fail_at(ErrorCode::SqlTypeMismatch, position,
                   fmt::format("{} cannot mix {} and {}", what, type_name(common), type_name(type)),
                   one_text ? fmt::format("CAST one side, for example CAST(x AS {})",
                                          type_name(type == TypeKind::kString ? common : type))
                            : "CAST one side");
  }
  if (common == TypeKind::kNull) common = TypeKind::kString;  // only bare NULLs: any type will do
  for (Expression* side : sides) *side = coerce(std::move(*side), common);
  return common;
}

}  // namespace tidegate::sql
