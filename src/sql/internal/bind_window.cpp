// Windows over a relation, and the GROUP BY that closes them.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/check_window.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Schema;

namespace {

// The aggregation's output in terms of its scope: what is a key becomes the key's column, what is a window column or
// an aggregate its place. Anything else is not grouped.
class GroupRewriter {
 public:
  GroupRewriter(const ExpressionScope& scope, const std::vector<Expression>& keys) : scope_(scope), keys_(keys) {}

  Result<Expression> rewrite(Expression expression, TextPosition position) const {
    for (size_t key = 0; key < keys_.size(); ++key) {
      if (!(keys_[key] == expression)) continue;
      return make_column(key, to_name(expression), expression.type, expression.nullable);
    }
    if (auto* column = std::get_if<ColumnRef>(&expression.node)) return rewrite_column(*column, expression, position);
    if (auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
      for (Expression& argument : (*call)->arguments) {
        TRY_ASSIGN(argument, rewrite(std::move(argument), position));
      }
    }
    return expression;
  }

  static std::string to_name(const Expression& expression) {
    const auto* column = std::get_if<ColumnRef>(&expression.node);
    return column == nullptr ? to_string(expression) : column->name;
  }

 private:
  Result<Expression> rewrite_column(const ColumnRef& column, const Expression& expression,
                                    TextPosition position) const {
    if (column.index < scope_.window_base()) {
      const TextPosition at =
          column.index < scope_.column_positions.size() ? scope_.column_positions[column.index] : position;
      return fail_at(
          ErrorCode::SqlInvalidGrouping, at, fmt::format("'{}' is neither grouped nor aggregated", column.name),
          fmt::format("Add it to GROUP BY, or use an aggregate such as MAX({})", quote_identifier(column.name)));
    }
    const size_t index = keys_.size() + (column.index - scope_.window_base());
    return make_column(index, column.name, expression.type, expression.nullable);
  }

  const ExpressionScope& scope_;
  const std::vector<Expression>& keys_;
};

// What the other numbers of the meaning do not say.
std::string calendar_meaning(const WindowSpec& spec) {
  std::string text = fmt::format(" {} {}", quote_string(spec.zone), spec.months);
  for (const int64_t start : spec.shift_starts_us) text += fmt::format(" {}", start);
  return text;
}

void move_inputs(WindowAggregate& window, const std::vector<size_t>& columns) {
  window.time_column = columns[window.time_column];
  for (size_t& key : window.keys) key = columns[key];
  for (Aggregate& aggregate : window.aggregates) {
    if (aggregate.function != AggregateFunction::kCountStar) aggregate.argument = columns[aggregate.argument];
    if (aggregate.meter) aggregate.meter = columns[*aggregate.meter];
  }
  if (window.has_device_column) window.device_column = columns[window.device_column];
}

// Where the aggregation finds an expression: the input's own column if nothing must be computed, else in a Project.
class InputColumns {
 public:
  explicit InputColumns(const Schema& input) : input_(input) {}

  size_t place(const Expression& expression) {
    for (size_t at = 0; at < expressions.size(); ++at) {
      if (expressions[at] == expression) return at;
    }
    names.push_back(GroupRewriter::to_name(expression));
    expressions.push_back(expression.clone());
    return expressions.size() - 1;
  }
  size_t place(size_t column) {
    const Field& field = input_.fields[column];
    return place(make_column(column, field.name, field.type, field.nullable));
  }

  // Each place's input column, if nothing must be computed.
  [[nodiscard]] std::optional<std::vector<size_t>> plain() const {
    std::vector<size_t> all;
    for (const Expression& expression : expressions) {
      const auto* column = std::get_if<ColumnRef>(&expression.node);
      if (column == nullptr) return std::nullopt;
      all.push_back(column->index);
    }
    return all;
  }

  std::vector<Expression> expressions;
  std::vector<std::string> names;

 private:
  const Schema& input_;
};

}  // namespace

Result<> QueryBinder::go_by_clocks(const WindowCall& call, const Relation& input, WindowSpec& spec) {
  if (call.zone_position || !has_calendar(spec) || input.zones.empty()) return {};
  if (input.zones.size() > 1) {
    std::string names;
    for (const std::string& zone : input.zones) {
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", zone.empty() ? "UTC" : zone);
    }
    return fail_at(ErrorCode::SqlInvalidWindow, call.position,
                   fmt::format("the streams go by the clocks of different time zones ({})", names),
                   "Say whose days these are: TIME ZONE 'Europe/Paris' as the window's last argument");
  }
  if (input.zones.front().empty()) return {};
  spec.kind = WindowKind::kCalendar;
  spec.zone = input.zones.front();
  return {};
}

