// Names to functions and operators, with the types of those whose form has words of its own; the others go by their
// signature.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "sql/functions.h"
#include "sql/internal/literal_checks.h"
#include "sql/internal/signature.h"
#include "sql/internal/text.h"
#include "sql/internal/typing.h"

namespace tidegate::sql {

using columnar::is_numeric;
using columnar::is_timestamp;
using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

struct Synonym {
  std::string_view name;
  FunctionId id;
};
constexpr Synonym kSynonyms[] = {{"CHARACTER_LENGTH", FunctionId::kCharLength},
                                 {"CEILING", FunctionId::kCeil},
                                 {"SUBSTR", FunctionId::kSubstring},
                                 {"POW", FunctionId::kPower}};

std::optional<FunctionId> find_function(std::string_view name) {
  for (const FunctionInfo& known : functions()) {
    if (known.name == name) return known.id;
  }
  for (const Synonym& known : kSynonyms) {
    if (known.name == name) return known.id;
  }
  return std::nullopt;
}

std::unexpected<Error> unknown_function(const std::string& name, TextPosition position) {
  constexpr std::string_view kNow[] = {
      "NOW",       "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "CURRENT_ROW_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME",
      "LOCALTIME", "PROCTIME",          "RAND",           "RAND_INTEGER",          "UUID"};
  if (std::ranges::find(kNow, name) != std::end(kNow)) {
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("{} is not supported", name),
                   "Its result differs when the data is replayed; use the event time column");
  }
  if (name.starts_with("TUMBLE") || name.starts_with("HOP")) {
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("{} as a function is not supported", name),
                   "Use FROM TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), INTERVAL '10' SECOND)) with GROUP BY "
                   "window_start, window_end");
  }
  if (name == "TO_DATE" || name == "TO_TIME") {
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("{} is not supported: there is no such type", name),
                   "Use TO_TIMESTAMP(text, 'yyyy-MM-dd'), or FLOOR(time TO DAY)");
  }
  std::vector<std::string> candidates = {"COUNT", "SUM", "AVG", "MIN", "MAX"};
  for (const FunctionInfo& known : functions()) candidates.emplace_back(known.name);
  return fail_at(ErrorCode::SqlUnknownFunction, position, fmt::format("unknown function {}", name),
                 did_you_mean(name, candidates));
}

bool is_decimal_arithmetic(const std::vector<Expression>& arguments) {
  const auto decimal = [](const Expression& argument) { return argument.type == TypeKind::kDecimal; };
  const auto approximate = [](const Expression& argument) { return columnar::is_approximate(argument.type); };
  return std::ranges::any_of(arguments, decimal) && std::ranges::none_of(arguments, approximate);
}

// Each side keeps its own scale; the result has the digits that Flink gives it.
Result<Expression> type_decimals(Typing& typing, FunctionId id) {
  auto& arguments = typing.arguments;
  for (Expression& argument : arguments) {
    const bool null = argument.type == TypeKind::kNull;
    const Type exact = columnar::as_decimal(null ? Type(TypeKind::kInt) : argument.type);
    argument = coerce(std::move(argument), exact);
  }
  const Type& a = arguments[0].type;
  const Type& b = arguments.back().type;
  switch (id) {
    case FunctionId::kNegate: return typing.finish(id, Type(a), arguments[0].nullable);
    case FunctionId::kMultiply: return typing.finish(id, columnar::product_type(a, b), true);
    case FunctionId::kDivide: return typing.finish(id, columnar::quotient_type(a, b), true);
    case FunctionId::kModulo:
    case FunctionId::kMod: return typing.finish(id, columnar::remainder_type(a, b), true);
    default: return typing.finish(id, columnar::sum_type(a, b), true);
  }
}

Result<Expression> type_arithmetic(Typing& typing, FunctionId id) {
  auto& arguments = typing.arguments;
  if (id == FunctionId::kAdd || id == FunctionId::kSubtract) {
    const Type a = arguments[0].type;
    const Type b = arguments[1].type;
    if (is_timestamp(a) && b == TypeKind::kInterval) return typing.finish(id, a, true);
    if (a == TypeKind::kInterval && is_timestamp(b) && id == FunctionId::kAdd) {
      std::swap(arguments[0], arguments[1]);
      return typing.finish(id, b, true);
    }
    if (a == TypeKind::kInterval && b == a) return typing.finish(id, a, true);
    if (is_timestamp(a) && a == b && id == FunctionId::kSubtract) return typing.finish(id, TypeKind::kInterval, true);
  }
  for (const Expression& argument : arguments) {
    if (is_numeric(argument.type) || argument.type == TypeKind::kNull) continue;
    return typing.mismatch(argument.type == TypeKind::kString && id == FunctionId::kAdd
                               ? "Use || to join text, or CAST it to a number"
                               : "CAST it to a number");
  }
  const auto bare_null = [](const Expression& argument) { return argument.type == TypeKind::kNull; };
  if (std::ranges::all_of(arguments, bare_null)) arguments[0] = coerce(std::move(arguments[0]), TypeKind::kInt);
  if (is_decimal_arithmetic(arguments)) return type_decimals(typing, id);
  TRY_ASSIGN(const Type type, typing.unify_all());
  const bool integers_only = id == FunctionId::kModulo || id == FunctionId::kMod;
  if (integers_only && columnar::is_approximate(type)) {
    return typing.mismatch("It needs integers or DECIMAL; CAST to BIGINT");
  }
  return typing.finish(id, type, true);
}

