// OVER: what is computed for each row of the rows before it.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Schema;
using columnar::Type;
using columnar::TypeKind;

namespace {

constexpr int64_t kMaxFrameRows = 10'000;  // per row so many are gone through
// Calls stand at these columns until it is known where the operator puts them.
constexpr size_t kOverBase = 1'000'000;

constexpr std::pair<std::string_view, OverFunction> kFunctions[] = {
    {"ROW_NUMBER", OverFunction::kRowNumber},
    {"LAG", OverFunction::kLag},
    {"COUNT", OverFunction::kCount},
    {"SUM", OverFunction::kSum},
    {"AVG", OverFunction::kAvg},
    {"MIN", OverFunction::kMin},
    {"MAX", OverFunction::kMax},
    {"FIRST_VALUE", OverFunction::kFirstValue},
    {"LAST_VALUE", OverFunction::kLastValue},
};

bool is_column(const Expression& expression, std::optional<size_t> index) {
  const auto* column = std::get_if<ColumnRef>(&expression.node);
  return column != nullptr && index && column->index == *index;
}

Result<Type> result_type(OverFunction function, const Expression& argument, const AstExpression& ast) {
  using enum OverFunction;
  const Type& type = argument.type;
  if (!ast.children.empty()) TRY(refuse_nested(type, ast.children[0].position, fmt::format("{} with OVER", ast.name)));
  if (function == kCount || function == kCountStar || function == kRowNumber) return Type(TypeKind::kBigint);
  const bool arithmetic = function == kSum || function == kAvg;
  if (type == TypeKind::kNull || type == TypeKind::kInterval || (arithmetic && !columnar::is_numeric(type))) {
    return fail_at(ErrorCode::SqlTypeMismatch, ast.children[0].position,
                   fmt::format("{} cannot take {}", ast.name, columnar::type_name(type)),
                   arithmetic ? "It needs a number; CAST it" : "CAST it to a column type");
  }
  if (type == TypeKind::kDecimal && arithmetic) {
    return function == kAvg ? columnar::average_type(type) : columnar::total_type(type);
  }
  if (function == kAvg) return Type(TypeKind::kDouble);
  if (function == kSum) return columnar::is_approximate(type) ? type : Type(TypeKind::kBigint);
  return type;
}

bool has_over(const AstExpression& ast) { return ast.over != nullptr || std::ranges::any_of(ast.children, has_over); }

void move_calls(Expression& expression, size_t base) {
  if (auto* column = std::get_if<ColumnRef>(&expression.node)) {
    if (column->index >= kOverBase) column->index = base + (column->index - kOverBase);
  }
  if (auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (Expression& argument : (*call)->arguments) move_calls(argument, base);
  }
}

std::string frame_text(const OverCall& call) {
  if (call.function == OverFunction::kRowNumber) return "";
  if (call.function == OverFunction::kLag) return fmt::format(" {} back", call.rows);
  if (call.range_us) return fmt::format(" over {}", duration_text(*call.range_us));
  return fmt::format(" over {} rows", call.rows + 1);
}

// The operator's input: all columns of the relation, then what must be computed.
class OverInput {
 public:
  explicit OverInput(const Schema& schema) {
    for (size_t at = 0; at < schema.fields.size(); ++at) {
      const Field& field = schema.fields[at];
      names.push_back(field.name);
      expressions.push_back(make_column(at, field.name, field.type, field.nullable));
    }
  }
  size_t place(const Expression& expression) {
    for (size_t at = 0; at < expressions.size(); ++at) {
      if (expressions[at] == expression) return at;
    }
    names.push_back(to_string(expression));
    expressions.push_back(expression.clone());
    return expressions.size() - 1;
  }

  std::vector<Expression> expressions;
  std::vector<std::string> names;
};

}  // namespace

bool needs_over(const Query& query) {
  return std::ranges::any_of(query.items,
                             [](const SelectItem& item) { return !item.star && has_over(item.expression); });
}