Result<Relation> QueryBinder::bind_window(const WindowCall& call, const std::string& path) {
  TRY(check_window(call));
  TRY_ASSIGN(Relation relation, bind_table(*call.table, path));
  if (relation.window) {
    return fail_at(ErrorCode::SqlUnsupported, call.position, "a window over a window without GROUP BY is not supported",
                   "Group the inner one in a view first");
  }
  ExpressionScope scope;
  scope.input = &relation.schema();
  scope.visible = relation.visible;
  ExpressionBinder binder(scope, nodes_);
  TRY_ASSIGN(const size_t column, binder.find_column({call.time_column}, call.time_column.position));
  if (!relation.has_watermark) {
    return fail_at(ErrorCode::SqlNoTimeColumn, call.time_column.position,
                   fmt::format("stream '{}' has no WATERMARK, so windows have no time to go by", relation.source),
                   "Declare WATERMARK FOR ts AS ts - INTERVAL '5' SECOND in its CREATE TABLE");
  }
  if (column != relation.time_column) {
    const std::string time = relation.time_column && *relation.time_column < relation.visible
                                 ? relation.schema().fields[*relation.time_column].name
                                 : std::string();
    return fail_at(
        ErrorCode::SqlNoTimeColumn, call.time_column.position,
        fmt::format("'{}' is not the event time", call.time_column.text),
        time.empty() ? "Select the event time in the view, unchanged" : fmt::format("The event time is '{}'", time));
  }
  if (call.zone_position && relation.schema().fields[column].type != columnar::TypeKind::kTimestampLtz) {
    return fail_at(ErrorCode::SqlInvalidWindow, *call.zone_position,
                   fmt::format("'{}' has no time zone that could be another one", call.time_column.text),
                   "A TIMESTAMP is the time on the wall already; leave TIME ZONE out");
  }
  WindowCall window;
  window.position = call.position;
  window.spec = call.spec;
  if (relation.schema().fields[column].type == columnar::TypeKind::kTimestampLtz) {
    TRY(go_by_clocks(call, relation, window.spec));
  }
  for (const Name& key : call.partition_by) {
    TRY_ASSIGN(const size_t key_column, binder.find_column({key}, key.position));
    window.partition_columns.push_back(key_column);
  }
  relation.window = std::move(window);
  return relation;
}

Result<std::vector<Expression>> QueryBinder::bind_keys(const Query& query, ExpressionScope& scope) {
  ExpressionBinder binder(scope, nodes_);
  std::vector<Expression> keys;
  bool by_window = false;
  for (const AstExpression& ast : query.group_by) {
    TRY_ASSIGN(Expression key, binder.bind(ast));
    const auto* column = std::get_if<ColumnRef>(&key.node);
    if (column != nullptr && scope.windowed && column->index >= scope.window_base()) {
      by_window = true;
      continue;
    }
    if (std::holds_alternative<Literal>(key.node)) {
      return fail_at(ErrorCode::SqlUnsupported, ast.position, "GROUP BY a literal is not supported",
                     "Columns are grouped by name, not by number");
    }
    TRY(refuse_nested(key.type, ast.position, "GROUP BY"));
    if (key.type == columnar::TypeKind::kInterval) {
      return fail_at(ErrorCode::SqlUnsupported, ast.position, "GROUP BY an INTERVAL is not supported");
    }
    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
    if (keys.size() > kMaxGroupKeys) {
      return fail_at(ErrorCode::SqlTooComplex, ast.position, fmt::format("more than {} keys", kMaxGroupKeys));
    }
  }
  if (by_window || !scope.windowed) return keys;
  return fail_at(ErrorCode::SqlInvalidGrouping, *query.group_by_position, "GROUP BY must contain the window",
                 "Add window_start, window_end");
}

