// JOIN with a lookup table: each row finds the table's row of its key.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_lookup.h"
#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using catalog::TableDefinition;
using columnar::Field;
using columnar::Schema;

namespace {

// The columns of both, the table's behind those that the input shows.
columnar::SchemaPtr joined_schema(const Relation& input, const TableDefinition& table, bool left) {
  auto schema = std::make_shared<Schema>(input.schema());
  std::vector<Field> columns = table.schema->fields;
  for (Field& field : columns) field.nullable = field.nullable || left;
  schema->fields.insert(schema->fields.begin() + static_cast<std::ptrdiff_t>(input.visible), columns.begin(),
                        columns.end());
  return schema;
}

// Which column of the table an expression is, as it is or widened: distinct values stay distinct.
std::optional<size_t> table_column(const Expression& expression, const ColumnRange& table) {
  const auto* column = std::get_if<ColumnRef>(&expression.node);
  const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node);
  if (call != nullptr && (*call)->function == FunctionId::kCast &&
      widens((*call)->arguments[0].type, expression.type)) {
    column = std::get_if<ColumnRef>(&(*call)->arguments[0].node);
  }
  if (column == nullptr || !table.holds(column->index)) return std::nullopt;
  return column->index - table.first;
}

// What ON says: the keys of the table, and what else must hold.
struct JoinCondition {
  std::vector<std::optional<Expression>> keys;  // in the order of the table's
  std::vector<Expression> table_keys;
  std::vector<Expression> others;
};

Result<bool> take_key(Expression& equality, const TableDefinition& table, const ColumnRange& range,
                      TextPosition position, JoinCondition& into) {
  auto pair = key_pair(equality, range);
  if (!pair) return false;
  const auto column = table_column(pair->table_side, range);
  const auto found = column ? std::ranges::find(table.key, *column) : table.key.end();
  const auto at = static_cast<size_t>(found - table.key.begin());
  if (found == table.key.end() || into.keys[at]) {
    equality = rejoin(std::move(*pair));
    return false;
  }
  TRY(check_key_type(pair->row_side, position));
  move_references(pair->table_side, range, 0);
  into.keys[at] = std::move(pair->row_side);
  into.table_keys[at] = std::move(pair->table_side);
  return true;
}

std::unexpected<Error> key_not_whole(const TableDefinition& table, const JoinCondition& condition,
                                     TextPosition position) {
  std::string all;
  std::string missing;
  for (size_t at = 0; at < table.key.size(); ++at) {
    const std::string& name = table.schema->fields[table.key[at]].name;
    all += (all.empty() ? "" : ", ") + name;
    if (!condition.keys[at]) missing += (missing.empty() ? "'" : ", '") + name + "'";
  }
  return fail_at(
      ErrorCode::SqlUnsupported, position,
      fmt::format("the join must compare the whole PRIMARY KEY of '{}', which is ({}), with =", table.name, all),
      fmt::format("{} {} missing: a row must find at most one row of the table", missing,
                  missing.find(',') == std::string::npos ? "is" : "are"));
}

void shift(std::optional<size_t>& column, const ColumnRange& table) {
  if (column && *column >= table.first) *column += table.count;
}

std::string join_meaning(const LookupJoin& join) {
  std::string meaning = fmt::format("{} {}", static_cast<int>(join.kind), join.table->name);
  for (size_t at = 0; at < join.keys.size(); ++at) {
    meaning += fmt::format(";{}={}", to_string(join.keys[at]), to_string(join.table_keys[at]));
  }
  if (join.time) meaning += "@" + to_string(*join.time);
  if (join.match) meaning += "?" + to_string(*join.match);
  return meaning;
}

}  // namespace

Result<catalog::TablePtr> QueryBinder::joined_table(const TableRef& table) const {
  constexpr std::string_view kHint =
      "A lookup table has PRIMARY KEY (...) NOT ENFORCED and 'connector' = 'filesystem' in its CREATE TABLE";
  const auto* name = std::get_if<Name>(&table.source);
  if (name == nullptr) {
    return fail_at(ErrorCode::SqlUnsupported, table.position, "only a lookup table can stand here, by its name",
                   std::string(kHint));
  }
  const bool common = std::ranges::any_of(
      common_, [&](const CommonScope& scope) { return equal_ignoring_case(scope.table->name.text, name->text); });
  auto found = common ? nullptr : names_.find_table(name->text);
  if (found != nullptr) return found;
  if (common || names_.find_stream(name->text) != nullptr || names_.find_view(name->text)) {
    return fail_at(ErrorCode::SqlUnsupported, name->position,
                   fmt::format("'{}' is no lookup table, and streams cannot be joined with one another", name->text),
                   std::string(kHint));
  }
  return fail_at(ErrorCode::SqlUnknownStream, name->position, fmt::format("no lookup table '{}'", name->text),
                 "SHOW TABLES lists them");
}

