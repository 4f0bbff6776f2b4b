#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

Result<std::optional<StatementAst>> Parser::statement_to_end() {
  while (accept_symbol(";")) {
  }
  if (peek().kind == TokenKind::kEnd) return std::optional<StatementAst>();
  TRY_ASSIGN(StatementAst parsed, statement());
  TRY(expect_end());
  return parsed;
}

Result<StatementAst> Parser::statement() {
  const Level level(depth_);
  TRY(check_depth(depth_, peek().position));
  if (at_word("CREATE")) return create();
  if (at_word("DROP")) return drop();
  if (at_word("INSERT")) return insert();
  if (at_word("SET")) return set();
  if (at_word("SHOW")) return show();
  if (at_word("SELECT") || at_word("WITH")) {
    TRY_ASSIGN(Query parsed, query());
    return SelectAst{std::move(parsed)};
  }
  if (accept_word("EXPLAIN")) {
    if (accept_word("PLAN")) TRY(expect_word("FOR"));
    TRY_ASSIGN(StatementAst inner, statement());
    auto explained = std::make_unique<ExplainAst>();
    explained->statement = std::move(inner);
    return StatementAst(std::move(explained));
  }
  if (at_word("ALTER")) return alter();
  if (at_word("UPDATE") || at_word("DELETE") || at_word("MERGE") || at_word("TRUNCATE")) {
    return unsupported(to_upper(peek().text), "A stream only grows; its 'retention' limits it");
  }
  return unexpected("CREATE, ALTER, DROP, INSERT, SELECT, EXPLAIN, SHOW or SET");
}

Result<bool> Parser::if_not_exists() {
  if (!accept_word("IF")) return false;
  TRY(expect_word("NOT"));
  TRY(expect_word("EXISTS"));
  return true;
}

Result<StatementAst> Parser::create() {
  next();
  if (accept_word("OR")) return unsupported("CREATE OR REPLACE", "DROP it first");
  if (at_word("TEMPORARY")) return unsupported("CREATE TEMPORARY", "Leave out TEMPORARY");
  if (accept_word("TABLE")) return create_table();
  if (accept_word("VIEW")) return create_view();
  if (at_word("MODEL") || at_word("FUNCTION") || at_word("CATALOG") || at_word("DATABASE")) {
    return unsupported("CREATE " + to_upper(peek().text), "");
  }
  return unexpected("TABLE or VIEW");
}

Result<StatementAst> Parser::create_table() {
  CreateTableAst table;
  TRY_ASSIGN(table.if_not_exists, if_not_exists());
  TRY_ASSIGN(table.name, name("of the table"));
  if (at_word("AS") || at_word("LIKE")) {
    return unsupported("CREATE TABLE ... " + to_upper(peek().text), "List the columns with their types");
  }
  TRY(expect_symbol("("));
  do {
    TRY(table_element(table));
  } while (accept_symbol(","));
  table.elements_end = end_of_last_token();
  TRY(expect_symbol(")"));
  if (at_word("COMMENT")) return unsupported("COMMENT", "Use WITH ('description' = '...')");
  if (at_word("PARTITIONED") || at_word("DISTRIBUTED")) {
    return unsupported(to_upper(peek().text), "Streams are always partitioned by device");
  }
  if (accept_word("WITH")) {
    TRY_ASSIGN(table.options, options());
  }
  if (at_word("AS") || at_word("LIKE")) {
    return unsupported("CREATE TABLE ... " + to_upper(peek().text), "Use INSERT INTO ... SELECT");
  }
  return StatementAst(std::move(table));
}

Result<> Parser::table_element(CreateTableAst& table) {
  if (at_word("WATERMARK") && at_word("FOR", 1)) {
    if (table.watermark) return unsupported("a second WATERMARK", "There is one event time");
    TRY_ASSIGN(table.watermark, watermark());
    return {};
  }
  const bool named_key = at_word("CONSTRAINT") && at_word("PRIMARY", 2) && at_word("KEY", 3);
  if (named_key || (at_word("PRIMARY") && at_word("KEY", 1))) return primary_key(table);
  if (at_word("CONSTRAINT") || (at_word("UNIQUE") && at_symbol("(", 1))) {
    return unsupported(to_upper(peek().text), "Only PRIMARY KEY (...) NOT ENFORCED of lookup tables is there");
  }
  ColumnDefinition column;
  TRY_ASSIGN(column.name, name("of a column"));
  if (accept_word("AS")) {
    const size_t first = at_;
    TRY_ASSIGN(column.computed, expression());
    column.computed_text = words_between(first, at_);
    if (at_word("COMMENT")) return unsupported("COMMENT on a column", "Use a -- comment");
    table.columns.push_back(std::move(column));
    return {};
  }
  TRY_ASSIGN(column.type, type());
  if (accept_word("NOT")) {
    TRY(expect_word("NULL"));
    column.nullable = false;
  } else {
    accept_word("NULL");
  }
  if (at_word("METADATA")) return unsupported("METADATA", "");
  if (at_word("PRIMARY")) {
    if (table.key) return unsupported("a second PRIMARY KEY", "PRIMARY KEY (a, b) NOT ENFORCED has several columns");
    table.key = PrimaryKeyDefinition{next().position, {column.name}};
    TRY(expect_word("KEY"));
    TRY(not_enforced());
  }
  if (at_word("COMMENT")) return unsupported("COMMENT on a column", "Use a -- comment");
  table.columns.push_back(std::move(column));
  return {};
}

