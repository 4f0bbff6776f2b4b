// ORDER BY, LIMIT and OFFSET at the end of a SELECT.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

const std::string* plain_name(const AstExpression& ast) {
  return ast.kind == AstKind::kColumn && ast.path.size() == 1 ? &ast.path.front().text : nullptr;
}

// The result's column that an item of ORDER BY names, by name or by number; nothing if it must be computed.
Result<std::optional<size_t>> column_named(const AstExpression& ast, const std::vector<std::string>& names,
                                           size_t columns) {
  if (const auto* number = std::get_if<int64_t>(&ast.literal); ast.kind == AstKind::kLiteral && number != nullptr) {
    if (*number >= 1 && static_cast<size_t>(*number) <= columns) return static_cast<size_t>(*number) - 1;
    return fail_at(ErrorCode::SqlUnknownColumn, ast.position,
                   fmt::format("ORDER BY {}: the result has columns 1 to {}", *number, columns));
  }
  const std::string* name = plain_name(ast);
  std::optional<size_t> found;
  for (size_t at = 0; name != nullptr && at < columns; ++at) {
    if (!equal_ignoring_case(names[at], *name)) continue;
    if (found) {
      return fail_at(ErrorCode::SqlAmbiguousColumn, ast.position,
                     fmt::format("more than one column of the result is called '{}'", *name),
                     "Order by its number, or give it another name with AS");
    }
    found = at;
  }
  return found;
}

Result<SortKey> sort_key(const OrderItem& item, size_t column, const columnar::Type& type) {
  if (type.is_nested()) {
    return fail_at(ErrorCode::SqlUnsupported, item.expression.position,
                   fmt::format("ORDER BY of {} is not supported", columnar::type_name(type)),
                   "Order by one of its values");
  }
  return SortKey{column, item.descending, item.nulls_first.value_or(!item.descending)};
}

}  // namespace

TextPosition item_position(const Query& query, size_t at) {
  if (at < query.items.size()) return query.items[at].position;
  return query.tail ? query.tail->position : query.position;
}

Result<Plan> QueryBinder::bind_statement(const Query& query) {
  ends_ = true;
  TRY_ASSIGN(Relation relation, bind_ordered(query, "query"));
  if (query.tail && !query.branches.empty()) TRY(order_union(query, relation));
  const size_t visible = relation.visible;
  Plan plan{prune(std::move(relation.node), visible)};
  plan.whole = whole_;
  if (!query.tail) return plan;
  ordering_.limit = query.tail->limit;
  ordering_.offset = query.tail->offset;
  ordering_.position = query.tail->position;
  plan.ordering = std::move(ordering_);
  return plan;
}

// Names mean the result's columns before those of the table; what is neither is computed beside them.
Result<> QueryBinder::bind_order(const Query& query, ExpressionScope& scope, std::vector<Expression>& expressions,
                                 std::vector<std::string>& names) {
  const size_t columns = expressions.size();
  ExpressionBinder binder(scope, nodes_);
  for (const OrderItem& item : query.tail->order) {
    TRY_ASSIGN(std::optional<size_t> column, column_named(item.expression, names, columns));
    if (!column) {
      TRY_ASSIGN(Expression expression, binder.bind(item.expression));
      if (expression.type == columnar::TypeKind::kInterval || std::holds_alternative<Literal>(expression.node)) {
        return fail_at(ErrorCode::SqlUnsupported, item.expression.position,
                       "ORDER BY needs a column or what is made of one");
      }
      column = static_cast<size_t>(std::ranges::find(expressions, expression) - expressions.begin());
      if (*column == expressions.size()) {
        names.push_back(fmt::format("ORDER${}", *column));
        expressions.push_back(std::move(expression));
      }
    }
    TRY_ASSIGN(const SortKey key, sort_key(item, *column, expressions[*column].type));
    ordering_.keys.push_back(key);
  }
  if (ordering_.keys.size() > kMaxGroupKeys) {
    return fail_at(ErrorCode::SqlTooComplex, query.tail->position, fmt::format("more than {} keys", kMaxGroupKeys));
  }
  ordering_.hidden = expressions.size() - columns;
  return {};
}

Result<> QueryBinder::order_union(const Query& query, const Relation& relation) {
  std::vector<std::string> names;
  for (size_t at = 0; at < relation.visible; ++at) names.push_back(relation.schema().fields[at].name);
  for (const OrderItem& item : query.tail->order) {
    TRY_ASSIGN(const std::optional<size_t> column, column_named(item.expression, names, names.size()));
    if (!column) {
      return fail_at(ErrorCode::SqlUnsupported, item.expression.position,
                     "ORDER BY of a UNION ALL goes by columns of the result", "Put the UNION ALL into a subquery");
    }
    TRY_ASSIGN(const SortKey key, sort_key(item, *column, relation.schema().fields[*column].type));
    ordering_.keys.push_back(key);
  }
  return {};
}

}  // namespace tidegate::sql
