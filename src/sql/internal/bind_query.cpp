#include "sql/internal/bind_query.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Schema;

namespace {

const ColumnRef* as_column(const Expression& expression) { return std::get_if<ColumnRef>(&expression.node); }

std::string item_name(const SelectItem& item, const Expression& expression, size_t index) {
  if (item.alias) return item.alias->text;
  if (item.expression.kind == AstKind::kColumn) {
    const ColumnRef* column = as_column(expression);
    return column == nullptr ? item.expression.path.back().text : column->name;
  }
  if (item.expression.kind == AstKind::kField) return item.expression.path.back().text;
  return fmt::format("EXPR${}", index);  // as Flink names it
}

// As Flink names the second of two columns of one name that * gives: name0.
std::string free_name(const std::string& name, const std::vector<std::string>& taken) {
  std::string free = name;
  for (int copy = 0; std::ranges::find(taken, free) != taken.end(); ++copy) free = fmt::format("{}{}", name, copy);
  return free;
}

}  // namespace

ExpressionScope scope_of(const Relation& relation) {
  ExpressionScope scope;
  scope.input = &relation.schema();
  scope.visible = relation.visible;
  scope.alias = relation.alias;
  scope.parts = relation.parts;
  return scope;
}

Result<Plan> QueryBinder::bind(const Query& query) {
  TRY_ASSIGN(Relation relation, bind_query(query, "query"));
  const size_t visible = relation.visible;
  return Plan{prune(std::move(relation.node), visible)};
}

Result<Relation> QueryBinder::bind_query(const Query& query, const std::string& path) {
  if (query.tail) {
    const bool ordered = !query.tail->order.empty();
    return fail_at(ErrorCode::SqlUnsupported, query.tail->position,
                   fmt::format("{} is not supported", query.tail->first_word),
                   ordered ? "A stream has no end to sort at; sort where you read it, at the end of a SELECT"
                           : "A stream has no end; stop where you read it, at the end of a SELECT");
  }
  return bind_ordered(query, path);
}

Result<Relation> QueryBinder::bind_ordered(const Query& query, const std::string& path) {
  if (++depth_ > kMaxQueryDepth) {
    return fail_at(ErrorCode::SqlTooComplex, query.position,
                   fmt::format("queries and views are nested deeper than {} levels", kMaxQueryDepth));
  }
  const size_t before = common_.size();
  for (const CommonTable& table : query.common_tables) common_.push_back({&table, common_.size()});
  auto relation = query.branches.empty() ? bind_select(query, path) : bind_union(query, path);
  common_.resize(before);
  --depth_;
  return relation;
}

Result<Relation> QueryBinder::bind_select(const Query& query, const std::string& path) {
  TRY_ASSIGN(Relation input, bind_table(query.from, path));
  input.path = path;
  for (const JoinClause& join : query.joins) {
    TRY_ASSIGN(input, bind_join(join, std::move(input)));
  }
  if (query.where) {
    Marks marks;
    TRY(bind_subqueries(*query.where, input, marks));
    ExpressionScope scope = scope_of(input);
    scope.marks = std::move(marks);
    ExpressionBinder binder(scope, nodes_);
    auto predicate = binder.bind_condition(*query.where, "WHERE");
    if (!predicate && predicate.error().code == ErrorCode::SqlUnknownColumn && input.window &&
        predicate.error().message.find("'window_") != std::string::npos) {
      predicate.error().hint = "WHERE runs before the windows; put conditions on them into HAVING";
    }
    TRY_ASSIGN(Expression condition, std::move(predicate));
    filter_early(input, std::move(condition));
  }
  TRY(refuse_window_keys(query, input));
  if (ends_ && !input.window && groups_whole(query)) {
    window_over_all(query, input);
    return bind_grouped(query, std::move(input));
  }
  if ((query.group_by_position || query.distinct) && input.window) return bind_grouped(query, std::move(input));
  TRY(refuse_ungrouped(query, input));
  if (needs_over(query)) return bind_over(query, std::move(input));
  return bind_plain(query, std::move(input));
}

Result<> QueryBinder::refuse_window_keys(const Query& query, const Relation& input) const {
  for (const AstExpression& key : query.group_by) {
    const bool old_style = key.kind == AstKind::kCall && (key.name == "TUMBLE" || key.name == "HOP");
    if (!old_style || input.window) continue;
    return fail_at(ErrorCode::SqlUnsupported, key.position, fmt::format("GROUP BY {}(...) is not supported", key.name),
                   "Use FROM TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), INTERVAL '10' SECOND)) and GROUP BY "
                   "window_start, window_end");
  }
  return {};
}

