// Aggregates: which there are, what they take, and what they yield.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_expression.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

struct AggregateSignature {
  std::string_view name;
  AggregateFunction function;
  size_t least_arguments;
  size_t most_arguments;
  std::string_view form;
};

constexpr AggregateSignature kAggregates[] = {
    {"COUNT", AggregateFunction::kCount, 1, 1, "COUNT(x) or COUNT(*)"},
    {"SUM", AggregateFunction::kSum, 1, 1, "SUM(x)"},
    {"AVG", AggregateFunction::kAvg, 1, 1, "AVG(x)"},
    {"MIN", AggregateFunction::kMin, 1, 1, "MIN(x)"},
    {"MAX", AggregateFunction::kMax, 1, 1, "MAX(x)"},
    {"VAR_POP", AggregateFunction::kVarPop, 1, 1, "VAR_POP(x)"},
    {"VAR_SAMP", AggregateFunction::kVarSamp, 1, 1, "VAR_SAMP(x)"},
    {"VARIANCE", AggregateFunction::kVarSamp, 1, 1, "VARIANCE(x)"},
    {"STDDEV_POP", AggregateFunction::kStddevPop, 1, 1, "STDDEV_POP(x)"},
    {"STDDEV_SAMP", AggregateFunction::kStddevSamp, 1, 1, "STDDEV_SAMP(x)"},
    {"STDDEV", AggregateFunction::kStddevSamp, 1, 1, "STDDEV(x)"},
    {"FIRST_VALUE", AggregateFunction::kFirstValue, 1, 1, "FIRST_VALUE(x)"},
    {"LAST_VALUE", AggregateFunction::kLastValue, 1, 1, "LAST_VALUE(x)"},
    {"APPROX_PERCENTILE", AggregateFunction::kApproxPercentile, 2, 2, "APPROX_PERCENTILE(x, 0.99)"},
    {"TIME_WEIGHTED_AVG", AggregateFunction::kTimeWeightedAvg, 2, 2, "TIME_WEIGHTED_AVG(x, event_time)"},
    {"COUNTER_DELTA", AggregateFunction::kCounterDelta, 1, 3, "COUNTER_DELTA(counter [, rolls_over_at [, meter]])"},
    {"COVERAGE", AggregateFunction::kCoverage, 1, 1, "COVERAGE(INTERVAL '10' SECOND)"},
};

const AggregateSignature* find_aggregate(std::string_view name) {
  const auto found = std::ranges::find(kAggregates, name, &AggregateSignature::name);
  return found == std::end(kAggregates) ? nullptr : found;
}

bool takes_distinct(AggregateFunction function) {
  using enum AggregateFunction;
  return function == kCount || function == kSum || function == kAvg || function == kMin || function == kMax;
}

bool takes_numbers(AggregateFunction function) {
  using enum AggregateFunction;
  return function != kCount && function != kMin && function != kMax && function != kFirstValue &&
         function != kLastValue && function != kCoverage;
}

Result<> check_argument(AggregateFunction function, const AstExpression& ast, const Type& type) {
  const bool extreme = function == AggregateFunction::kMin || function == AggregateFunction::kMax;
  if (extreme || ast.distinct) TRY(refuse_nested(type, ast.children[0].position, ast.name));
  if (function == AggregateFunction::kCoverage) {
    if (type == TypeKind::kInterval) return {};
    return fail_at(ErrorCode::SqlTypeMismatch, ast.children[0].position,
                   fmt::format("COVERAGE cannot take {}", type_name(type)),
                   "It needs the time between two expected readings: COVERAGE(INTERVAL '10' SECOND)");
  }
  const bool arithmetic = takes_numbers(function);
  const bool counts = function == AggregateFunction::kCount;
  const bool fits = arithmetic ? columnar::is_numeric(type) : counts || type != TypeKind::kInterval;
  if (fits && type != TypeKind::kNull) return {};
  return fail_at(ErrorCode::SqlTypeMismatch, ast.children[0].position,
                 fmt::format("{} cannot take {}", ast.name, type_name(type)),
                 arithmetic ? "It needs a number; CAST it" : "CAST it to a column type");
}

Type result_type(AggregateFunction function, const Type& argument) {
  using enum AggregateFunction;
  switch (function) {
    case kCountStar:
    case kCount: return TypeKind::kBigint;
    case kSum:
      if (argument == TypeKind::kDecimal) return columnar::total_type(argument);
      return columnar::is_approximate(argument) ? argument : Type(TypeKind::kBigint);
    case kAvg: return argument == TypeKind::kDecimal ? columnar::average_type(argument) : Type(TypeKind::kDouble);
    case kMin:
    case kMax:
    case kFirstValue:
    case kLastValue: return argument;
    default: return TypeKind::kDouble;
  }
}

