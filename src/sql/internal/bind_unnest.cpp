// CROSS JOIN UNNEST(array): a row for each element.
#include <fmt/format.h>

#include "sql/internal/bind_lookup.h"
#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;

namespace {

// What an element becomes: the fields of a ROW, or itself; then its number.
Result<std::vector<Field>> element_columns(const UnnestClause& clause, const Field& element, bool left) {
  std::vector<Field> columns;
  if (element.type == TypeKind::kRow) {
    columns = *element.type.fields;
  } else {
    columns.push_back({{}, element.type, false});
  }
  // A NULL among ROWs is NULL in all fields.
  for (Field& column : columns) column.nullable = column.nullable || element.nullable || left;
  if (clause.ordinality) columns.push_back({"ORDINALITY", TypeKind::kInt, left});
  if (clause.columns.empty()) {
    if (element.type == TypeKind::kRow) return columns;
    return fail_at(ErrorCode::SqlSyntax, clause.array.position, "the elements of the array have no name",
                   fmt::format("UNNEST(...){} AS t (x{})", clause.ordinality ? " WITH ORDINALITY" : "",
                               clause.ordinality ? ", number" : ""));
  }
  if (clause.columns.size() != columns.size()) {
    return fail_at(ErrorCode::SqlTypeMismatch, clause.columns.front().position,
                   fmt::format("{} name{} for {} column{}", clause.columns.size(),
                               clause.columns.size() == 1 ? "" : "s", columns.size(), columns.size() == 1 ? "" : "s"),
                   element.type == TypeKind::kRow
                       ? fmt::format("The elements are {}", columnar::type_name(element.type))
                       : "An element that is no ROW is one column, WITH ORDINALITY one more");
  }
  for (size_t at = 0; at < columns.size(); ++at) {
    columns[at].name = clause.columns[at].text;
    for (size_t before = 0; before < at; ++before) {
      if (!equal_ignoring_case(columns[before].name, columns[at].name)) continue;
      return fail_at(ErrorCode::SqlAmbiguousColumn, clause.columns[at].position,
                     fmt::format("column '{}' is named twice", columns[at].name));
    }
  }
  return columns;
}

void shift(std::optional<size_t>& column, size_t first, size_t count) {
  if (column && *column >= first) *column += count;
}

// The parts of a AND b AND c.
void take_parts(Expression predicate, std::vector<Expression>& parts) {
  auto* call = std::get_if<std::unique_ptr<Call>>(&predicate.node);
  if (call == nullptr || (*call)->function != FunctionId::kAnd) {
    parts.push_back(std::move(predicate));
    return;
  }
  for (Expression& argument : (*call)->arguments) take_parts(std::move(argument), parts);
}

// References to what the array adds are not there; those behind it move to where they stand in the input.
void move_below(Expression& expression, const ColumnRange& added) {
  if (auto* column = std::get_if<ColumnRef>(&expression.node)) {
    if (column->index >= added.first) column->index -= added.count;
  } else if (auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (Expression& argument : (*call)->arguments) move_below(argument, added);
  }
}

}  // namespace

void QueryBinder::filter_early(Relation& relation, Expression predicate) {
  const auto* unnest = std::get_if<Unnest>(&relation.node->node);
  if (unnest == nullptr) return filter(relation, std::move(predicate));
  const ColumnRange added{unnest->place, unnest->columns.size()};
  std::vector<Expression> parts;
  take_parts(std::move(predicate), parts);
  std::vector<Expression> early;
  std::vector<Expression> late;
  for (Expression& part : parts) {
    const bool looks_at_elements = uses_of(part, added).table;
    if (!looks_at_elements) move_below(part, added);
    (looks_at_elements ? late : early).push_back(std::move(part));
  }
  if (!early.empty()) {
    Relation below;
    below.path = relation.path;
    below.node = std::move(relation.node->inputs[0]);
    filter_early(below, conjunction(std::move(early)));
    relation.node->inputs[0] = std::move(below.node);
  }
  if (!late.empty()) filter(relation, conjunction(std::move(late)));
}

Result<Relation> QueryBinder::bind_unnest(const UnnestClause& clause, bool left, Relation input) {
  ExpressionScope scope = scope_of(input);
  Unnest made;
  TRY_ASSIGN(made.array, ExpressionBinder(scope, nodes_).bind(clause.array));
  if (made.array.type != TypeKind::kArray) {
    return fail_at(ErrorCode::SqlTypeMismatch, clause.array.position,
                   fmt::format("UNNEST takes an ARRAY but has {}", columnar::type_name(made.array.type)));
  }
  TRY_ASSIGN(const std::vector<Field> columns, element_columns(clause, made.array.type.element(), left));
  made.left = left;
  made.place = input.visible;
  for (size_t at = 0; at < input.schema().fields.size(); ++at) made.passed.push_back(at);
  for (size_t at = 0; at < columns.size(); ++at) made.columns.push_back(at);

  Relation output = std::move(input);
  if (output.parts.empty()) output.parts.push_back({output.alias, 0, output.visible});
  output.parts.push_back({clause.alias ? clause.alias->text : std::string(), made.place, columns.size()});
  auto schema = std::make_shared<Schema>(output.schema());
  schema->fields.insert(schema->fields.begin() + static_cast<std::ptrdiff_t>(made.place), columns.begin(),
                        columns.end());
  for (std::optional<size_t> Relation::* column :
       {&Relation::time_column, &Relation::device_column, &Relation::window_start, &Relation::window_end}) {
    shift(output.*column, made.place, columns.size());
  }
  output.visible += columns.size();
  auto node = std::make_unique<PlanNode>();
  node->output = std::move(schema);
  node->operator_id =
      operator_id(output.path, "unnest", fmt::format("{} {} {}", to_string(made.array), left, clause.ordinality));
  node->node = std::move(made);
  node->inputs.push_back(std::move(output.node));
  output.node = std::move(node);
  return output;
}

}  // namespace tidegate::sql