Result<Relation> QueryBinder::bind_grouped(const Query& query, Relation input) {
  ExpressionScope scope = scope_of(input);
  scope.windowed = input.window->spec.kind != WindowKind::kAll;
  scope.time_column = input.time_column;
  if (input.time_column) scope.window_type = input.schema().fields[*input.time_column].type;
  std::vector<std::string> names;
  std::vector<Expression> items;
  if (query.distinct) {
    TRY_ASSIGN(items, bind_items(query, scope, names));
  }
  TRY_ASSIGN(auto keys, query.distinct ? distinct_keys(query, scope, items) : bind_keys(query, scope));
  if (input.window->spec.kind == WindowKind::kSession) {
    TRY(check_session_keys(keys, input.window->partition_columns, input.schema(),
                           query.distinct.value_or(query.group_by_position.value_or(query.position))));
  }

  scope.grouped = true;
  if (!query.distinct) {
    TRY_ASSIGN(items, bind_items(query, scope, names));
  }
  const GroupRewriter rewriter(scope, keys);
  for (size_t at = 0; at < items.size(); ++at) {
    TRY_ASSIGN(items[at], rewriter.rewrite(std::move(items[at]), item_position(query, at)));
  }
  std::optional<Expression> having;
  if (query.having) {
    ExpressionBinder binder(scope, nodes_);
    TRY_ASSIGN(Expression condition, binder.bind_condition(*query.having, "HAVING"));
    TRY_ASSIGN(having, rewriter.rewrite(std::move(condition), query.having->position));
  }
  TRY(check_coverage(scope.aggregates, input.window->spec));
  Relation grouped = aggregate(std::move(input), scope, std::move(keys));
  if (having) filter(grouped, std::move(*having));
  return project(std::move(grouped), std::move(items), std::move(names));
}

Relation QueryBinder::aggregate(Relation input, const ExpressionScope& scope, std::vector<Expression> keys) {
  InputColumns columns(input.schema());
  WindowAggregate window;
  window.window = input.window->spec;
  // One window of all rows takes those that have no event time.
  window.time_column = input.time_column
                           ? columns.place(*input.time_column)
                           : columns.place(Expression{columnar::TypeKind::kTimestampLtz, true, Literal{}});
  auto schema = std::make_shared<Schema>();
  std::optional<size_t> device_key;
  std::string meaning = fmt::format("{} {} {} {} {}", input.source, static_cast<int>(window.window.kind),
                                    window.window.size_us, window.window.slide_us, window.window.offset_us);
  if (window.window.kind == WindowKind::kCalendar) meaning += calendar_meaning(window.window);
  for (size_t key = 0; key < keys.size(); ++key) {
    const auto* column = std::get_if<ColumnRef>(&keys[key].node);
    if (column != nullptr && column->index == input.device_column && !device_key) device_key = key;
    window.keys.push_back(columns.place(keys[key]));
    schema->fields.push_back({GroupRewriter::to_name(keys[key]), keys[key].type, keys[key].nullable});
    meaning += fmt::format(";{}:{}", to_string(keys[key]), hashed_name(keys[key].type));
  }
  const columnar::Type time_type = scope.window_type;
  for (const char* name : {"window_start", "window_end", "window_time"}) {
    schema->fields.push_back({name, time_type, false});
  }
  for (const BoundAggregate& bound : scope.aggregates) {
    Aggregate placed = bound.aggregate;
    if (placed.function != AggregateFunction::kCountStar) placed.argument = columns.place(bound.argument);
    if (bound.meter) placed.meter = columns.place(*bound.meter);
    if (placed.function == AggregateFunction::kCoverage) placed.phase_us = window.window.offset_us;
    window.aggregates.push_back(placed);
    schema->fields.push_back({bound.text, placed.type, bound.nullable});
    meaning += fmt::format("|{}:{}", bound.text, hashed_name(bound.argument.type));
  }
  window.keyed_by_device = device_key.has_value();
  window.has_device_column = input.device_column.has_value();
  if (input.device_column) window.device_column = columns.place(*input.device_column);

  Relation output;
  output.path = input.path;
  output.source = input.source;
  output.device_column = device_key;
  if (scope.windowed) {
    output.has_watermark = true;
    output.time_column = keys.size() + 2;
    output.window_start = keys.size();
    output.window_end = keys.size() + 1;
  }
  output.state_ttl_us = input.state_ttl_us;
  output.zones = input.zones;
  output.visible = schema->fields.size();
  Relation below;
  if (const auto plain = columns.plain()) {
    move_inputs(window, *plain);
    below = std::move(input);
  } else {
    below = project(std::move(input), std::move(columns.expressions), std::move(columns.names));
  }
  auto node = std::make_unique<PlanNode>();
  node->output = std::move(schema);
  node->operator_id = operator_id(output.path, "window", meaning);
  node->node = std::move(window);
  node->inputs.push_back(std::move(below.node));
  output.node = std::move(node);
  return output;
}

}  // namespace tidegate::sql