Result<Expression> ExpressionBinder::bind_over(const AstExpression& ast) {
  OverScope* over = scope_.over;
  if (over == nullptr || inside_aggregate_) {
    return fail_at(ErrorCode::SqlInvalidGrouping, ast.position, fmt::format("{} OVER cannot stand here", ast.name),
                   "OVER stands in SELECT of a query without GROUP BY; use a subquery to filter by it");
  }
  const auto found = std::ranges::find(kFunctions, ast.name, &std::pair<std::string_view, OverFunction>::first);
  if (found == std::end(kFunctions) || ast.distinct || ast.filtered) {
    return fail_at(ErrorCode::SqlUnsupported, ast.position,
                   ast.distinct || ast.filtered ? "DISTINCT and FILTER with OVER are not supported"
                                                : fmt::format("{} OVER is not supported", ast.name),
                   "ROW_NUMBER, LAG, COUNT, SUM, AVG, MIN, MAX, FIRST_VALUE and LAST_VALUE are there");
  }
  TRY(bind_over_window(*ast.over, *over));
  BoundOver bound;
  bound.call.function = found->second;
  inside_aggregate_ = true;
  auto arguments = bind_over_arguments(ast, bound);
  inside_aggregate_ = false;
  TRY(std::move(arguments));
  TRY(bind_frame(ast, bound));
  bound.nullable = bound.call.type != TypeKind::kBigint || bound.call.function == OverFunction::kLag ||
                   bound.call.function >= OverFunction::kSum;
  const auto same = [&](const BoundOver& other) {
    return other.call == bound.call && other.argument == bound.argument;
  };
  const auto known = std::ranges::find_if(over->calls, same);
  const auto index = static_cast<size_t>(known - over->calls.begin());
  Expression reference = make_column(kOverBase + index, bound.text, bound.call.type, bound.nullable);
  if (known == over->calls.end()) over->calls.push_back(std::move(bound));
  if (over->calls.size() <= kMaxAggregates) return reference;
  return fail_at(ErrorCode::SqlTooComplex, ast.position, fmt::format("more than {} OVER calls", kMaxAggregates));
}

Result<> ExpressionBinder::bind_over_window(const OverClause& clause, OverScope& over) {
  OverScope* const outer = std::exchange(scope_.over, nullptr);
  const auto bind_all = [&](OverScope& into) -> Result<> {
    for (const AstExpression& key : clause.partition) {
      TRY_ASSIGN(Expression expression, bind(key));
      TRY(refuse_nested(expression.type, key.position, "PARTITION BY"));
      if (std::ranges::find(into.keys, expression) == into.keys.end()) into.keys.push_back(std::move(expression));
    }
    for (const OrderItem& item : clause.order) {
      TRY_ASSIGN(Expression expression, bind(item.expression));
      TRY(refuse_nested(expression.type, item.expression.position, "ORDER BY"));
      into.order.push_back(std::move(expression));
      into.descending.push_back(item.descending);
    }
    return {};
  };
  OverScope given;
  auto bound = bind_all(given);
  scope_.over = outer;
  TRY(std::move(bound));
  given.position = clause.position;
  given.is_set = true;
  if (!over.is_set) {
    given.calls = std::move(over.calls);
    over = std::move(given);
    return {};
  }
  if (over.keys == given.keys && over.order == given.order && over.descending == given.descending) return {};
  return fail_at(ErrorCode::SqlUnsupported, clause.position,
                 "all OVER of one SELECT need the same PARTITION BY and ORDER BY", "Put the others into a subquery");
}

Result<> ExpressionBinder::bind_over_arguments(const AstExpression& ast, BoundOver& bound) {
  using enum OverFunction;
  OverCall& call = bound.call;
  const bool star = !ast.children.empty() && ast.children[0].kind == AstKind::kStar;
  const size_t most = call.function == kRowNumber ? 0 : (call.function == kLag ? 3 : 1);
  if (ast.children.size() > most || (most > 0 && ast.children.empty()) || (star && call.function != kCount)) {
    return fail_at(ErrorCode::SqlTypeMismatch, ast.position, fmt::format("{} does not take these arguments", ast.name),
                   call.function == kLag ? "LAG(x [, rows [, default]])" : "");
  }
  bound.argument = Expression{TypeKind::kBigint, false, Literal{}};
  if (star) call.function = kCountStar;
  if (!star && most > 0) {
    TRY_ASSIGN(bound.argument, bind(ast.children[0]));
  }
  TRY_ASSIGN(call.type, result_type(call.function, bound.argument, ast));
  bound.text = star ? "COUNT(*)" : fmt::format("{}({})", ast.name, most == 0 ? "" : to_string(bound.argument));
  if (call.function != kLag) return {};
  call.rows = 1;
  if (ast.children.size() > 1) {
    const auto* rows = std::get_if<int64_t>(&ast.children[1].literal);
    if (ast.children[1].kind != AstKind::kLiteral || rows == nullptr || *rows < 0 || *rows > kMaxFrameRows) {
      return fail_at(ErrorCode::SqlTypeMismatch, ast.children[1].position,
                     fmt::format("LAG goes back a literal number of rows, at most {}", kMaxFrameRows));
    }
    call.rows = *rows;
  }
  if (ast.children.size() > 2) {
    TRY_ASSIGN(const Expression given, bind(ast.children[2]));
    const Expression fitted = widens(given.type, call.type) ? coerce(given.clone(), call.type) : given.clone();
    const auto* literal = std::get_if<Literal>(&fitted.node);
    if (literal == nullptr || (fitted.type != call.type && fitted.type != TypeKind::kNull)) {
      return fail_at(ErrorCode::SqlTypeMismatch, ast.children[2].position,
                     fmt::format("the default of LAG must be a literal of type {}", columnar::type_name(call.type)));
    }
    call.otherwise = *literal;
  }
  return {};
}

