// The types of functions and operators.
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

namespace {

struct Known {
  std::string_view name;
  FunctionId id;
};
constexpr std::array kKnown = {
#define TIDEGATE_FUNCTION(id, name, signature, meaning) Known{name, FunctionId::id},
#include "sql/functions.inc"
#undef TIDEGATE_FUNCTION
};
constexpr Known kSynonyms[] = {
    {"CHARACTER_LENGTH", FunctionId::kCharLength}, {"CEILING", FunctionId::kCeil}, {"SUBSTR", FunctionId::kSubstring}};

std::optional<FunctionId> find_function(std::string_view name) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.id;
  }
  for (const Known& known : kSynonyms) {
    if (known.name == name) return known.id;
  }
  return std::nullopt;
}

std::unexpected<Error> unknown_function(const std::string& name, TextPosition position) {
  constexpr std::string_view kNow[] = {
      "NOW", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "CURRENT_ROW_TIMESTAMP", "PROCTIME", "RAND", "UUID"};
  if (std::ranges::find(kNow, name) != std::end(kNow)) {
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("{} is not supported", name),
                   "Its result differs when the data is replayed; use the event time column");
  }
  if (name.starts_with("TUMBLE") || name.starts_with("HOP")) {
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("{} as a function is not supported", name),
                   "Use FROM TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), INTERVAL '10' SECOND)) with GROUP BY "
                   "window_start, window_end");
  }
  std::vector<std::string> candidates = {"COUNT", "SUM", "AVG", "MIN", "MAX", "CAST"};
  for (const Known& known : kKnown) candidates.emplace_back(known.name);
  return fail_at(ErrorCode::SqlUnknownFunction, position, fmt::format("unknown function {}", name),
                 did_you_mean(name, candidates));
}

// One call being typed.
struct Typing {
  const std::string& name;
  TextPosition position;
  std::vector<Expression>& arguments;

  [[nodiscard]] std::unexpected<Error> mismatch(std::string hint = {}) const {
    std::string types;
    for (const Expression& argument : arguments) {
      if (!types.empty()) types += ", ";
      types += type_name(argument.type);
    }
    return fail_at(ErrorCode::SqlTypeMismatch, position, fmt::format("{} cannot take ({})", name, types),
                   std::move(hint));
  }
  [[nodiscard]] bool any_nullable() const {
    return std::ranges::any_of(arguments, [](const Expression& argument) { return argument.nullable; });
  }
  [[nodiscard]] Result<TypeKind> unify_all() const {
    std::vector<Expression*> sides;
    for (Expression& argument : arguments) sides.push_back(&argument);
    return unify(sides, position, name);
  }
  // NULL literals become `type`; widening casts; false if one does not fit.
  [[nodiscard]] bool fit(size_t at, TypeKind type) const {
    if (!widens(arguments[at].type, type)) return false;
    arguments[at] = coerce(std::move(arguments[at]), type);
    return true;
  }
};

Result<Expression> finish(Typing& typing, FunctionId id, TypeKind type, bool nullable) {
  return make_call(id, type, nullable, std::move(typing.arguments));
}

Result<Expression> type_arithmetic(Typing& typing, FunctionId id) {
  auto& arguments = typing.arguments;
  if (id == FunctionId::kAdd || id == FunctionId::kSubtract) {
    const TypeKind a = arguments[0].type;
    const TypeKind b = arguments[1].type;
    if (is_timestamp(a) && b == TypeKind::kInterval) return finish(typing, id, a, true);
    if (a == TypeKind::kInterval && is_timestamp(b) && id == FunctionId::kAdd) {
      std::swap(arguments[0], arguments[1]);
      return finish(typing, id, b, true);
    }
    if (a == TypeKind::kInterval && b == a) return finish(typing, id, a, true);
    if (is_timestamp(a) && a == b && id == FunctionId::kSubtract) return finish(typing, id, TypeKind::kInterval, true);
  }
  for (const Expression& argument : arguments) {
    if (is_numeric(argument.type) || argument.type == TypeKind::kNull) continue;
    return typing.mismatch(argument.type == TypeKind::kString && id == FunctionId::kAdd
                               ? "Use || to join text, or CAST it to a number"
                               : "CAST it to a number");
  }
  const auto bare_null = [](const Expression& argument) { return argument.type == TypeKind::kNull; };
  if (std::ranges::all_of(arguments, bare_null)) arguments[0] = coerce(std::move(arguments[0]), TypeKind::kInt);
  TRY_ASSIGN(const TypeKind type, typing.unify_all());
  const bool integers_only = id == FunctionId::kModulo || id == FunctionId::kMod;
  if (integers_only && type == TypeKind::kDouble) return typing.mismatch("It needs integers; CAST to BIGINT");
  return finish(typing, id, type, true);
}

