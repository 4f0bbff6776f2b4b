// ALTER TABLE name ADD column, ADD (column, column).
#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

constexpr std::string_view kOnlyAdd = "Columns can be added; for other changes DROP the stream and CREATE it again";

}  // namespace

std::string Parser::words_between(size_t first, size_t end) const {
  std::string words;
  for (size_t at = first; at < end; ++at) {
    if (!words.empty()) words += ' ';
    words += tokens_[at].text;
  }
  return words;
}

size_t Parser::end_of_last_token() const {
  if (at_ == 0) return 0;
  const Token& last = tokens_[at_ - 1];
  return last.offset + last.text.size();
}

Result<StatementAst> Parser::alter() {
  next();
  if (at_word("VIEW") || at_word("PIPELINE")) {
    return unsupported("ALTER " + to_upper(peek().text),
                       "DROP it and make it again, or change its file and apply that");
  }
  TRY(expect_word("TABLE"));
  AlterTableAst table;
  if (accept_word("IF")) {
    TRY(expect_word("EXISTS"));
    table.if_exists = true;
  }
  TRY_ASSIGN(table.name, name("of the table"));
  if (!at_word("ADD")) {
    for (const std::string_view word : {"MODIFY", "DROP", "RENAME", "SET", "RESET", "ALTER"}) {
      if (at_word(word)) return unsupported(fmt::format("ALTER TABLE ... {}", word), kOnlyAdd);
    }
    return unexpected("ADD");
  }
  next();
  // As other databases have it; a column may be called so, too.
  const bool filler = at_word("COLUMN") && peek(1).kind == TokenKind::kWord && peek(2).kind == TokenKind::kWord;
  if (filler) next();
  const bool list = accept_symbol("(");
  const size_t begin = peek().offset;
  do {
    TRY(added_column(table));
  } while (list && accept_symbol(","));
  const size_t end = end_of_last_token();
  table.columns_text = source_.substr(begin, end - begin);
  if (list) TRY(expect_symbol(")"));
  if (!list && at_symbol(",")) return unsupported("a second column without parentheses", "ADD (a INT, b STRING)");
  return StatementAst(std::move(table));
}

Result<> Parser::added_column(AlterTableAst& table) {
  for (const std::string_view word : {"WATERMARK", "PRIMARY", "CONSTRAINT", "UNIQUE", "PARTITION"}) {
    if (at_word(word) && peek(1).kind == TokenKind::kWord) {
      return unsupported(fmt::format("ALTER TABLE ... ADD {}", word), kOnlyAdd);
    }
  }
  ColumnDefinition column;
  TRY_ASSIGN(column.name, name("of the new column"));
  if (at_word("AS")) {
    return unsupported("a computed column added later", "Compute it in a view, or in the query that needs it");
  }
  TRY_ASSIGN(column.type, type());
  const TextPosition position = peek().position;
  if (accept_word("NOT")) {
    TRY(expect_word("NULL"));
    return fail_at(ErrorCode::SqlUnsupported, position,
                   fmt::format("the new column '{}' cannot be NOT NULL", column.name.text),
                   "The records there are have no value for it; leave NOT NULL out");
  }
  accept_word("NULL");
  if (at_word("FIRST") || at_word("AFTER")) {
    return unsupported(to_upper(peek().text), "New columns come behind the others; a query selects them in any order");
  }
  if (at_word("PRIMARY") || at_word("METADATA")) return unsupported(to_upper(peek().text), "Leave it out");
  if (at_word("COMMENT")) return unsupported("COMMENT on a column", "Use a -- comment");
  table.columns.push_back(std::move(column));
  return {};
}

}  // namespace tidegate::sql