Result<> ExpressionBinder::bind_frame(const AstExpression& ast, BoundOver& bound) {
  using enum OverFunction;
  const OverClause& clause = *ast.over;
  OverCall& call = bound.call;
  const bool framed = call.function != kRowNumber && call.function != kLag;
  if (!framed && clause.frame != FrameKind::kNone) {
    return fail_at(ErrorCode::SqlUnsupported, clause.frame_position, fmt::format("{} takes no frame", ast.name));
  }
  if (framed && (clause.frame == FrameKind::kNone || clause.frame == FrameKind::kUnbounded)) {
    return fail_at(ErrorCode::SqlUnsupported, clause.frame == FrameKind::kNone ? ast.position : clause.frame_position,
                   fmt::format("{} OVER without a bounded frame is not supported", ast.name),
                   "Add ROWS BETWEEN 9 PRECEDING AND CURRENT ROW, or RANGE BETWEEN INTERVAL '5' MINUTE PRECEDING AND "
                   "CURRENT ROW");
  }
  if (framed && clause.frame == FrameKind::kRange) {
    if (clause.range_us < 0) return fail_at(ErrorCode::SqlInvalidWindow, clause.frame_position, "a range looks back");
    call.range_us = clause.range_us;
  } else if (framed) {
    if (clause.rows > kMaxFrameRows) {
      return fail_at(ErrorCode::SqlTooComplex, clause.frame_position,
                     fmt::format("a frame of more than {} rows", kMaxFrameRows), "Use a window");
    }
    call.rows = clause.rows;
  }
  bound.text += frame_text(call);
  return {};
}

Result<Relation> QueryBinder::bind_over(const Query& query, Relation input) {
  OverScope over;
  ExpressionScope scope = scope_of(input);
  scope.over = &over;
  std::vector<std::string> names;
  TRY_ASSIGN(auto items, bind_items(query, scope, names));
  TRY_ASSIGN(const bool by_time, check_order(over, input));
  TRY_ASSIGN(Relation numbered, over_node(std::move(input), over, by_time));
  const size_t base = numbered.schema().fields.size() - over.calls.size();
  for (Expression& item : items) move_calls(item, base);
  return project(std::move(numbered), std::move(items), std::move(names));
}

// True if rows go by event time; false if those of a closed window are ranked by something else.
Result<bool> QueryBinder::check_order(const OverScope& over, const Relation& input) const {
  if (!input.has_watermark) {
    return fail_at(ErrorCode::SqlNoTimeColumn, over.position,
                   fmt::format("stream '{}' has no WATERMARK, so OVER has no time to go by", input.source),
                   "Declare WATERMARK FOR ts AS ts - INTERVAL '5' SECOND in its CREATE TABLE");
  }
  const bool time_first = is_column(over.order.front(), input.time_column);
  if (time_first && over.order.size() == 1 && !over.descending.front()) return true;
  const auto is_window = [&](const Expression& key) {
    return is_column(key, input.window_start) || is_column(key, input.window_end) ||
           (input.window_end && is_column(key, input.time_column));
  };
  const bool in_window = input.window_end && std::ranges::any_of(over.keys, is_window);
  const bool ranks = std::ranges::all_of(
      over.calls, [](const BoundOver& bound) { return bound.call.function == OverFunction::kRowNumber; });
  if (in_window && ranks) return false;
  if (in_window) {
    return fail_at(ErrorCode::SqlUnsupported, over.position, "only ROW_NUMBER can go by another order than time");
  }
  const bool newest = time_first && over.descending.front();
  return fail_at(ErrorCode::SqlUnsupported, over.position,
                 newest ? "keeping the newest row is not supported" : "OVER goes by the event time, ascending",
                 newest ? "Each new row would take back a result that is out; ORDER BY the time ascending keeps the "
                          "first, LAST_VALUE in a window the last"
                        : "Ranking by anything else needs the rows of a closed window: PARTITION BY window_start, "
                          "window_end over a query with GROUP BY window_start, window_end");
}

