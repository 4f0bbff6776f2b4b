#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

constexpr size_t kMaxBranches = 32;  // of one UNION ALL: each costs a copy of what comes after it
constexpr size_t kMaxJoins = 32;     // of one SELECT: each looks up every row

}  // namespace

Result<Query> Parser::query() {
  const Level level(depth_);
  TRY(check_depth(depth_, peek().position));
  const TextPosition position = peek().position;
  std::vector<CommonTable> tables;
  if (accept_word("WITH")) {
    TRY_ASSIGN(tables, common_tables());
  }
  TRY_ASSIGN(Query parsed, query_term());
  if (at_word("UNION")) {
    Query all;
    all.branches.push_back(std::make_unique<Query>(std::move(parsed)));
    TRY(union_branches(all));
    parsed = std::move(all);
  }
  TRY(query_tail(parsed));
  TRY(refuse_query_tail());
  parsed.position = position;
  tables.insert(tables.end(), std::make_move_iterator(parsed.common_tables.begin()),
                std::make_move_iterator(parsed.common_tables.end()));
  parsed.common_tables = std::move(tables);
  return parsed;
}

Result<> Parser::union_branches(Query& query) {
  while (at_word("UNION")) {
    if (!at_word("ALL", 1)) return unsupported("UNION without ALL", "UNION ALL keeps the rows of both sides");
    next();
    next();
    TRY_ASSIGN(Query branch, query_term());
    query.branches.push_back(std::make_unique<Query>(std::move(branch)));
    if (query.branches.size() > kMaxBranches) {
      return fail_at(ErrorCode::SqlTooComplex, query.position,
                     fmt::format("more than {} queries in one UNION ALL", kMaxBranches));
    }
  }
  return {};
}

// One side of a UNION ALL, or the whole query.
Result<Query> Parser::query_term() {
  if (accept_symbol("(")) {
    TRY_ASSIGN(Query inner, query());
    TRY(expect_symbol(")"));
    return inner;
  }
  Query parsed;
  parsed.position = peek().position;
  if (at_word("VALUES")) return unsupported("VALUES", "Send records over MQTT or HTTP");
  TRY(expect_word("SELECT"));
  if (at_word("DISTINCT")) parsed.distinct = next().position;
  accept_word("ALL");
  TRY(select_list(parsed));
  TRY(expect_word("FROM"));
  TRY_ASSIGN(parsed.from, table_ref());
  TRY(joins(parsed));
  if (accept_word("WHERE")) {
    TRY_ASSIGN(parsed.where, expression());
  }
  TRY(group_by(parsed));
  if (parsed.distinct && parsed.group_by_position) {
    return fail_at(ErrorCode::SqlUnsupported, *parsed.distinct, "SELECT DISTINCT with GROUP BY is not supported",
                   "Groups are distinct if their keys are selected; else SELECT DISTINCT from a subquery");
  }
  if (accept_word("HAVING")) {
    TRY_ASSIGN(parsed.having, expression());
  }
  return parsed;
}

Result<std::vector<CommonTable>> Parser::common_tables() {
  std::vector<CommonTable> tables;
  do {
    CommonTable table;
    TRY_ASSIGN(table.name, name("of the common table expression"));
    if (at_symbol("(")) return unsupported("a column list after the name", "Name the columns in its SELECT with AS");
    TRY(expect_word("AS"));
    TRY(expect_symbol("("));
    TRY_ASSIGN(Query inner, query());
    table.query = std::make_unique<Query>(std::move(inner));
    TRY(expect_symbol(")"));
    tables.push_back(std::move(table));
  } while (accept_symbol(","));
  return tables;
}

Result<> Parser::select_list(Query& query) {
  do {
    TRY_ASSIGN(SelectItem item, select_item());
    query.items.push_back(std::move(item));
  } while (accept_symbol(","));
  return {};
}

Result<SelectItem> Parser::select_item() {
  SelectItem item;
  item.position = peek().position;
  if (accept_symbol("*")) {
    item.star = true;
    return item;
  }
  if (at_name() && at_symbol(".", 1) && at_symbol("*", 2)) {
    TRY_ASSIGN(item.qualifier, name("of the table"));
    next();
    next();
    item.star = true;
    return item;
  }
  TRY_ASSIGN(item.expression, expression());
  if (accept_word("AS") || at_name()) {
    TRY_ASSIGN(item.alias, name("of the column"));
  }
  return item;
}

Result<> Parser::group_by(Query& query) {
  if (!at_word("GROUP")) return {};
  query.group_by_position = next().position;
  TRY(expect_word("BY"));
  if (at_word("GROUPING") || at_word("ROLLUP") || at_word("CUBE")) {
    return unsupported(fmt::format("GROUP BY {}", to_upper(peek().text)), "Write one query per grouping");
  }
  do {
    TRY_ASSIGN(AstExpression key, expression());
    query.group_by.push_back(std::move(key));
  } while (accept_symbol(","));
  return {};
}

Result<> Parser::refuse_query_tail() const {
  if (at_word("INTERSECT") || at_word("EXCEPT") || at_word("MINUS")) {
    return unsupported(to_upper(peek().text), "UNION ALL is the only one");
  }
  if (at_word("WINDOW") || at_word("QUALIFY")) return unsupported(to_upper(peek().text), "");
  return {};
}

