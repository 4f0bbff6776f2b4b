// x IN (SELECT k FROM table ...) and EXISTS (SELECT 1 FROM table AS t WHERE t.k = r.k ...): each becomes a column that
// a lookup adds to the rows, and the condition around it goes by that.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_lookup.h"
#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using catalog::TableDefinition;
using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;

namespace {

// What a subquery may be: one table and a condition.
Result<> check_shape(const AstExpression& ast) {
  const Query& query = *ast.query;
  const bool plain = query.branches.empty() && query.joins.empty() && query.common_tables.empty() &&
                     !query.group_by_position && !query.having && !query.tail;
  if (plain) return {};
  return fail_at(ErrorCode::SqlUnsupported, query.position,
                 fmt::format("{} takes SELECT ... FROM table [WHERE condition] of a lookup table, no more", ast.name));
}

std::string alias_of(const TableRef& ref, const TableDefinition& table) {
  return ref.alias ? ref.alias->text : table.name;
}

// A scope of the table's columns alone.
ExpressionScope table_scope(const TableRef& ref, const TableDefinition& table) {
  ExpressionScope scope;
  scope.input = table.schema.get();
  scope.visible = table.schema->fields.size();
  scope.alias = alias_of(ref, table);
  return scope;
}

std::string membership_meaning(const LookupJoin& join) {
  std::string meaning = fmt::format("{} {}", static_cast<int>(join.kind), join.table->name);
  for (size_t at = 0; at < join.keys.size(); ++at) {
    meaning += fmt::format(";{}={}", to_string(join.keys[at]), to_string(join.table_keys[at]));
  }
  if (join.time) meaning += "@" + to_string(*join.time);
  if (join.condition) meaning += "?" + to_string(*join.condition);
  return meaning;
}

// With a time there is one row of a key that counts, so the key must be the table's own.
Result<> check_versioned(const LookupJoin& join, TextPosition position) {
  if (!join.time) return {};
  std::vector<size_t> columns;
  for (const Expression& key : join.table_keys) {
    const auto* column = std::get_if<ColumnRef>(&key.node);
    if (column != nullptr) columns.push_back(column->index);
  }
  std::vector<size_t> wanted = join.table->key;
  std::ranges::sort(columns);
  std::ranges::sort(wanted);
  if (columns == wanted) return {};
  return fail_at(ErrorCode::SqlUnsupported, position,
                 fmt::format("with FOR SYSTEM_TIME AS OF the whole PRIMARY KEY of '{}' must be compared, and nothing "
                             "else",
                             join.table->name),
                 "Without it, rows of all times count");
}

// The conditions of an EXISTS, each bound in `scope`, into what they are for.
class ExistsCondition {
 public:
  ExistsCondition(LookupJoin& into, ColumnRange table) : into_(into), table_(table) {}

  Result<> add(Expression bound, TextPosition position) {
    const Uses uses = uses_of(bound, table_);
    if (!uses.row) {
      move_references(bound, table_, 0);
      conditions_.push_back(std::move(bound));
      return {};
    }
    auto pair = key_pair(bound, table_);
    if (!pair) {
      return fail_at(ErrorCode::SqlUnsupported, position,
                     fmt::format("EXISTS compares columns of '{}' with those of the row by = only", into_.table->name),
                     uses.table ? "Conditions on the table alone may be anything"
                                : "Put conditions on the row alone behind EXISTS (...) AND");
    }
    TRY(check_key_type(pair->row_side, position));
    move_references(pair->table_side, table_, 0);
    into_.keys.push_back(std::move(pair->row_side));
    into_.table_keys.push_back(std::move(pair->table_side));
    return {};
  }
  Result<> finish(TextPosition position) {
    if (!conditions_.empty()) into_.condition = conjunction(std::move(conditions_));
    if (!into_.keys.empty()) return {};
    return fail_at(ErrorCode::SqlUnsupported, position, "EXISTS does not compare the table with the row",
                   "EXISTS (SELECT 1 FROM t WHERE t.k = r.k)");
  }

 private:
  LookupJoin& into_;
  const ColumnRange table_;
  std::vector<Expression> conditions_;
};

}  // namespace

