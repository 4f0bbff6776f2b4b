// UNNEST(array) behind JOIN.
#include <algorithm>

#include "sql/internal/parser.h"

namespace tidegate::sql {

// `on`: ON TRUE must follow, as behind LEFT JOIN.
Result<> Parser::unnest(JoinClause& join, bool on) {
  UnnestClause parsed;
  next();
  next();
  TRY_ASSIGN(parsed.array, expression());
  TRY(expect_symbol(")"));
  if (at_word("WITH") && at_word("ORDINALITY", 1)) {
    next();
    next();
    parsed.ordinality = true;
  }
  constexpr std::string_view kTails[] = {"WINDOW", "OFFSET", "FETCH", "MINUS", "QUALIFY"};
  const bool tail = std::ranges::any_of(kTails, [&](std::string_view word) { return at_word(word); });
  if (accept_word("AS") || (at_name() && !tail)) {
    TRY_ASSIGN(parsed.alias, name("of the table"));
    if (accept_symbol("(")) {
      do {
        TRY_ASSIGN(Name column, name("of a column"));
        parsed.columns.push_back(std::move(column));
      } while (accept_symbol(","));
      TRY(expect_symbol(")"));
    }
  }
  join.unnest = std::move(parsed);
  if (!on) return {};
  TRY(expect_word("ON"));
  if (!accept_word("TRUE")) return unsupported("a condition on UNNEST", "Write ON TRUE, and the condition into WHERE");
  return {};
}

}  // namespace tidegate::sql
