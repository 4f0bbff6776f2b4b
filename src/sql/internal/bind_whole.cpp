// SELECT DISTINCT, GROUP BY without a window, and aggregates without GROUP BY: over all that is stored, which has an
// end.
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

bool groups_whole(const Query& query) { return query.group_by_position || query.distinct || aggregates(query); }

// Every column of the result is a key; only the window is there already.
Result<std::vector<Expression>> QueryBinder::distinct_keys(const Query& query, const ExpressionScope& scope,
                                                           const std::vector<Expression>& items) const {
  if (query.tail && ordering_.hidden > 0) {
    return fail_at(ErrorCode::SqlInvalidGrouping, ordering_.position,
                   "SELECT DISTINCT can be ordered by the columns of its result only",
                   "Select what it is to be ordered by as well, or GROUP BY and order by an aggregate");
  }
  std::vector<Expression> keys;
  bool by_window = false;
  for (size_t at = 0; at < items.size(); ++at) {
    const auto* column = std::get_if<ColumnRef>(&items[at].node);
    const bool of_window = column != nullptr && scope.windowed && column->index >= scope.window_base();
    by_window = by_window || of_window;
    if (of_window || std::holds_alternative<Literal>(items[at].node)) continue;
    TRY(refuse_nested(items[at].type, item_position(query, at), "SELECT DISTINCT"));
    if (std::ranges::find(keys, items[at]) == keys.end()) keys.push_back(items[at].clone());
    if (keys.size() > kMaxGroupKeys) {
      return fail_at(ErrorCode::SqlTooComplex, *query.distinct,
                     fmt::format("more than {} columns of SELECT DISTINCT", kMaxGroupKeys));
    }
  }
  if (by_window || !scope.windowed) return keys;
  return fail_at(ErrorCode::SqlInvalidGrouping, *query.distinct, "SELECT DISTINCT must contain the window",
                 "Select window_start or window_end as well");
}

void QueryBinder::window_over_all(const Query& query, Relation& input) {
  const TextPosition position = query.distinct.value_or(query.group_by_position.value_or(query.position));
  if (!whole_) whole_ = position;
  WindowCall window;
  window.position = position;
  window.spec = WindowSpec{WindowKind::kAll, kWholeUs, kWholeUs, -kWholeUs / 2};
  input.window = std::move(window);
}

}  // namespace tidegate::sql