Result<> QueryBinder::bind_in_query(const AstExpression& ast, const Relation& input, const Marks& marks,
                                    LookupJoin& into) {
  const Query& query = *ast.query;
  if (query.items.size() != 1 || query.items.front().star) {
    return fail_at(ErrorCode::SqlUnsupported, query.position, "the SELECT of IN must have one column, by its name");
  }
  ExpressionScope outer = scope_of(input);
  outer.marks = marks;
  ExpressionScope inner = table_scope(query.from, *into.table);
  ExpressionBinder inner_binder(inner, nodes_);
  TRY_ASSIGN(Expression value, ExpressionBinder(outer, nodes_).bind(ast.children[0]));
  TRY_ASSIGN(Expression member, inner_binder.bind(query.items.front().expression));
  TRY(unify({&value, &member}, ast.position, "IN"));
  TRY(check_key_type(value, ast.position));
  into.keys.push_back(std::move(value));
  into.table_keys.push_back(std::move(member));
  if (!query.where) return {};
  auto condition = inner_binder.bind_condition(*query.where, "WHERE");
  if (!condition && condition.error().code == ErrorCode::SqlUnknownStream) {
    condition.error().hint = "IN sees the table's columns only; use EXISTS to compare others with the row's";
  }
  TRY_ASSIGN(into.condition, std::move(condition));
  return {};
}

Result<> QueryBinder::bind_exists(const AstExpression& ast, const Schema& both, const Relation& input,
                                  LookupJoin& into) {
  const Query& query = *ast.query;
  const ColumnRange range{input.schema().fields.size(), into.table->schema->fields.size()};
  if (!query.where) return ExistsCondition(into, range).finish(ast.position);
  ExpressionScope scope = scope_of(input);
  scope.input = &both;
  scope.inner = ScopePart{alias_of(query.from, *into.table), range.first, range.count};
  ExpressionBinder binder(scope, nodes_);
  ExistsCondition condition(into, range);
  for (const AstExpression* part : conjuncts(*query.where)) {
    TRY_ASSIGN(Expression bound, binder.bind_condition(*part, "WHERE"));
    TRY(condition.add(std::move(bound), part->position));
  }
  return condition.finish(ast.position);
}

Result<LookupJoin> QueryBinder::bind_membership(const AstExpression& ast, const Relation& input, const Marks& marks) {
  TRY(check_shape(ast));
  const TableRef& from = ast.query->from;
  LookupJoin made;
  made.kind = ast.kind == AstKind::kExists ? LookupKind::kExists : LookupKind::kIn;
  TRY_ASSIGN(made.table, joined_table(from));
  TRY_ASSIGN(made.time, bind_as_of(from, *made.table, input));
  if (made.kind == LookupKind::kIn) {
    TRY(bind_in_query(ast, input, marks, made));
  } else {
    Schema both = input.schema();
    both.fields.insert(both.fields.end(), made.table->schema->fields.begin(), made.table->schema->fields.end());
    TRY(bind_exists(ast, both, input, made));
  }
  TRY(check_versioned(made, ast.position));
  made.place = input.schema().fields.size();
  return made;
}

Result<> QueryBinder::bind_subqueries(const AstExpression& ast, Relation& input, Marks& marks) {
  for (const AstExpression& child : ast.children) TRY(bind_subqueries(child, input, marks));
  if (ast.query == nullptr) return {};
  if (marks.size() >= kMaxSubqueries) {
    return fail_at(ErrorCode::SqlTooComplex, ast.position, fmt::format("more than {} subqueries", kMaxSubqueries));
  }
  TRY_ASSIGN(LookupJoin join, bind_membership(ast, input, marks));
  const bool in = join.kind == LookupKind::kIn;
  Schema schema = input.schema();
  const std::string name = in ? fmt::format("{} IN {}", to_string(join.keys.front()), join.table->name)
                              : fmt::format("EXISTS {}", join.table->name);
  const bool nullable = in && (join.keys.front().nullable || join.table_keys.front().nullable);
  schema.fields.push_back({name, TypeKind::kBoolean, nullable});
  marks.emplace_back(ast.query.get(), schema.fields.size() - 1);
  auto node = std::make_unique<PlanNode>();
  node->output = std::make_shared<Schema>(std::move(schema));
  node->operator_id = operator_id(input.path, "lookup", membership_meaning(join));
  node->node = std::move(join);
  node->inputs.push_back(std::move(input.node));
  input.node = std::move(node);
  return {};
}

}  // namespace tidegate::sql
