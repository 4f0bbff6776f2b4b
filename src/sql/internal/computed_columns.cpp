// Computed columns of a stream. The event time is computed once, where the record comes in, and stored like any other
// column; the others are not stored: a query that reads the stream computes them, where it uses them. The statement as
// written is what is kept of them.
#include "sql/internal/computed_columns.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::TypeKind;

namespace {

bool is_event_time(const ColumnDefinition& column, const catalog::StreamDefinition& stream) {
  const auto& fields = stream.schema->fields;
  return stream.time_column && *stream.time_column < fields.size() &&
         fields[*stream.time_column].name == column.name.text;
}

bool is_stored(const ColumnDefinition& column, const catalog::StreamDefinition& stream) {
  return !column.computed || is_event_time(column, stream);
}

bool any_computed(const std::vector<ColumnDefinition>& columns) {
  return std::ranges::any_of(columns, [](const ColumnDefinition& column) { return column.computed.has_value(); });
}

// The columns as declared; nothing if none is computed.
std::vector<ColumnDefinition> declared_columns(const catalog::StreamDefinition& stream) {
  if (stream.sql.empty()) return {};  // late and dead-letter streams
  auto statement = parse_statement(stream.sql, {});
  if (!statement || !*statement) return {};
  auto* table = std::get_if<CreateTableAst>(&**statement);
  if (table == nullptr || !any_computed(table->columns)) return {};
  return std::move(table->columns);
}

Error of_stream(Error error, const std::string& stream, TextPosition position) {
  error.message = fmt::format("in stream '{}': {}", stream, error.message);
  error.position = position;
  return error;
}

// As in Flink: each is computed from columns that are not.
Result<> refuse_computed_time(const Expression& expression, const ColumnDefinition& column,
                              const catalog::StreamDefinition& stream, const std::vector<ColumnDefinition>& columns) {
  for (const ColumnDefinition& time : columns) {
    if (!time.computed || !is_event_time(time, stream)) continue;
    if (!std::ranges::binary_search(columns_of(expression), *stream.time_column)) continue;
    return fail_at(ErrorCode::SqlUnsupported, column.name.position,
                   fmt::format("the computed column '{}' cannot use '{}', which is computed too", column.name.text,
                               time.name.text),
                   fmt::format("Write {} in its place", time.computed_text));
  }
  return {};
}

}  // namespace

Result<Expression> bind_computed(const ColumnDefinition& column, const columnar::Schema& schema,
                                 const std::string& stream, size_t& nodes) {
  ExpressionScope scope;
  scope.input = &schema;
  scope.visible = schema.fields.size();
  scope.alias = stream;
  TRY_ASSIGN(Expression expression, ExpressionBinder(scope, nodes).bind(*column.computed));
  if (expression.type == TypeKind::kNull) expression = coerce(std::move(expression), TypeKind::kString);
  if (expression.type == TypeKind::kInterval) {
    return fail_at(ErrorCode::SqlUnsupported, column.name.position,
                   fmt::format("the computed column '{}' cannot be an INTERVAL", column.name.text),
                   "Use TIMESTAMPDIFF(SECOND, from, to)");
  }
  return expression;
}

void substitute(Expression& expression, const std::vector<Expression>& values) {
  if (const auto* column = std::get_if<ColumnRef>(&expression.node)) {
    expression = values[column->index].clone();
  } else if (auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (Expression& argument : (*call)->arguments) substitute(argument, values);
  }
}

// Stored columns and computed ones in the order in which they were declared.
Result<Relation> QueryBinder::with_computed(Relation stored, const catalog::StreamDefinition& stream,
                                            const std::vector<ColumnDefinition>& columns) {
  std::vector<Expression> expressions;
  std::vector<std::string> names;
  size_t next_stored = 0;
  for (const ColumnDefinition& column : columns) {
    const bool is_stored_column = is_stored(column, stream);
    // A pipeline that is older than the column does not know it.
    if (is_stored_column && next_stored == stored.schema().fields.size()) continue;
    names.push_back(column.name.text);
    if (is_stored_column) {
      const columnar::Field& field = stored.schema().fields[next_stored];
      expressions.push_back(make_column(next_stored++, field.name, field.type, field.nullable));
      continue;
    }
    TRY_ASSIGN(Expression expression, bind_computed(column, stored.schema(), stored.source, nodes_));
    TRY(refuse_computed_time(expression, column, stream, columns));
    expressions.push_back(std::move(expression));
  }
  stored.path = to_lower(stored.source);
  return project(std::move(stored), std::move(expressions), std::move(names));
}

Result<Relation> QueryBinder::read_stream(std::shared_ptr<const catalog::StreamDefinition> stream,
                                          TextPosition position) {
  const std::vector<ColumnDefinition> columns = declared_columns(*stream);
  Relation stored = scan(stream);
  const bool all_stored =
      std::ranges::all_of(columns, [&](const ColumnDefinition& column) { return is_stored(column, *stream); });
  if (all_stored) return stored;
  auto relation = with_computed(std::move(stored), *stream, columns);
  if (!relation) return fail(of_stream(std::move(relation.error()), stream->name, position));
  return relation;
}

Result<> QueryBinder::check_computed(const catalog::StreamDefinition& stream,
                                     const std::vector<ColumnDefinition>& columns) {
  if (!any_computed(columns)) return {};
  // Shared as scan() wants it.
  TRY(with_computed(scan(std::make_shared<const catalog::StreamDefinition>(stream)), stream, columns));
  return {};
}

Result<std::optional<Expression>> computed_event_time(const catalog::StreamDefinition& stream) {
  if (!stream.time_column) return std::nullopt;
  for (const ColumnDefinition& column : declared_columns(stream)) {
    if (!column.computed || !is_event_time(column, stream)) continue;
    size_t nodes = 0;
    auto expression = bind_computed(column, *stream.schema, stream.name, nodes);
    if (!expression) return fail(of_stream(std::move(expression.error()), stream.name, {}));
    return std::optional(std::move(*expression));
  }
  return std::nullopt;
}

}  // namespace tidegate::sql