Result<> QueryBinder::refuse_ungrouped(const Query& query, const Relation& input) const {
  if (query.distinct) {
    return fail_at(ErrorCode::SqlUnsupported, *query.distinct, "SELECT DISTINCT without a window is not supported",
                   "It would have to remember all rows for ever: FROM TABLE(TUMBLE(...)) and select window_start, "
                   "window_end as well; or keep the first row of each key by ROW_NUMBER()");
  }
  if (query.group_by_position) {
    return fail_at(ErrorCode::SqlUnsupported, *query.group_by_position, "GROUP BY without a window is not supported",
                   "Its result would change for ever; use FROM TABLE(TUMBLE(TABLE stream, DESCRIPTOR(ts), "
                   "INTERVAL '10' SECOND)) and GROUP BY window_start, window_end");
  }
  if (input.window) {
    return fail_at(ErrorCode::SqlUnsupported, input.window->position, "a window without GROUP BY is not supported",
                   "Add GROUP BY window_start, window_end");
  }
  if (query.having) {
    return fail_at(ErrorCode::SqlInvalidGrouping, query.having->position, "HAVING needs GROUP BY", "Use WHERE");
  }
  return {};
}

Result<Relation> QueryBinder::bind_table(const TableRef& table, const std::string& path) {
  if (table.as_of) {
    return fail_at(ErrorCode::SqlUnsupported, table.as_of->position,
                   "FOR SYSTEM_TIME AS OF stands behind the table of a JOIN");
  }
  Relation relation;
  if (const auto* name = std::get_if<Name>(&table.source)) {
    TRY_ASSIGN(relation, bind_name(*name));
    relation.alias = name->text;
  } else if (const auto* inner = std::get_if<std::unique_ptr<Query>>(&table.source)) {
    TRY_ASSIGN(relation, bind_query(**inner, path));
    relation.alias.clear();
  } else if (const auto* detect = std::get_if<DetectCall>(&table.source)) {
    TRY_ASSIGN(relation, bind_detect(*detect, path));
  } else {
    TRY_ASSIGN(relation, bind_window(std::get<WindowCall>(table.source), path));
  }
  if (table.alias) relation.alias = table.alias->text;
  return relation;
}

Result<Relation> QueryBinder::bind_name(const Name& name) {
  for (size_t at = common_.size(); at-- > 0;) {
    const CommonScope found = common_[at];
    if (!equal_ignoring_case(found.table->name.text, name.text)) continue;
    std::vector<CommonScope> hidden(common_.begin() + static_cast<std::ptrdiff_t>(found.before), common_.end());
    common_.resize(found.before);  // a common table sees only those before it
    auto relation = bind_query(*found.table->query, to_lower(found.table->name.text));
    common_.insert(common_.end(), hidden.begin(), hidden.end());
    return relation;
  }
  if (auto stream = names_.find_stream(name.text)) return read_stream(std::move(stream), name.position);
  const auto view = names_.find_view(name.text);
  if (names_.find_table(name.text) != nullptr) {
    return fail_at(ErrorCode::SqlUnsupported, name.position,
                   fmt::format("'{}' is a lookup table: it is joined with, not read by itself", name.text),
                   fmt::format("FROM a stream AS r JOIN {} FOR SYSTEM_TIME AS OF r.ts AS t ON ...; tidegate table get "
                               "{} tells what it holds",
                               quote_identifier(name.text), quote_identifier(name.text)));
  }
  if (!view) {
    return fail_at(ErrorCode::SqlUnknownStream, name.position, fmt::format("no stream or view '{}'", name.text),
                   "SHOW TABLES and SHOW VIEWS list them");
  }
  std::vector<CommonScope> hidden;
  hidden.swap(common_);
  const auto expand = [&]() -> Result<Relation> {
    TRY_ASSIGN(const Query query, parse_query(view->query, {}));
    return bind_query(query, to_lower(view->name));
  };
  auto relation = expand();
  hidden.swap(common_);
  if (!relation) {
    Error error = std::move(relation.error());
    error.message = fmt::format("in view '{}': {}", view->name, error.message);
    error.position = name.position;  // its own text is not what the reader has before them
    return fail(std::move(error));
  }
  return relation;
}