bool may_be_null(const BoundAggregate& bound) {
  using enum AggregateFunction;
  switch (bound.aggregate.function) {
    case kCountStar: return false;
    case kCount: return bound.aggregate.distinct;  // past its memory limit
    case kSum:
      return bound.aggregate.distinct || !columnar::is_approximate(bound.aggregate.type) || bound.argument.nullable;
    case kAvg: return bound.aggregate.distinct || bound.aggregate.type == TypeKind::kDecimal || bound.argument.nullable;
    case kMin:
    case kMax:
    case kFirstValue:
    case kLastValue:
    case kVarPop:
    case kStddevPop: return bound.argument.nullable;
    default: return true;
  }
}

std::optional<double> literal_number(const Expression& expression) {
  const auto* literal = std::get_if<Literal>(&expression.node);
  return literal == nullptr ? std::nullopt : number_of(*literal, expression.type);
}

// The arguments after the first one.
Result<> set_parameters(const AstExpression& ast, std::vector<Expression>& arguments, BoundAggregate& bound) {
  Aggregate& aggregate = bound.aggregate;
  if (aggregate.function == AggregateFunction::kApproxPercentile) {
    const auto fraction = literal_number(arguments[1]);
    if (!fraction || *fraction < 0 || *fraction > 1) {
      return fail_at(ErrorCode::SqlTypeMismatch, ast.children[1].position,
                     "the percentage must be a literal from 0 to 1", "APPROX_PERCENTILE(x, 0.99)");
    }
    aggregate.parameter = *fraction;
  }
  if (aggregate.function != AggregateFunction::kCounterDelta || arguments.size() == 1) return {};
  const auto* literal = std::get_if<Literal>(&arguments[1].node);
  const bool none = literal != nullptr && std::holds_alternative<std::monostate>(*literal);
  const auto modulus = literal_number(arguments[1]);
  if (!none && (!modulus || *modulus <= 0)) {
    return fail_at(ErrorCode::SqlTypeMismatch, ast.children[1].position,
                   "where the counter rolls over must be a positive literal, or NULL",
                   "COUNTER_DELTA(counter, 100000) for a counter of five digits");
  }
  aggregate.parameter = modulus.value_or(0);
  if (arguments.size() == 3) bound.meter = std::move(arguments[2]);
  return {};
}

// An aggregate passes over NULL, so that a condition becomes part of its argument.
void apply_filter(Expression condition, BoundAggregate& bound) {
  if (bound.aggregate.function == AggregateFunction::kCountStar) {
    bound.aggregate.function = AggregateFunction::kCount;
    bound.argument = Expression{TypeKind::kBigint, false, Literal{int64_t{1}}};
  }
  const Type type = bound.argument.type;
  std::vector<Expression> branches;
  branches.push_back(std::move(condition));
  branches.push_back(std::move(bound.argument));
  branches.push_back(Expression{type, true, Literal{}});
  bound.argument = make_call(FunctionId::kCase, type, true, std::move(branches));
}

bool same_aggregate(const BoundAggregate& left, const BoundAggregate& right) {
  return left.aggregate == right.aggregate && left.argument == right.argument &&
         left.meter.has_value() == right.meter.has_value() && (!left.meter || *left.meter == *right.meter);
}

}  // namespace

bool is_aggregate(std::string_view name) { return find_aggregate(name) != nullptr; }

Result<Expression> ExpressionBinder::bind_aggregate(const AstExpression& ast) {
  if (!scope_.grouped || inside_aggregate_) {
    return fail_at(ErrorCode::SqlInvalidGrouping, ast.position,
                   fmt::format("{} cannot stand {}", ast.name, inside_aggregate_ ? "inside an aggregate" : "here"),
                   "Aggregates stand in SELECT and HAVING of a query with GROUP BY");
  }
  const AggregateSignature& signature = *find_aggregate(ast.name);
  const size_t given = ast.children.size() - (ast.filtered ? 1 : 0);
  if (given < signature.least_arguments || given > signature.most_arguments) {
    return fail_at(ErrorCode::SqlTypeMismatch, ast.position,
                   signature.most_arguments == 1 ? fmt::format("{} takes one argument", ast.name)
                                                 : fmt::format("{} does not take {} arguments", ast.name, given),
                   signature.most_arguments == 1 ? std::string() : fmt::format("It is {}", signature.form));
  }
  if (ast.distinct && !takes_distinct(signature.function)) {
    return fail_at(ErrorCode::SqlUnsupported, ast.position, fmt::format("{}(DISTINCT ...)", ast.name),
                   "DISTINCT goes with COUNT, SUM, AVG, MIN and MAX");
  }
  BoundAggregate bound;
  bound.position = ast.position;
  bound.aggregate.function = signature.function;
  if (ast.children[0].kind == AstKind::kStar) {
    if (signature.function != AggregateFunction::kCount || ast.distinct) {
      return fail_at(ErrorCode::SqlSyntax, ast.children[0].position, fmt::format("{}(*) has no meaning", ast.name));
    }
    bound.aggregate.function = AggregateFunction::kCountStar;
    bound.argument = Expression{TypeKind::kBigint, false, Literal{}};
    bound.text = "COUNT(*)";
  } else {
    TRY_ASSIGN(auto arguments, bind_aggregate_arguments(ast));
    TRY(check_argument(signature.function, ast, arguments[0].type));
    TRY(check_ordered(signature.function, ast));
    const bool extreme = signature.function == AggregateFunction::kMin || signature.function == AggregateFunction::kMax;
    bound.aggregate.distinct = ast.distinct && !extreme;  // it changes nothing for those
    bound.aggregate.type = result_type(signature.function, arguments[0].type);
    bound.text = fmt::format("{}({}", ast.name, bound.aggregate.distinct ? "DISTINCT " : "");
    for (size_t at = 0; at < arguments.size(); ++at) {
      bound.text += fmt::format("{}{}", at == 0 ? "" : ", ", to_string(arguments[at]));
    }
    bound.text += ")";
    if (signature.function == AggregateFunction::kTimeWeightedAvg) TRY(check_event_time(arguments[1], ast));
    TRY(set_parameters(ast, arguments, bound));
    if (signature.function == AggregateFunction::kCoverage) {
      TRY(bind_coverage(ast, arguments[0], bound));
    } else {
      bound.argument = std::move(arguments[0]);
    }
  }
  if (ast.filtered) TRY(bind_filter(ast, bound));
  return add_aggregate(std::move(bound));
}