// Nothing if the table has no versions: its rows are the newest there are.
Result<std::optional<Expression>> QueryBinder::bind_as_of(const TableRef& table, const TableDefinition& what,
                                                          const Relation& input) {
  if (!table.as_of) return std::optional<Expression>();
  ExpressionScope scope = scope_of(input);
  TRY_ASSIGN(Expression time, ExpressionBinder(scope, nodes_).bind(*table.as_of));
  if (!columnar::is_timestamp(time.type)) {
    return fail_at(ErrorCode::SqlTypeMismatch, table.as_of->position,
                   fmt::format("FOR SYSTEM_TIME AS OF needs a time but has {}", columnar::type_name(time.type)),
                   "Use the stream's event time");
  }
  if (!what.version_column) return std::optional<Expression>();
  const Field& version = what.schema->fields[*what.version_column];
  if (time.type == version.type) return std::optional(std::move(time));
  return fail_at(ErrorCode::SqlTypeMismatch, table.as_of->position,
                 fmt::format("the time is {} but '{}' of '{}' is {}", columnar::type_name(time.type), version.name,
                             what.name, columnar::type_name(version.type)),
                 "Declare both alike; TIMESTAMP is the time on some wall, TIMESTAMP_LTZ an instant");
}

Result<Relation> QueryBinder::bind_join(const JoinClause& join, Relation input) {
  if (join.unnest) return bind_unnest(*join.unnest, join.left, std::move(input));
  TRY_ASSIGN(const catalog::TablePtr table, joined_table(join.table));
  if (!join.table.as_of) {
    return fail_at(ErrorCode::SqlUnsupported, join.table.position, "a JOIN needs FOR SYSTEM_TIME AS OF",
                   fmt::format("JOIN {0} FOR SYSTEM_TIME AS OF r.ts AS t ON ..., where r.ts is the event time of the "
                               "stream",
                               quote_identifier(table->name)));
  }
  LookupJoin made;
  made.kind = join.left ? LookupKind::kLeft : LookupKind::kInner;
  made.table = table;
  made.place = input.visible;
  for (size_t at = 0; at < table->schema->fields.size(); ++at) made.columns.push_back(at);
  TRY_ASSIGN(made.time, bind_as_of(join.table, *table, input));

  const ColumnRange range{input.visible, table->schema->fields.size()};
  Relation output = std::move(input);
  if (output.parts.empty()) output.parts.push_back({output.alias, 0, output.visible});
  output.parts.push_back({join.table.alias ? join.table.alias->text : table->name, range.first, range.count});
  const columnar::SchemaPtr schema = joined_schema(output, *table, join.left);
  output.visible += range.count;
  ExpressionScope scope = scope_of(output);
  scope.input = schema.get();
  ExpressionBinder binder(scope, nodes_);
  JoinCondition condition{
      std::vector<std::optional<Expression>>(table->key.size()), std::vector<Expression>(table->key.size()), {}};
  for (const AstExpression* part : conjuncts(join.condition)) {
    TRY_ASSIGN(Expression bound, binder.bind_condition(*part, "ON"));
    TRY_ASSIGN(const bool taken, take_key(bound, *table, range, part->position, condition));
    if (!taken) condition.others.push_back(std::move(bound));
  }
  const bool whole = std::ranges::all_of(condition.keys, [](const auto& key) { return key.has_value(); });
  if (!whole) return key_not_whole(*table, condition, join.condition.position);
  for (std::optional<Expression>& key : condition.keys) made.keys.push_back(std::move(*key));
  made.table_keys = std::move(condition.table_keys);
  if (join.left && !condition.others.empty()) made.match = conjunction(std::move(condition.others));

  shift(output.time_column, range);
  shift(output.device_column, range);
  shift(output.window_start, range);
  shift(output.window_end, range);
  auto node = std::make_unique<PlanNode>();
  node->output = schema;
  node->operator_id = operator_id(output.path, "lookup", join_meaning(made));
  node->node = std::move(made);
  node->inputs.push_back(std::move(output.node));
  output.node = std::move(node);
  if (!join.left && !condition.others.empty()) filter(output, conjunction(std::move(condition.others)));
  return output;
}

}  // namespace tidegate::sql
