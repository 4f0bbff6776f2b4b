// OVER (PARTITION BY ... ORDER BY ... ROWS | RANGE ...).
#include "sql/internal/parser.h"

namespace tidegate::sql {

Result<std::shared_ptr<const OverClause>> Parser::over_clause() {
  const Level level(depth_);
  TRY(check_depth(depth_, peek().position));
  auto parsed = std::make_shared<OverClause>();  // shared: see AstExpression
  parsed->position = next().position;
  if (!at_symbol("(")) return unsupported("a named window", "Write OVER (PARTITION BY ... ORDER BY ...)");
  next();
  if (accept_word("PARTITION")) {
    TRY(expect_word("BY"));
    do {
      TRY_ASSIGN(AstExpression key, expression());
      parsed->partition.push_back(std::move(key));
    } while (accept_symbol(","));
  }
  if (!at_word("ORDER")) return unexpected("ORDER BY and the event time");
  next();
  TRY(expect_word("BY"));
  do {
    OrderItem item;
    TRY_ASSIGN(item.expression, expression());
    item.descending = accept_word("DESC");
    if (!item.descending) accept_word("ASC");
    if (at_word("NULLS")) return unsupported("NULLS FIRST and NULLS LAST", "NULL is the least");
    parsed->order.push_back(std::move(item));
  } while (accept_symbol(","));
  if (at_word("ROWS") || at_word("RANGE")) TRY(frame(*parsed));
  TRY(expect_symbol(")"));
  return parsed;
}

Result<> Parser::frame(OverClause& over) {
  over.frame_position = peek().position;
  over.frame = at_word("ROWS") ? FrameKind::kRows : FrameKind::kRange;
  next();
  const bool between = accept_word("BETWEEN");
  if (at_word("CURRENT")) return unsupported("a frame that starts at CURRENT ROW", "It is a single row");
  if (accept_word("UNBOUNDED")) {
    over.frame = FrameKind::kUnbounded;
  } else if (over.frame == FrameKind::kRows) {
    if (peek().kind != TokenKind::kInteger) return unexpected("a number of rows, or UNBOUNDED");
    TRY_ASSIGN(const AstExpression count, number(false, peek().position));
    const auto* rows = std::get_if<int64_t>(&count.literal);
    if (rows == nullptr) return unexpected("a number of rows");
    over.rows = *rows;
  } else {
    TRY_ASSIGN(over.range_us, window_interval());
  }
  TRY(expect_word("PRECEDING"));
  if (!between) return {};
  TRY(expect_word("AND"));
  if (!at_word("CURRENT")) return unsupported("a frame that ends elsewhere than at CURRENT ROW", "");
  next();
  return expect_word("ROW");
}

}  // namespace tidegate::sql
