// The types of the functions of times.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "sql/internal/typing.h"

namespace tidegate::sql {

using columnar::is_numeric;
using columnar::is_timestamp;
using columnar::TypeKind;

namespace {

constexpr std::string_view kFields[] = {"YEAR",   "QUARTER",     "MONTH", "WEEK",   "DAY", "HOUR",    "MINUTE",
                                        "SECOND", "MILLISECOND", "DOW",   "ISODOW", "DOY", "ISOYEAR", "EPOCH"};
constexpr std::string_view kUnits[] = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"};

Result<> check_unit(const Typing& typing, std::span<const std::string_view> units) {
  const auto* unit = literal_of<std::string>(typing.arguments[0]);
  if (unit != nullptr && std::ranges::find(units, *unit) != units.end()) return {};
  return fail_at(ErrorCode::SqlUnsupported, typing.position,
                 fmt::format("{} has no unit {}", typing.name, unit == nullptr ? "like this" : *unit),
                 fmt::format("Units are {}", fmt::join(units, ", ")));
}

Result<Expression> type_with_unit(Typing& typing, FunctionId id) {
  auto& arguments = typing.arguments;
  const bool extract = id == FunctionId::kExtract;
  if (extract) {
    TRY(check_unit(typing, kFields));
  } else {
    TRY(check_unit(typing, kUnits));
  }
  for (size_t at = 1; at < arguments.size(); ++at) {
    const bool count = id == FunctionId::kTimestampAdd && at == 1;
    if (count ? typing.fit(at, TypeKind::kInt) || typing.fit(at, TypeKind::kBigint)
              : is_timestamp(arguments[at].type)) {
      continue;
    }
    if (!count && typing.fit(at, TypeKind::kTimestamp)) continue;  // a bare NULL
    return typing.mismatch(count ? "The count is an INT" : "It needs a TIMESTAMP(3) or TIMESTAMP_LTZ(3)");
  }
  switch (id) {
    case FunctionId::kExtract: return typing.finish(id, TypeKind::kBigint, typing.any_nullable());
    case FunctionId::kTimestampAdd: {
      arguments[1] = coerce(std::move(arguments[1]), TypeKind::kBigint);
      return typing.finish(id, arguments[2].type, true);
    }
    case FunctionId::kTimestampDiff:
      TRY(unify({&arguments[1], &arguments[2]}, typing.position, typing.name));
      return typing.finish(id, TypeKind::kInt, true);
    // A start before the least timestamp there is cannot be said.
    case FunctionId::kCeilTime: return typing.finish(id, arguments[1].type, true);
    default: return typing.finish(id, arguments[1].type, typing.any_nullable());
  }
}

Result<Expression> type_instant_of_text(Typing& typing) {
  auto& arguments = typing.arguments;
  const auto text = [](std::string value) { return Expression{TypeKind::kString, false, Literal(std::move(value))}; };
  if (arguments.size() == 1) arguments.push_back(text("yyyy-MM-dd HH:mm:ss"));
  if (arguments.size() == 2) arguments.push_back(text("UTC"));
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (!typing.fit(at, TypeKind::kString)) return typing.mismatch("It is TO_TIMESTAMP_LTZ(text, pattern, zone)");
  }
  return typing.finish(FunctionId::kToTimestampLtz, TypeKind::kTimestampLtz, true);
}

Result<Expression> type_instant(Typing& typing) {
  auto& arguments = typing.arguments;
  if (arguments[0].type == TypeKind::kString) return type_instant_of_text(typing);
  if (arguments.size() == 1) arguments.push_back(Expression{TypeKind::kInt, false, Literal(int64_t{3})});
  const auto* precision = literal_of<int64_t>(arguments[1]);
  const bool known = precision != nullptr && (*precision == 0 || *precision == 3);
  if (!known || arguments.size() > 2 || !is_numeric(arguments[0].type)) {
    return typing.mismatch("TO_TIMESTAMP_LTZ(number, 3) for milliseconds, (number, 0) for seconds");
  }
  if (arguments[0].type == TypeKind::kInt) arguments[0] = coerce(std::move(arguments[0]), TypeKind::kBigint);
  const bool other = arguments[0].type == TypeKind::kFloat || arguments[0].type == TypeKind::kDecimal;
  if (other) arguments[0] = coerce(std::move(arguments[0]), TypeKind::kDouble);
  return typing.finish(FunctionId::kToTimestampLtz, TypeKind::kTimestampLtz, true);
}

struct FieldFunction {
  FunctionId id;
  std::string_view unit;
};
constexpr FieldFunction kFieldFunctions[] = {
    {FunctionId::kYear, "YEAR"},     {FunctionId::kQuarter, "QUARTER"}, {FunctionId::kMonth, "MONTH"},
    {FunctionId::kWeek, "WEEK"},     {FunctionId::kDayOfYear, "DOY"},   {FunctionId::kDayOfMonth, "DAY"},
    {FunctionId::kDayOfWeek, "DOW"}, {FunctionId::kHour, "HOUR"},       {FunctionId::kMinute, "MINUTE"},
    {FunctionId::kSecond, "SECOND"},
};

}  // namespace

Result<Expression> type_time(Typing& typing, FunctionId id) {
  return id == FunctionId::kToTimestampLtz ? type_instant(typing) : type_with_unit(typing, id);
}

Expression expand_field(Expression expression) {
  Call& call = *std::get<std::unique_ptr<Call>>(expression.node);
  for (const FieldFunction& field : kFieldFunctions) {
    if (field.id != call.function) continue;
    std::vector<Expression> arguments;
    arguments.push_back(Expression{TypeKind::kString, false, Literal(std::string(field.unit))});
    arguments.push_back(std::move(call.arguments[0]));
    return make_call(FunctionId::kExtract, expression.type, expression.nullable, std::move(arguments));
  }
  return expression;
}

}  // namespace tidegate::sql