// [CONSTRAINT name] PRIMARY KEY (a, b) NOT ENFORCED
Result<> Parser::primary_key(CreateTableAst& table) {
  if (accept_word("CONSTRAINT")) next();
  if (table.key) return unsupported("a second PRIMARY KEY", "PRIMARY KEY (a, b) NOT ENFORCED has several columns");
  PrimaryKeyDefinition key;
  key.position = next().position;
  TRY(expect_word("KEY"));
  TRY(expect_symbol("("));
  do {
    TRY_ASSIGN(Name column, name("of a key column"));
    key.columns.push_back(std::move(column));
  } while (accept_symbol(","));
  TRY(expect_symbol(")"));
  TRY(not_enforced());
  table.key = std::move(key);
  return {};
}

// As Flink wants it: it does not check keys either. A lookup table's file is checked nevertheless.
Result<> Parser::not_enforced() {
  if (!at_word("NOT") || !at_word("ENFORCED", 1)) return unexpected("NOT ENFORCED");
  next();
  next();
  return {};
}

// WATERMARK FOR ts AS ts [- INTERVAL '5' SECOND]
Result<WatermarkDefinition> Parser::watermark() {
  next();
  next();
  WatermarkDefinition parsed;
  TRY_ASSIGN(parsed.column, name("of the time column"));
  TRY(expect_word("AS"));
  const TextPosition position = peek().position;
  TRY_ASSIGN(const Name again, name("of the time column"));
  if (!equal_ignoring_case(again.text, parsed.column.text)) {
    return fail_at(ErrorCode::SqlUnsupported, position, "the watermark must be the time column minus an interval",
                   fmt::format("WATERMARK FOR {0} AS {0} - INTERVAL '5' SECOND", quote_identifier(parsed.column.text)));
  }
  if (!accept_symbol("-")) {
    if (!at_symbol(",") && !at_symbol(")")) return unexpected("'-' and an INTERVAL");
    return parsed;
  }
  const TextPosition delay_position = peek().position;
  TRY_ASSIGN(parsed.delay_us, window_interval());
  if (parsed.delay_us < 0) {
    return fail_at(ErrorCode::SqlInvalidLiteral, delay_position, "the watermark's delay cannot be negative");
  }
  return parsed;
}

Result<std::vector<OptionDefinition>> Parser::options() {
  std::vector<OptionDefinition> parsed;
  TRY(expect_symbol("("));
  do {
    OptionDefinition option;
    option.key_position = peek().position;
    TRY_ASSIGN(option.key, string_literal("the option's name"));
    TRY(expect_symbol("="));
    option.value_position = peek().position;
    TRY_ASSIGN(option.value, string_literal("the option's value"));
    parsed.push_back(std::move(option));
  } while (accept_symbol(","));
  TRY(expect_symbol(")"));
  return parsed;
}

Result<StatementAst> Parser::create_view() {
  CreateViewAst view;
  TRY_ASSIGN(view.if_not_exists, if_not_exists());
  TRY_ASSIGN(view.name, name("of the view"));
  if (at_symbol("(")) return unsupported("a column list after the view's name", "Name the columns with AS");
  TRY(expect_word("AS"));
  const size_t begin = peek().offset;
  TRY_ASSIGN(view.query, query());
  size_t end = peek().offset;
  while (end > begin && (source_[end - 1] == ' ' || source_[end - 1] == '\n' || source_[end - 1] == '\t')) --end;
  view.query_text = source_.substr(begin, end - begin);
  return StatementAst(std::move(view));
}

Result<StatementAst> Parser::drop() {
  next();
  DropAst parsed;
  if (accept_word("TABLE")) {
    parsed.kind = DropKind::kTable;
  } else if (accept_word("VIEW")) {
    parsed.kind = DropKind::kView;
  } else if (accept_word("PIPELINE")) {
    parsed.kind = DropKind::kPipeline;
  } else {
    return unexpected("TABLE, VIEW or PIPELINE");
  }
  if (accept_word("IF")) {
    TRY(expect_word("EXISTS"));
    parsed.if_exists = true;
  }
  TRY_ASSIGN(parsed.name, name("of what to drop"));
  return StatementAst(std::move(parsed));
}

Result<StatementAst> Parser::insert() {
  next();
  if (at_word("OVERWRITE")) return unsupported("INSERT OVERWRITE", "Use INSERT INTO");
  TRY(expect_word("INTO"));
  InsertAst parsed;
  TRY_ASSIGN(parsed.target, name("of the target"));
  if (accept_symbol("(")) {
    do {
      TRY_ASSIGN(Name column, name("of a column"));
      parsed.columns.push_back(std::move(column));
    } while (accept_symbol(","));
    TRY(expect_symbol(")"));
  }
  TRY_ASSIGN(parsed.query, query());
  return StatementAst(std::move(parsed));
}

Result<StatementAst> Parser::set() {
  next();
  SetAst parsed;
  parsed.key_position = peek().position;
  TRY_ASSIGN(parsed.key, string_literal("the setting's name"));
  TRY(expect_symbol("="));
  parsed.value_position = peek().position;
  TRY_ASSIGN(parsed.value, string_literal("the setting's value"));
  return StatementAst(std::move(parsed));
}

Result<StatementAst> Parser::show() {
  next();
  if (accept_word("TABLES")) return StatementAst(Show{ShowKind::kTables});
  if (accept_word("VIEWS")) return StatementAst(Show{ShowKind::kViews});
  if (accept_word("PIPELINES")) return StatementAst(Show{ShowKind::kPipelines});
  return unexpected("TABLES, VIEWS or PIPELINES");
}

}  // namespace tidegate::sql