// Exact whatever the digits of the two: neither is converted to a type that might not hold it.
Result<Expression> compare_decimals(Typing& typing, FunctionId id) {
  for (Expression& argument : typing.arguments) {
    const bool number = is_numeric(argument.type) || argument.type == TypeKind::kNull;
    if (!number) return typing.mismatch("CAST one side");
    const bool null = argument.type == TypeKind::kNull;
    const Type exact = null ? Type::decimal(1, 0) : columnar::as_decimal(argument.type);
    argument = coerce(std::move(argument), exact);
  }
  return typing.finish(id, TypeKind::kBoolean, typing.any_nullable());
}

// LIKE, SIMILAR TO, ||, POSITION, TRIM: texts only.
Result<Expression> type_texts(Typing& typing, FunctionId id) {
  for (size_t at = 0; at < typing.arguments.size(); ++at) {
    if (!typing.fit(at, TypeKind::kString)) return typing.mismatch("It needs STRING; CAST(x AS STRING)");
  }
  const bool test = id == FunctionId::kLike || id == FunctionId::kSimilarTo;
  const Type type = test ? TypeKind::kBoolean : id == FunctionId::kPosition ? TypeKind::kInt : TypeKind::kString;
  return typing.finish(id, type, typing.any_nullable() || id == FunctionId::kSimilarTo);
}

// SUBSTRING and OVERLAY: `texts` texts, then numbers.
Result<Expression> type_parts(Typing& typing, FunctionId id, size_t texts) {
  for (size_t at = 0; at < typing.arguments.size(); ++at) {
    if (!typing.fit(at, at < texts ? TypeKind::kString : TypeKind::kInt)) {
      return typing.mismatch(at < texts ? "It needs STRING; CAST(x AS STRING)" : "Positions are INT");
    }
  }
  return typing.finish(id, TypeKind::kString, typing.any_nullable());
}

Result<Expression> type_choice(Typing& typing, FunctionId id) {
  TRY_ASSIGN(const Type type, typing.unify_all());
  const auto nullable = [](const Expression& argument) { return argument.nullable; };
  const bool null = id == FunctionId::kNullIf     ? true
                    : id == FunctionId::kCoalesce ? std::ranges::all_of(typing.arguments, nullable)
                                                  : typing.any_nullable();
  return typing.finish(id, type, null);
}

// IF and IFNULL are CASE and COALESCE.
Result<Expression> type_shorthand(Typing& typing, FunctionId id) {
  auto& arguments = typing.arguments;
  if (id == FunctionId::kIfNull) return type_choice(typing, FunctionId::kCoalesce);
  if (!typing.fit(0, TypeKind::kBoolean)) return typing.mismatch("The condition is a BOOLEAN");
  TRY_ASSIGN(const Type type, unify({&arguments[1], &arguments[2]}, typing.position, typing.name));
  const bool nullable = arguments[1].nullable || arguments[2].nullable;
  return typing.finish(FunctionId::kCase, type, nullable);
}

struct Arity {
  size_t least;
  size_t most;
};

// Of the functions that do not go by their signature.
Arity arity_of(FunctionId id) {
  constexpr size_t kMany = 1024;  // arguments of COALESCE, GREATEST, LEAST; elements of ARRAY, fields of ROW
  switch (id) {
    case FunctionId::kLike:
    case FunctionId::kSubstring: return {2, 3};
    case FunctionId::kOverlay: return {3, 4};
    case FunctionId::kToTimestampLtz: return {1, 3};
    case FunctionId::kCoalesce:
    case FunctionId::kGreatest:
    case FunctionId::kLeast: return {1, kMany};
    case FunctionId::kIf:
    case FunctionId::kTimestampAdd:
    case FunctionId::kTimestampDiff: return {3, 3};
    case FunctionId::kJsonExists: return {3, 3};
    case FunctionId::kJsonQuery: return {3, 3};
    case FunctionId::kJsonValue: return {6, 6};
    case FunctionId::kArrayOf:
    case FunctionId::kRowOf: return {1, kMany};
    case FunctionId::kArrayJoin:
    case FunctionId::kArraySlice: return {2, 3};
    case FunctionId::kCardinality:
    case FunctionId::kElement:
    case FunctionId::kArrayDistinct:
    case FunctionId::kArrayMax:
    case FunctionId::kArrayMin:
    case FunctionId::kArrayReverse:
    case FunctionId::kNegate:
    case FunctionId::kNot:
    case FunctionId::kIsNull:
    case FunctionId::kIsNotNull:
    case FunctionId::kTrim: return {1, 1};
    default: return {2, 2};
  }
}