Result<TableRef> Parser::table_ref() {
  TRY_ASSIGN(TableRef parsed, table_primary());
  if (accept_word("FOR")) {
    for (const std::string_view word : {"SYSTEM_TIME", "AS", "OF"}) TRY(expect_word(word));
    TRY_ASSIGN(parsed.as_of, expression());
  }
  if (at_word("MATCH_RECOGNIZE")) return unsupported("MATCH_RECOGNIZE", "");
  constexpr std::string_view kTails[] = {"WINDOW", "OFFSET", "FETCH", "MINUS", "QUALIFY"};
  const bool tail = std::ranges::any_of(kTails, [&](std::string_view word) { return at_word(word); });
  if (accept_word("AS") || (at_name() && !tail)) {
    TRY_ASSIGN(parsed.alias, name("of the table"));
    if (at_symbol("(")) return unsupported("a column list after the alias", "Name the columns with AS");
    if (at_word("FOR")) {
      return fail_at(ErrorCode::SqlSyntax, peek().position, "FOR SYSTEM_TIME AS OF stands before the alias",
                     "JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON ...");
    }
  }
  return parsed;
}

// What stands behind the first table of FROM.
Result<> Parser::joins(Query& query) {
  while (true) {
    JoinClause join;
    join.position = peek().position;
    const bool comma = at_symbol(",") && at_word("UNNEST", 1);
    const bool cross = at_word("CROSS") && at_word("JOIN", 1) && at_word("UNNEST", 2);
    if (comma || cross) {
      next();
      if (cross) next();
    } else {
      TRY_ASSIGN(const bool more, join_words(join));
      if (!more) return {};
    }
    if (query.joins.size() >= kMaxJoins) {
      return fail_at(ErrorCode::SqlTooComplex, join.position, fmt::format("more than {} JOINs", kMaxJoins),
                     "Join the others in a view above");
    }
    if (at_word("UNNEST") && at_symbol("(", 1)) {
      TRY(unnest(join, !comma && !cross));
    } else {
      TRY_ASSIGN(join.table, table_ref());
      if (at_word("USING")) return unsupported("USING", "Write ON with both columns");
      TRY(expect_word("ON"));
      TRY_ASSIGN(join.condition, expression());
    }
    query.joins.push_back(std::move(join));
  }
}

// [LEFT [OUTER] | INNER] JOIN; false if none of them is there.
Result<bool> Parser::join_words(JoinClause& join) {
  if (at_symbol(",")) return unsupported("a comma between tables", "Write JOIN ... ON");
  constexpr std::string_view kOthers[] = {"RIGHT", "FULL", "CROSS", "NATURAL"};
  for (const std::string_view word : kOthers) {
    if (!at_word(word)) continue;
    return unsupported(fmt::format("{} JOIN", word),
                       "JOIN and LEFT JOIN with a lookup table are there, and CROSS JOIN UNNEST(array)");
  }
  if (accept_word("LEFT")) {
    join.left = true;
    accept_word("OUTER");
  } else if (!accept_word("INNER")) {
    return accept_word("JOIN");
  }
  TRY(expect_word("JOIN"));
  return true;
}

// Of IN and EXISTS, with its parentheses.
Result<std::shared_ptr<const Query>> Parser::subquery() {
  TRY(expect_symbol("("));
  TRY_ASSIGN(Query inner, query());
  TRY(expect_symbol(")"));
  return std::make_shared<const Query>(std::move(inner));
}

Result<TableRef> Parser::table_primary() {
  const Level level(depth_);
  TRY(check_depth(depth_, peek().position));
  TableRef parsed;
  parsed.position = peek().position;
  if (accept_symbol("(")) {
    TRY_ASSIGN(Query inner, query());
    parsed.source = std::make_unique<Query>(std::move(inner));
    TRY(expect_symbol(")"));
    return parsed;
  }
  if (accept_word("TABLE")) {
    const bool parenthesised = accept_symbol("(");
    const bool subquery = at_word("SELECT") || at_word("WITH") || at_symbol("(");
    if (parenthesised && subquery) {
      TRY_ASSIGN(Query inner, query());
      parsed.source = std::make_unique<Query>(std::move(inner));
      TRY(expect_symbol(")"));
      return parsed;
    }
    if (parenthesised) {
      if (at_detect_function()) {
        TRY_ASSIGN(parsed.source, detect_call());
      } else if (at_window_function()) {
        TRY_ASSIGN(parsed.source, window_call());
      } else {
        auto error = unexpected("a window or detection function");
        if (peek().kind == TokenKind::kWord) error.error().hint = table_function_hint(peek().text);
        return error;
      }
      TRY(expect_symbol(")"));
      return parsed;
    }
  } else if (at_window_function()) {
    TRY_ASSIGN(parsed.source, window_call());
    return parsed;
  } else if (at_detect_function()) {
    TRY_ASSIGN(parsed.source, detect_call());
    return parsed;
  }
  TRY_ASSIGN(Name table, name("of a stream or view"));
  if (at_symbol(".")) return unsupported("a catalog or database before the name", "Write the stream's name alone");
  if (at_symbol("(")) {
    return fail_at(ErrorCode::SqlUnsupported, table.position,
                   fmt::format("the table function {} is not supported", to_upper(table.text)),
                   table_function_hint(table.text));
  }
  parsed.source = std::move(table);
  return parsed;
}

}  // namespace tidegate::sql
