// Computed columns of a stream: `name AS expression` in its CREATE TABLE. They are not stored; a query that reads the
// stream computes them, where it uses them. The statement as written is what is kept of them.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::TypeKind;

namespace {

bool is_computed(const ColumnDefinition& column) { return column.computed.has_value(); }

// The columns as declared; nothing if none is computed.
std::vector<ColumnDefinition> declared_columns(const catalog::StreamDefinition& stream) {
  if (stream.sql.empty()) return {};  // late and dead-letter streams
  auto statement = parse_statement(stream.sql, {});
  if (!statement || !*statement) return {};
  auto* table = std::get_if<CreateTableAst>(&**statement);
  if (table == nullptr || std::ranges::none_of(table->columns, is_computed)) return {};
  return std::move(table->columns);
}

Error of_stream(Error error, const std::string& stream, TextPosition position) {
  error.message = fmt::format("in stream '{}': {}", stream, error.message);
  error.position = position;
  return error;
}

}  // namespace

// Stored columns and computed ones in the order in which they were declared.
Result<Relation> QueryBinder::with_computed(Relation stored, const std::vector<ColumnDefinition>& columns) {
  ExpressionScope scope;
  scope.input = &stored.schema();
  scope.visible = stored.visible;
  scope.alias = stored.source;
  ExpressionBinder binder(scope, nodes_);
  std::vector<Expression> expressions;
  std::vector<std::string> names;
  size_t next_stored = 0;
  for (const ColumnDefinition& column : columns) {
    // A pipeline that is older than the column does not know it.
    if (!column.computed && next_stored == stored.schema().fields.size()) continue;
    names.push_back(column.name.text);
    if (!column.computed) {
      const columnar::Field& field = stored.schema().fields[next_stored];
      expressions.push_back(make_column(next_stored++, field.name, field.type, field.nullable));
      continue;
    }
    TRY_ASSIGN(Expression expression, binder.bind(*column.computed));
    if (expression.type == TypeKind::kNull) expression = coerce(std::move(expression), TypeKind::kString);
    if (expression.type == TypeKind::kInterval) {
      return fail_at(ErrorCode::SqlUnsupported, column.name.position,
                     fmt::format("the computed column '{}' cannot be an INTERVAL", column.name.text),
                     "Use TIMESTAMPDIFF(SECOND, from, to)");
    }
    expressions.push_back(std::move(expression));
  }
  stored.path = to_lower(stored.source);
  return project(std::move(stored), std::move(expressions), std::move(names));
}

Result<Relation> QueryBinder::read_stream(std::shared_ptr<const catalog::StreamDefinition> stream,
                                          TextPosition position) {
  const std::vector<ColumnDefinition> columns = declared_columns(*stream);
  const std::string name = stream->name;
  Relation stored = scan(std::move(stream));
  if (columns.empty()) return stored;
  auto relation = with_computed(std::move(stored), columns);
  if (!relation) return fail(of_stream(std::move(relation.error()), name, position));
  return relation;
}

Result<> QueryBinder::check_computed(const catalog::StreamDefinition& stream,
                                     const std::vector<ColumnDefinition>& columns) {
  if (std::ranges::none_of(columns, is_computed)) return {};
  // Shared as scan() wants it.
  TRY(with_computed(scan(std::make_shared<const catalog::StreamDefinition>(stream)), columns));
  return {};
}

}  // namespace tidegate::sql
