// GROUP BY without a window, and aggregates without GROUP BY: over all that is stored, which has an end.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

bool has_aggregate(const AstExpression& ast) {
  if (ast.kind == AstKind::kCall && ast.over == nullptr && is_aggregate(ast.name)) return true;
  return std::ranges::any_of(ast.children, has_aggregate);
}

bool aggregates(const Query& query) {
  return query.having || std::ranges::any_of(query.items, [](const SelectItem& item) {
           return !item.star && has_aggregate(item.expression);
         });
}

}  // namespace

bool groups_whole(const Query& query) { return query.group_by_position || aggregates(query); }

Result<> QueryBinder::window_over_all(const Query& query, Relation& input) {
  const TextPosition position = query.group_by_position.value_or(query.position);
  if (!input.time_column) {
    return fail_at(ErrorCode::SqlNoTimeColumn, position,
                   fmt::format("the rows of '{}' have no event time to group them by", input.source),
                   "Declare WATERMARK FOR ts AS ts in the stream's CREATE TABLE; in a subquery, select its event time");
  }
  if (!whole_) whole_ = position;
  WindowCall window;
  window.position = position;
  window.spec = WindowSpec{WindowKind::kAll, kWholeUs, kWholeUs, -kWholeUs / 2};
  input.window = std::move(window);
  return {};
}

}  // namespace tidegate::sql
