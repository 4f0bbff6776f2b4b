// One type into another: what widens by itself, and what both sides of an operator have in common.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "sql/internal/bind_expression.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Decimal;
using columnar::is_approximate;
using columnar::is_integer;
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

// Every value of `from` is one of `to`.
bool holds(const Type& from, const Type& to) {
  return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
}

// A literal of another type with the same value, or the one that CAST would give; nothing if it takes a CAST.
std::optional<Literal> converted(const Literal& literal, const Type& from, const Type& to) {
  if (std::holds_alternative<std::monostate>(literal)) return literal;
  if ((is_timestamp(from) && is_timestamp(to)) || (from == TypeKind::kInt && to == TypeKind::kBigint)) return literal;
  if (to == TypeKind::kDecimal) {
    std::optional<Decimal> value;
    if (const auto* whole = std::get_if<int64_t>(&literal))
      value = columnar::rescale({*whole}, 0, to.precision, to.scale);
    if (const auto* decimal = std::get_if<Decimal>(&literal)) {
      value = columnar::rescale(*decimal, from.scale, to.precision, to.scale);
    }
    return is_integer(from) || from == TypeKind::kDecimal ? std::optional<Literal>(value) : std::nullopt;
  }
  if (!is_approximate(to)) return std::nullopt;
  if (!columnar::is_numeric(from)) return std::nullopt;
  const double value = *number_of(literal, from);
  // A literal of a FLOAT is a double that is a float.
  return Literal(to == TypeKind::kFloat ? double{static_cast<float>(value)} : value);
}

bool fields_widen(const Type& from, const Type& to) {
  if (from.kind != to.kind || from.fields->size() != to.fields->size()) return false;
  for (size_t at = 0; at < from.fields->size(); ++at) {
    const columnar::Field& given = (*from.fields)[at];
    const columnar::Field& wanted = (*to.fields)[at];
    if ((given.nullable && !wanted.nullable) || !widens(given.type, wanted.type)) return false;
  }
  return true;
}

bool is_exact(TypeKind type) { return is_integer(type) || type == TypeKind::kDecimal; }

// Of two types of numbers that do not widen to each other.
Type common_number(const Type& a, const Type& b) {
  if (is_exact(a) && is_exact(b)) return common_decimal(as_decimal(a), as_decimal(b));
  return TypeKind::kDouble;
}

}  // namespace

bool widens(const Type& from, const Type& to) {
  if (from == to || from == TypeKind::kNull) return true;
  if (from.is_nested()) return fields_widen(from, to);
  if (to == TypeKind::kDecimal) return is_exact(from) && holds(as_decimal(from), to);
  if (from == TypeKind::kDecimal) return to == TypeKind::kDouble;
  return width_rank(from) > 0 && width_rank(from) < width_rank(to);
}

Expression coerce(Expression expression, const Type& target) {
  if (expression.type == target) return expression;
  if (const auto* literal = std::get_if<Literal>(&expression.node)) {
    if (auto value = converted(*literal, expression.type, target)) {
      const bool null = std::holds_alternative<std::monostate>(*value);
      return Expression{target, null, std::move(*value)};
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
    if (is_numeric(type) && is_numeric(common)) {
      common = common_number(type, common);
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