Result<> check_arity(const Typing& typing, FunctionId id) {
  const Arity arity = arity_of(id);
  const size_t count = typing.arguments.size();
  if (count >= arity.least && count <= arity.most) return {};
  const std::string wanted =
      arity.least == arity.most ? fmt::format("{}", arity.least) : fmt::format("{} to {}", arity.least, arity.most);
  return fail_at(ErrorCode::SqlTypeMismatch, typing.position,
                 fmt::format("{} takes {} argument(s) but has {}", typing.name, wanted, count),
                 fmt::format("It is {}", function_info(id).signature));
}

// What compares its arguments takes no arrays and rows.
Result<> refuse_nested_arguments(const Typing& typing, FunctionId id) {
  const bool compares = (id >= FunctionId::kEqual && id <= FunctionId::kGreaterOrEqual) ||
                        id == FunctionId::kDistinctFrom || id == FunctionId::kNullIf || id == FunctionId::kGreatest ||
                        id == FunctionId::kLeast;
  if (!compares) return {};
  for (const Expression& argument : typing.arguments) TRY(refuse_nested(argument.type, typing.position, typing.name));
  return {};
}

Result<Expression> type_by_form(Typing& typing, FunctionId id) {
  TRY(refuse_nested_arguments(typing, id));
  switch (id) {
    case FunctionId::kAdd:
    case FunctionId::kSubtract:
    case FunctionId::kMultiply:
    case FunctionId::kDivide:
    case FunctionId::kModulo:
    case FunctionId::kMod:
    case FunctionId::kNegate: return type_arithmetic(typing, id);
    case FunctionId::kNot:
      if (!typing.fit(0, TypeKind::kBoolean)) return typing.mismatch("It needs a BOOLEAN");
      return typing.finish(id, TypeKind::kBoolean, typing.arguments[0].nullable);
    case FunctionId::kIsNull:
    case FunctionId::kIsNotNull: TRY(typing.unify_all()); return typing.finish(id, TypeKind::kBoolean, false);
    case FunctionId::kDistinctFrom: TRY(typing.unify_all()); return typing.finish(id, TypeKind::kBoolean, false);
    case FunctionId::kCoalesce:
    case FunctionId::kNullIf:
    case FunctionId::kGreatest:
    case FunctionId::kLeast: return type_choice(typing, id);
    case FunctionId::kIf:
    case FunctionId::kIfNull: return type_shorthand(typing, id);
    case FunctionId::kLike:
    case FunctionId::kSimilarTo:
    case FunctionId::kConcatOperator:
    case FunctionId::kPosition:
    case FunctionId::kTrim: return type_texts(typing, id);
    case FunctionId::kSubstring: return type_parts(typing, id, 1);
    case FunctionId::kOverlay: return type_parts(typing, id, 2);
    case FunctionId::kSha2: return type_sha2(typing);
    default: break;
  }
  if (id >= FunctionId::kEqual && id <= FunctionId::kGreaterOrEqual) {
    if (is_decimal_arithmetic(typing.arguments)) return compare_decimals(typing, id);
    TRY(typing.unify_all());
    return typing.finish(id, TypeKind::kBoolean, typing.any_nullable());
  }
  if (function_info(id).category == FunctionCategory::kCollection) return type_collection(typing, id);
  return function_info(id).category == FunctionCategory::kJson ? type_json(typing, id) : type_time(typing, id);
}

}  // namespace

std::unexpected<Error> Typing::mismatch(std::string hint) const {
  std::string types;
  for (const Expression& argument : arguments) {
    if (!types.empty()) types += ", ";
    types += type_name(argument.type);
  }
  return fail_at(ErrorCode::SqlTypeMismatch, position, fmt::format("{} cannot take ({})", name, types),
                 std::move(hint));
}

bool Typing::any_nullable() const {
  return std::ranges::any_of(arguments, [](const Expression& argument) { return argument.nullable; });
}

Result<Type> Typing::unify_all() const {
  std::vector<Expression*> sides;
  for (Expression& argument : arguments) sides.push_back(&argument);
  return unify(sides, position, name);
}

bool Typing::fit(size_t at, const Type& type) const {
  if (!widens(arguments[at].type, type)) return false;
  arguments[at] = coerce(std::move(arguments[at]), type);
  return true;
}

Expression Typing::finish(FunctionId id, Type type, bool nullable) const {
  return make_call(id, std::move(type), nullable, std::move(arguments));
}

Result<Expression> resolve_call(const std::string& name, TextPosition position, std::vector<Expression> arguments) {
  const auto id = find_function(name);
  const bool clock = id == FunctionId::kUnixTimestamp && arguments.empty();  // UNIX_TIMESTAMP() is what it is now
  if (!id || clock) return unknown_function(clock ? "NOW" : name, position);
  if (function_info(*id).signature.starts_with('(')) {
    TRY_ASSIGN(Expression call, resolve_by_signature(*id, position, std::move(arguments)));
    TRY(check_literals(call, position));
    return expand_field(std::move(call));
  }
  Typing typing{name, position, arguments};
  TRY(check_arity(typing, *id));
  TRY_ASSIGN(Expression call, type_by_form(typing, *id));
  TRY(check_literals(call, position));
  return call;
}

}  // namespace tidegate::sql