Result<Expression> type_comparison(Typing& typing, FunctionId id) {
  TRY(typing.unify_all());
  return finish(typing, id, TypeKind::kBoolean, typing.any_nullable());
}

Result<Expression> type_strings(Typing& typing, FunctionId id) {
  for (size_t at = 0; at < typing.arguments.size(); ++at) {
    const bool number = id == FunctionId::kSubstring && at > 0;
    if (!typing.fit(at, number ? TypeKind::kInt : TypeKind::kString)) {
      return typing.mismatch(number ? "Positions are INT" : "It needs STRING; CAST(x AS STRING)");
    }
  }
  switch (id) {
    case FunctionId::kLike: return finish(typing, id, TypeKind::kBoolean, typing.any_nullable());
    case FunctionId::kCharLength:
    case FunctionId::kPosition: return finish(typing, id, TypeKind::kInt, typing.any_nullable());
    default: return finish(typing, id, TypeKind::kString, typing.any_nullable());
  }
}

Result<Expression> type_math(Typing& typing, FunctionId id) {
  for (size_t at = 0; at < typing.arguments.size(); ++at) {
    const TypeKind type = typing.arguments[at].type;
    if (!is_numeric(type) && type != TypeKind::kNull) return typing.mismatch("It needs a number; CAST it");
    if (type == TypeKind::kNull) typing.arguments[at] = coerce(std::move(typing.arguments[at]), TypeKind::kInt);
  }
  if (id == FunctionId::kRound) {
    if (typing.arguments.size() == 2 && !typing.fit(1, TypeKind::kInt)) return typing.mismatch("The digits are INT");
    return finish(typing, id, typing.arguments[0].type, true);
  }
  const bool to_double = id >= FunctionId::kSqrt && id <= FunctionId::kLog10;
  if (!to_double) return finish(typing, id, typing.arguments[0].type, true);
  for (Expression& argument : typing.arguments) argument = coerce(std::move(argument), TypeKind::kDouble);
  return finish(typing, id, TypeKind::kDouble, true);
}

bool is_one_of(const Expression& literal, std::span<const std::string_view> words) {
  const auto* value = std::get_if<Literal>(&literal.node);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text != nullptr && std::ranges::find(words, *text) != words.end();
}