// How long a partition is kept: for ever only if there is one per device.
Result<int64_t> QueryBinder::state_ttl(const OverScope& over, const Relation& input, bool by_time) const {
  const bool few =
      std::ranges::all_of(over.keys, [&](const Expression& key) { return is_column(key, input.device_column); });
  int64_t range_us = 0;
  bool by_range = true;
  for (const BoundOver& bound : over.calls) {
    by_range = by_range && bound.call.range_us.has_value();
    range_us = std::max(range_us, bound.call.range_us.value_or(0));
  }
  if (by_range) return std::max<int64_t>(range_us, 1);
  if (!by_time || few || input.state_ttl_us > 0) return input.state_ttl_us;
  return fail_at(ErrorCode::SqlInvalidOption, over.position, "this would remember every value of PARTITION BY for ever",
                 fmt::format("Say for how long: 'state.ttl' = '1 d' in WITH (...) of '{}'", input.source));
}

Result<Relation> QueryBinder::over_node(Relation input, OverScope& over, bool by_time) {
  Over made;
  TRY_ASSIGN(made.ttl_us, state_ttl(over, input, by_time));
  OverInput columns(input.schema());
  if (input.time_column) {
    made.time_column = *input.time_column;
  } else {
    const Field& end = input.schema().fields[*input.window_end];
    std::vector<Expression> parts;
    parts.push_back(make_column(*input.window_end, end.name, end.type, end.nullable));
    parts.push_back(Expression{TypeKind::kInterval, false, Literal{int64_t{kMicrosPerMilli}}});
    made.time_column = columns.place(make_call(FunctionId::kSubtract, end.type, true, std::move(parts)));
  }
  std::string meaning = fmt::format("{} {} {}", input.source, by_time, made.ttl_us);
  for (const Expression& key : over.keys) {
    made.keyed_by_device = made.keyed_by_device || is_column(key, input.device_column);
    made.keys.push_back(columns.place(key));
    meaning += fmt::format(";{}:{}", to_string(key), hashed_name(key.type));
  }
  for (size_t at = 0; !by_time && at < over.order.size(); ++at) {
    made.order.push_back({columns.place(over.order[at]), over.descending[at]});
    meaning += fmt::format(",{} {}", to_string(over.order[at]), over.descending[at]);
  }
  made.has_device_column = input.device_column.has_value();
  made.device_column = input.device_column.value_or(0);
  for (BoundOver& bound : over.calls) {
    const bool has_argument =
        bound.call.function != OverFunction::kRowNumber && bound.call.function != OverFunction::kCountStar;
    if (has_argument) bound.call.argument = columns.place(bound.argument);
    made.calls.push_back(bound.call);
    meaning += fmt::format("|{}:{}", bound.text, hashed_name(bound.argument.type));
  }
  const std::optional<size_t> hidden_device = input.device_column;
  Relation below = project(std::move(input), std::move(columns.expressions), std::move(columns.names));
  Schema schema = below.schema();
  for (const BoundOver& bound : over.calls) schema.fields.push_back({bound.text, bound.call.type, bound.nullable});
  Relation output = std::move(below);
  output.device_column = hidden_device;
  output.visible = schema.fields.size();
  auto node = std::make_unique<PlanNode>();
  node->output = std::make_shared<Schema>(std::move(schema));
  node->operator_id = operator_id(output.path, "over", meaning);
  node->node = std::move(made);
  node->inputs.push_back(std::move(output.node));
  output.node = std::move(node);
  return output;
}

}  // namespace tidegate::sql