Result<std::vector<Expression>> ExpressionBinder::bind_aggregate_arguments(const AstExpression& ast) {
  std::vector<Expression> arguments;
  const size_t given = ast.children.size() - (ast.filtered ? 1 : 0);
  for (size_t at = 0; at < given; ++at) {
    inside_aggregate_ = true;
    auto argument = bind(ast.children[at]);
    inside_aggregate_ = false;
    if (!argument) return std::unexpected(std::move(argument.error()));
    arguments.push_back(std::move(*argument));
  }
  return arguments;
}

Result<> ExpressionBinder::check_ordered(AggregateFunction function, const AstExpression& ast) const {
  using enum AggregateFunction;
  const bool ordered = function == kFirstValue || function == kLastValue || function == kCounterDelta;
  if (!ordered || scope_.time_column) return {};
  return fail_at(ErrorCode::SqlNoTimeColumn, ast.position,
                 fmt::format("{} goes by event time, of which the rows here have none", ast.name),
                 "Declare WATERMARK FOR ts AS ts in the stream's CREATE TABLE; in a subquery, select its event time");
}

Result<> ExpressionBinder::check_event_time(const Expression& time, const AstExpression& ast) const {
  const auto* column = std::get_if<ColumnRef>(&time.node);
  if (column != nullptr && scope_.time_column == column->index) return {};
  const bool known = scope_.time_column && *scope_.time_column < scope_.visible;
  return fail_at(
      ErrorCode::SqlTypeMismatch, ast.children[1].position, fmt::format("{} goes by the event time only", ast.name),
      known ? fmt::format("The event time is '{}'", scope_.input->fields[*scope_.time_column].name) : std::string());
}

// What is counted are event times.
Result<> ExpressionBinder::bind_coverage(const AstExpression& ast, const Expression& interval, BoundAggregate& bound) {
  const auto* literal = std::get_if<Literal>(&interval.node);
  const auto* length = literal == nullptr ? nullptr : std::get_if<int64_t>(literal);
  if (length == nullptr || *length < kMicrosPerMilli || !scope_.time_column) {
    return fail_at(ErrorCode::SqlTypeMismatch, ast.children[0].position,
                   "the time between two expected readings must be a positive INTERVAL literal",
                   "COVERAGE(INTERVAL '10' SECOND)");
  }
  bound.aggregate.interval_us = *length;
  const columnar::Field& time = scope_.input->fields[*scope_.time_column];
  bound.argument = make_column(*scope_.time_column, time.name, time.type, time.nullable);
  return {};
}

Result<> ExpressionBinder::bind_filter(const AstExpression& ast, BoundAggregate& bound) {
  inside_aggregate_ = true;
  auto condition = bind_condition(ast.children.back(), "FILTER");
  inside_aggregate_ = false;
  if (!condition) return std::unexpected(std::move(condition.error()));
  bound.text += fmt::format(" FILTER (WHERE {})", to_string(*condition));
  apply_filter(std::move(*condition), bound);
  return {};
}

Result<Expression> ExpressionBinder::add_aggregate(BoundAggregate bound) {
  bound.nullable = may_be_null(bound);
  size_t index = 0;
  while (index < scope_.aggregates.size() && !same_aggregate(scope_.aggregates[index], bound)) ++index;
  Expression reference = make_column(scope_.aggregate_base() + index, bound.text, bound.aggregate.type, bound.nullable);
  const TextPosition position = bound.position;
  if (index == scope_.aggregates.size()) scope_.aggregates.push_back(std::move(bound));
  if (scope_.aggregates.size() > kMaxAggregates) {
    return fail_at(ErrorCode::SqlTooComplex, position, fmt::format("more than {} aggregates", kMaxAggregates));
  }
  return reference;
}

}  // namespace tidegate::sql
