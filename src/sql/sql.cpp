#include "sql/sql.h"

#include <fmt/format.h>

#include "sql/internal/alter_table.h"
#include "sql/internal/bind_query.h"
#include "sql/internal/lexer.h"
#include "sql/internal/lookup_options.h"
#include "sql/internal/parser.h"
#include "sql/internal/table_options.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

std::string without_semicolon(std::string_view text) {
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return std::string(text);
}

class Analyzer {
 public:
  Analyzer(const std::string& text, const Names& names, ScriptSettings& settings)
      : text_(text), names_(names), settings_(settings) {}

  Result<std::optional<Statement>> operator()(CreateTableAst& ast) {
    if (is_lookup_table(ast)) {
      TRY_ASSIGN(auto lookup, define_lookup_table(ast, without_semicolon(text_)));
      return Statement(CreateLookupTable{std::move(lookup), ast.if_not_exists});
    }
    TRY_ASSIGN(auto definition, define_stream(ast, without_semicolon(text_)));
    TRY(QueryBinder(names_).check_computed(definition, ast.columns));
    return Statement(CreateTable{std::move(definition), ast.if_not_exists});
  }

  // Bound now, so that a wrong view is refused when it is made.
  Result<std::optional<Statement>> operator()(CreateViewAst& ast) {
    TRY(QueryBinder(names_).bind(ast.query));
    return Statement(
        CreateView{{ast.name.text, std::move(ast.query_text), without_semicolon(text_)}, ast.if_not_exists});
  }

  Result<std::optional<Statement>> operator()(AlterTableAst& ast) {
    const auto stream = names_.find_stream(ast.name.text);
    if (stream == nullptr) {
      const bool table = names_.find_table(ast.name.text) != nullptr;
      if (table || names_.find_view(ast.name.text)) {
        return fail_at(
            ErrorCode::SqlUnsupported, ast.name.position,
            fmt::format("'{}' is a {}; columns are added to streams", ast.name.text, table ? "lookup table" : "view"),
            "DROP it and CREATE it again");
      }
      if (ast.if_exists) return Statement(AlterTable{{}, true});
      return fail_at(ErrorCode::SqlUnknownStream, ast.name.position, fmt::format("no stream '{}'", ast.name.text),
                     "CREATE TABLE makes one; SHOW TABLES lists them");
    }
    TRY_ASSIGN(auto definition, add_columns(*stream, ast));
    return Statement(AlterTable{std::move(definition), false});
  }

  Result<std::optional<Statement>> operator()(DropAst& ast) {
    return Statement(Drop{ast.kind, std::move(ast.name.text), ast.if_exists});
  }

  Result<std::optional<Statement>> operator()(InsertAst& ast) {
    auto target = names_.find_stream(ast.target.text);
    if (!target) {
      const bool view = names_.find_view(ast.target.text).has_value();
      if (names_.find_table(ast.target.text) != nullptr) {
        return fail_at(ErrorCode::SqlUnsupported, ast.target.position,
                       fmt::format("'{}' is a lookup table; its rows come from its file", ast.target.text),
                       "INSERT INTO needs a stream");
      }
      return fail_at(ErrorCode::SqlUnknownStream, ast.target.position,
                     view ? fmt::format("'{}' is a view; INSERT INTO needs a stream", ast.target.text)
                          : fmt::format("no stream '{}'", ast.target.text),
                     "CREATE TABLE makes one; SHOW TABLES lists them");
    }
    std::string pipeline = settings_.pipeline_name.empty() ? target->name : settings_.pipeline_name;
    std::string zone = names_.time_zone(pipeline);
    QueryBinder binder(names_, zone);
    TRY_ASSIGN(Plan plan, binder.bind_insert(ast, *target));
    return Statement(
        InsertInto{std::move(pipeline), std::move(target), std::move(plan), without_semicolon(text_), std::move(zone)});
  }

  Result<std::optional<Statement>> operator()(SelectAst& ast) {
    TRY_ASSIGN(Plan plan, QueryBinder(names_, names_.time_zone({})).bind_statement(ast.query));
    return Statement(Select{std::move(plan)});
  }

  Result<std::optional<Statement>> operator()(SetAst& ast) {
    if (ast.key != "pipeline.name") {
      const std::vector<std::string> known = {"pipeline.name"};
      return fail_at(ErrorCode::SqlInvalidOption, ast.key_position, fmt::format("unknown setting '{}'", ast.key),
                     "The only one is 'pipeline.name'");
    }
    if (ast.value.empty()) return fail_at(ErrorCode::SqlInvalidOption, ast.value_position, "the name cannot be empty");
    settings_.pipeline_name = std::move(ast.value);
    return std::optional<Statement>();
  }

  Result<std::optional<Statement>> operator()(Show& show) { return Statement(show); }

  Result<std::optional<Statement>> operator()(std::unique_ptr<ExplainAst>& ast) {
    TRY_ASSIGN(auto inner, std::visit(*this, ast->statement));
    if (inner) {
      if (const auto* select = std::get_if<Select>(&*inner)) return Statement(Explain{explain(select->plan)});
      if (const auto* insert = std::get_if<InsertInto>(&*inner)) {
        return Statement(Explain{fmt::format("Insert into {}\n{}", insert->target->name, explain(insert->plan))});
      }
    }
    return fail(ErrorCode::SqlUnsupported, "EXPLAIN shows SELECT and INSERT INTO only");
  }

 private:
  const std::string& text_;
  const Names& names_;
  ScriptSettings& settings_;
};

}  // namespace

Result<std::vector<StatementText>> split_script(std::string_view script) {
  TRY_ASSIGN(const auto tokens, tokenize(script, {}));
  std::vector<StatementText> statements;
  size_t first = 0;
  for (size_t at = 0; at < tokens.size(); ++at) {
    const Token& token = tokens[at];
    const bool ends = token.kind == TokenKind::kEnd || (token.kind == TokenKind::kSymbol && token.text == ";");
    if (!ends) continue;
    if (at > first) {
      const size_t begin = tokens[first].offset;
      const size_t end = tokens[at - 1].offset + tokens[at - 1].text.size();
      statements.push_back({std::string(script.substr(begin, end - begin)), tokens[first].position});
    }
    first = at + 1;
  }
  return statements;
}

Result<std::optional<Statement>> analyze(const StatementText& statement, const Names& names, ScriptSettings& settings) {
  TRY_ASSIGN(auto ast, parse_statement(statement.text, statement.start));
  if (!ast) return std::optional<Statement>();
  return std::visit(Analyzer(statement.text, names, settings), *ast);
}

}  // namespace tidegate::sql
