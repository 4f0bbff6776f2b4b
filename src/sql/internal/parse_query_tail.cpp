// The end of a query: ORDER BY, LIMIT, OFFSET, FETCH.
#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

Result<> Parser::query_tail(Query& query) {
  QueryTail tail;
  tail.position = peek().position;
  const auto begins = [&](std::string_view word) {
    if (!at_word(word)) return false;
    if (tail.first_word.empty()) tail.first_word = word == "ORDER" ? "ORDER BY" : word;
    return true;
  };
  if (begins("ORDER")) TRY(order_by(tail));
  if (begins("LIMIT")) {
    next();
    if (!accept_word("ALL")) {
      TRY_ASSIGN(tail.limit, row_count());
    }
  }
  if (begins("OFFSET")) {
    next();
    TRY_ASSIGN(tail.offset, row_count());
    if (!accept_word("ROWS")) accept_word("ROW");
  }
  if (begins("FETCH")) {
    if (tail.limit) return unsupported("FETCH after LIMIT", "Leave one of them out");
    next();
    if (!accept_word("NEXT")) TRY(expect_word("FIRST"));
    TRY_ASSIGN(tail.limit, row_count());
    if (!accept_word("ROWS")) TRY(expect_word("ROW"));
    TRY(expect_word("ONLY"));
  }
  if (tail.first_word.empty()) return {};
  if (query.tail) {
    return fail_at(ErrorCode::SqlUnsupported, tail.position, "ORDER BY or LIMIT within another is not supported",
                   "Write one of each, at the end");
  }
  query.tail = std::move(tail);
  return {};
}

Result<> Parser::order_by(QueryTail& tail) {
  next();
  TRY(expect_word("BY"));
  do {
    OrderItem item;
    TRY_ASSIGN(item.expression, expression());
    item.descending = accept_word("DESC");
    if (!item.descending) accept_word("ASC");
    if (accept_word("NULLS")) {
      item.nulls_first = accept_word("FIRST");
      if (!*item.nulls_first) TRY(expect_word("LAST"));
    }
    tail.order.push_back(std::move(item));
  } while (accept_symbol(","));
  return {};
}

Result<uint64_t> Parser::row_count() {
  if (peek().kind != TokenKind::kInteger) return unexpected("a number of rows");
  const TextPosition position = peek().position;
  TRY_ASSIGN(const AstExpression count, number(false, position));
  const auto* rows = std::get_if<int64_t>(&count.literal);
  if (rows == nullptr) {
    return fail_at(ErrorCode::SqlSyntax, position, fmt::format("a number of rows is at most {}", INT64_MAX),
                   "Leave it out for all of them");
  }
  return static_cast<uint64_t>(*rows);
}

}  // namespace tidegate::sql
