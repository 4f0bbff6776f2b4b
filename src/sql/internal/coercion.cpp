// One type into another: what widens by itself, and what both sides of an operator have in common.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "sql/internal/bind_expression.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::is_approximate;
using columnar::is_numeric;
using columnar::is_timestamp;
using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

// Of the numbers, the wider the higher.
int width_rank(TypeKind type) {
  switch (type) {
    case TypeKind::kInt: return 1;
    case TypeKind::kBigint: return 2;
    case TypeKind::kFloat: return 3;
    case TypeKind::kDouble: return 4;
    default: return 0;
  }
}

}  // namespace

bool widens(const Type& from, const Type& to) {
  if (from == to || from == TypeKind::kNull) return true;
  return width_rank(from) > 0 && width_rank(from) < width_rank(to);
}

Expression coerce(Expression expression, const Type& target) {
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
    if (is_approximate(target) && expression.type == TypeKind::kFloat) {
      return Expression{target, false, std::move(*literal)};
    }
    // A literal of a FLOAT is a double that is a float.
    if (target == TypeKind::kFloat && std::holds_alternative<int64_t>(*literal)) {
      return Expression{target, false, Literal(double{static_cast<float>(std::get<int64_t>(*literal))})};
    }
    if (target == TypeKind::kFloat && expression.type == TypeKind::kDouble) {
      return Expression{target, false, Literal(double{static_cast<float>(std::get<double>(*literal))})};
    }
  }
  const bool safe = widens(expression.type, target) || (is_timestamp(expression.type) && is_timestamp(target)) ||
                    (target == TypeKind::kString && expression.type != TypeKind::kBytes) ||
                    target == TypeKind::kBytes || (is_numeric(expression.type) && is_approximate(target));
  const bool nullable = expression.nullable || !safe;
  std::vector<Expression> argument;
  argument.push_back(std::move(expression));
  return make_call(FunctionId::kCast, target, nullable, std::move(argument));
}

Result<Type> unify(std::vector<Expression*> sides, TextPosition position, std::string_view what) {
  Type common = TypeKind::kNull;
  for (const Expression* side : sides) {
    const Type type = side->type;
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