Result<std::vector<Expression>> QueryBinder::bind_items(const Query& query, ExpressionScope& scope,
                                                        std::vector<std::string>& names) {
  ExpressionBinder binder(scope, nodes_);
  std::vector<Expression> expressions;
  for (const SelectItem& item : query.items) {
    if (item.star) {
      if (scope.grouped) {
        return fail_at(ErrorCode::SqlInvalidGrouping, item.position, "* cannot stand in a query with GROUP BY",
                       "Name the grouped columns and aggregates");
      }
      TRY_ASSIGN(const ScopePart part, binder.star_part(item));
      for (size_t at = part.first; at < part.first + part.count; ++at) {
        const Field& field = scope.input->fields[at];
        expressions.push_back(make_column(at, field.name, field.type, field.nullable));
        names.push_back(scope.parts.empty() ? field.name : free_name(field.name, names));
      }
    } else {
      TRY_ASSIGN(Expression expression, binder.bind(item.expression));
      if (expression.type == columnar::TypeKind::kInterval) {
        return fail_at(ErrorCode::SqlUnsupported, item.position, "an INTERVAL cannot be a column of a result",
                       "Subtract UNIX_TIMESTAMP(x) of both times for seconds");
      }
      if (expression.type == columnar::TypeKind::kNull) {
        expression = coerce(std::move(expression), columnar::TypeKind::kString);
      }
      names.push_back(item_name(item, expression, expressions.size()));
      expressions.push_back(std::move(expression));
    }
    if (expressions.size() > kMaxColumns) {
      return fail_at(ErrorCode::SqlTooComplex, item.position, fmt::format("more than {} columns", kMaxColumns));
    }
  }
  if (query.tail) TRY(bind_order(query, scope, expressions, names));
  return expressions;
}

Result<Relation> QueryBinder::bind_plain(const Query& query, Relation input) {
  ExpressionScope scope = scope_of(input);
  std::vector<std::string> names;
  TRY_ASSIGN(auto expressions, bind_items(query, scope, names));
  return project(std::move(input), std::move(expressions), std::move(names));
}

// Shared with the catalog, which may drop the stream meanwhile.
Relation QueryBinder::scan(std::shared_ptr<const catalog::StreamDefinition> stream) {
  Relation relation;
  auto node = std::make_unique<PlanNode>();
  Scan read;
  for (size_t at = 0; at < stream->schema->fields.size(); ++at) read.columns.push_back(at);
  node->output = stream->schema;
  relation.visible = read.columns.size();
  relation.source = stream->name;
  relation.has_watermark = stream->time_column.has_value();
  relation.time_column = stream->time_column;
  relation.device_column = stream->device_column;
  const auto zone = stream->options.find("time_zone");
  relation.zones = {zone == stream->options.end() ? zone_ : utc_is_empty(zone->second)};
  const auto ttl = stream->options.find("state.ttl");
  if (ttl != stream->options.end()) relation.state_ttl_us = parse_duration(ttl->second).value_or(0);
  node->operator_id = operator_id("stream", "scan", stream->name);
  read.stream = std::move(stream);
  node->node = std::move(read);
  relation.node = std::move(node);
  return relation;
}

void QueryBinder::filter(Relation& relation, Expression predicate) {
  auto node = std::make_unique<PlanNode>();
  node->output = relation.node->output;
  node->operator_id = operator_id(relation.path, "filter", to_string(predicate));
  node->node = Filter{std::move(predicate)};
  node->inputs.push_back(std::move(relation.node));
  relation.node = std::move(node);
}

// Adds the device column, hidden, if the expressions do not hand it on: windows above may need it.
Relation QueryBinder::project(Relation input, std::vector<Expression> expressions, std::vector<std::string> names) {
  Relation output;
  output.visible = expressions.size();
  output.source = input.source;
  output.path = input.path;
  output.has_watermark = input.has_watermark;
  output.state_ttl_us = input.state_ttl_us;
  output.zones = input.zones;
  std::string meaning;
  auto schema = std::make_shared<Schema>();
  for (size_t at = 0; at < expressions.size(); ++at) {
    const Expression& expression = expressions[at];
    const ColumnRef* column = as_column(expression);
    if (column != nullptr && column->index == input.time_column && !output.time_column) output.time_column = at;
    if (column != nullptr && column->index == input.device_column && !output.device_column) output.device_column = at;
    if (column != nullptr && column->index == input.window_start && !output.window_start) output.window_start = at;
    if (column != nullptr && column->index == input.window_end && !output.window_end) output.window_end = at;
    schema->fields.push_back({names[at], expression.type, expression.nullable});
    meaning += fmt::format("{} AS {},", to_string(expression), quote_identifier(names[at]));
  }
  if (input.device_column && !output.device_column) {
    const Field& field = input.schema().fields[*input.device_column];
    output.device_column = expressions.size();
    schema->fields.push_back(field);
    expressions.push_back(make_column(*input.device_column, field.name, field.type, field.nullable));
  }
  auto node = std::make_unique<PlanNode>();
  node->output = std::move(schema);
  node->operator_id = operator_id(input.path, "project", meaning);
  node->node = Project{std::move(expressions)};
  node->inputs.push_back(std::move(input.node));
  output.node = std::move(node);
  return output;
}

std::string QueryBinder::operator_id(const std::string& path, std::string_view kind, const std::string& meaning) {
  const std::string id = fmt::format("{}.{}.{:016x}", path, kind, stable_hash(meaning));
  const auto copies = std::ranges::count(ids_, id);
  ids_.push_back(id);
  return copies == 0 ? id : fmt::format("{}.{}", id, copies + 1);
}

}  // namespace tidegate::sql