Result<Expression> type_time(Typing& typing, FunctionId id) {
  auto& arguments = typing.arguments;
  if (id == FunctionId::kToTimestampLtz) {
    if (arguments.size() == 1) arguments.push_back(Expression{TypeKind::kInt, false, Literal(int64_t{3})});
    const auto* literal = std::get_if<Literal>(&arguments[1].node);
    const auto* precision = literal == nullptr ? nullptr : std::get_if<int64_t>(literal);
    if (precision == nullptr || (*precision != 0 && *precision != 3) || !is_numeric(arguments[0].type)) {
      return typing.mismatch("TO_TIMESTAMP_LTZ(number, 3) for milliseconds, (number, 0) for seconds");
    }
    if (arguments[0].type == TypeKind::kInt) arguments[0] = coerce(std::move(arguments[0]), TypeKind::kBigint);
    return finish(typing, id, TypeKind::kTimestampLtz, true);
  }
  const bool unit_first = id == FunctionId::kExtract || id == FunctionId::kFloorTime;
  Expression& time = arguments[unit_first ? 1 : 0];
  if (!is_timestamp(time.type)) return typing.mismatch("It needs a TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
  const bool nullable = typing.any_nullable();
  if (unit_first) {
    constexpr std::string_view kFields[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "DOW", "DOY", "EPOCH"};
    const auto fields = std::span(kFields).first(id == FunctionId::kExtract ? 9 : 6);
    if (!is_one_of(arguments[0], fields)) {
      return fail_at(ErrorCode::SqlUnsupported, typing.position, fmt::format("this unit of {}", typing.name),
                     id == FunctionId::kExtract ? "Units are YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, DOW, DOY, EPOCH"
                                                : "Units are YEAR, MONTH, DAY, HOUR, MINUTE, SECOND");
    }
    const TypeKind type = id == FunctionId::kExtract ? TypeKind::kBigint : time.type;
    return finish(typing, id, type, nullable);
  }
  if (id == FunctionId::kUnixTimestamp) return finish(typing, id, TypeKind::kBigint, nullable);
  if (!typing.fit(1, TypeKind::kString)) return typing.mismatch("The format is a STRING such as 'yyyy-MM-dd'");
  return finish(typing, id, TypeKind::kString, nullable);
}

struct Arity {
  size_t least;
  size_t most;
};

Arity arity_of(FunctionId id) {
  constexpr size_t kMany = 1024;  // arguments of COALESCE, CONCAT, GREATEST, LEAST
  switch (id) {
    case FunctionId::kLike:
    case FunctionId::kSubstring: return {2, 3};
    case FunctionId::kRound:
    case FunctionId::kToTimestampLtz: return {1, 2};
    case FunctionId::kReplace: return {3, 3};
    case FunctionId::kCoalesce:
    case FunctionId::kConcat:
    case FunctionId::kGreatest:
    case FunctionId::kLeast: return {1, kMany};
    case FunctionId::kNegate:
    case FunctionId::kNot:
    case FunctionId::kIsNull:
    case FunctionId::kIsNotNull:
    case FunctionId::kUpper:
    case FunctionId::kLower:
    case FunctionId::kCharLength:
    case FunctionId::kTrim:
    case FunctionId::kAbs:
    case FunctionId::kCeil:
    case FunctionId::kFloor:
    case FunctionId::kSqrt:
    case FunctionId::kExp:
    case FunctionId::kLn:
    case FunctionId::kLog10:
    case FunctionId::kSign:
    case FunctionId::kUnixTimestamp: return {1, 1};
    default: return {2, 2};
  }
}

Result<Expression> type_choice(Typing& typing, FunctionId id) {
  TRY_ASSIGN(const TypeKind type, typing.unify_all());
  const auto nullable = [](const Expression& argument) { return argument.nullable; };
  const bool null = id == FunctionId::kNullIf     ? true
                    : id == FunctionId::kCoalesce ? std::ranges::all_of(typing.arguments, nullable)
                                                  : typing.any_nullable();
  return finish(typing, id, type, null);
}

}  // namespace

Result<Expression> resolve_call(const std::string& name, TextPosition position, std::vector<Expression> arguments) {
  const auto id = find_function(name);
  if (!id) return unknown_function(name, position);
  Typing typing{name, position, arguments};
  const Arity arity = arity_of(*id);
  if (arguments.size() < arity.least || arguments.size() > arity.most) {
    const std::string wanted =
        arity.least == arity.most ? fmt::format("{}", arity.least) : fmt::format("{} to {}", arity.least, arity.most);
    return fail_at(ErrorCode::SqlTypeMismatch, position,
                   fmt::format("{} takes {} argument(s) but has {}", name, wanted, arguments.size()));
  }
  switch (*id) {
    case FunctionId::kAdd:
    case FunctionId::kSubtract:
    case FunctionId::kMultiply:
    case FunctionId::kDivide:
    case FunctionId::kModulo:
    case FunctionId::kMod:
    case FunctionId::kNegate: return type_arithmetic(typing, *id);
    case FunctionId::kNot:
      if (!typing.fit(0, TypeKind::kBoolean)) return typing.mismatch("It needs a BOOLEAN");
      return finish(typing, *id, TypeKind::kBoolean, arguments[0].nullable);
    case FunctionId::kIsNull:
    case FunctionId::kIsNotNull: TRY(typing.unify_all()); return finish(typing, *id, TypeKind::kBoolean, false);
    case FunctionId::kCoalesce:
    case FunctionId::kNullIf:
    case FunctionId::kGreatest:
    case FunctionId::kLeast: return type_choice(typing, *id);
    default: break;
  }
  if (*id >= FunctionId::kEqual && *id <= FunctionId::kGreaterOrEqual) return type_comparison(typing, *id);
  const bool text = *id == FunctionId::kLike || *id == FunctionId::kConcatOperator;
  if (text || (*id >= FunctionId::kUpper && *id <= FunctionId::kPosition)) return type_strings(typing, *id);
  if (*id >= FunctionId::kAbs && *id <= FunctionId::kSign) return type_math(typing, *id);
  if (*id >= FunctionId::kExtract) return type_time(typing, *id);
  return unknown_function(name, position);
}

}  // namespace tidegate::sql
