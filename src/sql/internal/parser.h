// Recursive descent over the tokens of one statement; expressions by binding power (Pratt).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/internal/ast.h"
#include "sql/internal/lexer.h"

namespace tidegate::sql {

// SqlSyntax, SqlUnsupported, SqlInvalidLiteral, SqlInvalidWindow and SqlTooComplex. Nothing for an empty text.
[[nodiscard]] Result<std::optional<StatementAst>> parse_statement(std::string_view text, TextPosition start);
[[nodiscard]] Result<Query> parse_query(std::string_view text, TextPosition start);
[[nodiscard]] Result<AstExpression> parse_expression(std::string_view text, TextPosition start);

class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

  [[nodiscard]] Result<std::optional<StatementAst>> statement_to_end();
  [[nodiscard]] Result<Query> query_to_end();
  [[nodiscard]] Result<AstExpression> expression_to_end();

 private:
  // Counts the recursion while it lives.
  class Level {
   public:
    explicit Level(int& depth) : depth_(depth) { ++depth_; }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    int& depth_;
  };

  // Tokens.
  [[nodiscard]] const Token& peek(size_t ahead = 0) const;
  const Token& next();
  [[nodiscard]] bool at_word(std::string_view word, size_t ahead = 0) const;
  [[nodiscard]] bool at_symbol(std::string_view symbol, size_t ahead = 0) const;
  bool accept_word(std::string_view word);
  bool accept_symbol(std::string_view symbol);
  [[nodiscard]] Result<> expect_word(std::string_view word);
  [[nodiscard]] Result<> expect_symbol(std::string_view symbol);
  [[nodiscard]] std::unexpected<Error> unexpected(std::string_view wanted) const;
  [[nodiscard]] std::unexpected<Error> unsupported(std::string_view what, std::string_view hint) const;
  [[nodiscard]] bool at_name() const;
  [[nodiscard]] Result<Name> name(std::string_view what);
  [[nodiscard]] Result<std::string> string_literal(std::string_view what);
  [[nodiscard]] Result<> expect_end();
  [[nodiscard]] Result<> check_depth(int depth, TextPosition position) const;

  // Statements.
  [[nodiscard]] Result<StatementAst> statement();
  [[nodiscard]] Result<StatementAst> create();
  [[nodiscard]] Result<StatementAst> create_table();
  [[nodiscard]] Result<> table_element(CreateTableAst& table);
  [[nodiscard]] Result<> refuse_column_tail();
  [[nodiscard]] Result<StatementAst> alter();
  [[nodiscard]] Result<> added_column(AlterTableAst& table);
  // The tokens from one to before another, with one blank between them.
  [[nodiscard]] std::string words_between(size_t first, size_t end) const;
  [[nodiscard]] size_t end_of_last_token() const;
  [[nodiscard]] Result<> primary_key(CreateTableAst& table);
  [[nodiscard]] Result<> not_enforced();
  [[nodiscard]] Result<WatermarkDefinition> watermark();
  [[nodiscard]] Result<std::vector<OptionDefinition>> options();
  [[nodiscard]] Result<StatementAst> create_view();
  [[nodiscard]] Result<StatementAst> drop();
  [[nodiscard]] Result<StatementAst> insert();
  [[nodiscard]] Result<StatementAst> set();
  [[nodiscard]] Result<StatementAst> show();
  [[nodiscard]] Result<bool> if_not_exists();

  // Queries.
  [[nodiscard]] Result<Query> query();
  [[nodiscard]] Result<Query> query_term();
  [[nodiscard]] Result<> union_branches(Query& query);
  [[nodiscard]] Result<std::vector<CommonTable>> common_tables();
  [[nodiscard]] Result<> select_list(Query& query);
  [[nodiscard]] Result<SelectItem> select_item();
  [[nodiscard]] Result<> group_by(Query& query);
  [[nodiscard]] Result<> query_tail(Query& query);
  [[nodiscard]] Result<> order_by(QueryTail& tail);
  [[nodiscard]] Result<uint64_t> row_count();
  [[nodiscard]] Result<> refuse_query_tail() const;
  [[nodiscard]] Result<TableRef> table_ref();
  [[nodiscard]] Result<TableRef> table_primary();
  [[nodiscard]] Result<> joins(Query& query);
  [[nodiscard]] Result<bool> join_words(JoinClause& join);
  [[nodiscard]] Result<> unnest(JoinClause& join, bool on);
  [[nodiscard]] Result<std::shared_ptr<const Query>> subquery();
  [[nodiscard]] bool at_window_function() const;
  [[nodiscard]] Result<WindowCall> window_call();
  [[nodiscard]] Result<std::vector<std::string>> window_parameters(WindowCall& call);
  [[nodiscard]] Result<> window_argument(WindowCall& call, std::string_view parameter);
  [[nodiscard]] static std::string parameter_names(WindowKind kind);
  [[nodiscard]] Result<> window_partition(WindowCall& call);
  [[nodiscard]] bool at_key_after_comma() const;
  [[nodiscard]] Result<> window_zone(WindowCall& call);
  [[nodiscard]] bool at_months() const;
  [[nodiscard]] Result<> window_months(WindowCall& call);
  [[nodiscard]] Result<> window_shifts(WindowCall& call);
  [[nodiscard]] Result<int64_t> window_interval();
  [[nodiscard]] bool at_detect_function() const;
  // Which table function an unknown one may have meant.
  [[nodiscard]] static std::string table_function_hint(std::string_view name);
  [[nodiscard]] Result<DetectCall> detect_call();
  [[nodiscard]] Result<> detect_partition(DetectCall& call);
  [[nodiscard]] Result<DetectArgument> detect_argument(const DetectCall& call);
  [[nodiscard]] Result<> check_detect(const DetectCall& call) const;

  // Expressions.
  [[nodiscard]] Result<AstExpression> expression(int least_power = 0);
  [[nodiscard]] Result<AstExpression> prefix();
  [[nodiscard]] Result<AstExpression> primary();
  // a[i], r.field
  [[nodiscard]] Result<AstExpression> postfix(AstExpression operand);
  // ARRAY[...]
  [[nodiscard]] Result<AstExpression> array_constructor();
  [[nodiscard]] Result<AstExpression> number(bool negative, TextPosition position);
  [[nodiscard]] static Result<AstExpression> decimal_number(std::string_view text, TextPosition position);
  [[nodiscard]] Result<AstExpression> infix(AstExpression left, int power);
  [[nodiscard]] int infix_power() const;
  [[nodiscard]] Result<AstExpression> chain(AstExpression left, std::string_view word, int power);
  [[nodiscard]] Result<AstExpression> predicate(AstExpression left);
  [[nodiscard]] Result<AstExpression> is_predicate(AstExpression left);
  [[nodiscard]] Result<AstExpression> in_predicate(AstExpression left, TextPosition position);
  [[nodiscard]] Result<AstExpression> column();
  [[nodiscard]] Result<AstExpression> function_call();
  [[nodiscard]] Result<std::shared_ptr<const OverClause>> over_clause();
  [[nodiscard]] Result<> frame(OverClause& over);
  [[nodiscard]] Result<AstExpression> filter_clause();
  [[nodiscard]] Result<std::optional<AstExpression>> special_call(std::string_view upper, TextPosition position);
  [[nodiscard]] Result<AstExpression> extract(TextPosition position);
  [[nodiscard]] Result<AstExpression> trim(TextPosition position);
  [[nodiscard]] Result<AstExpression> overlay(TextPosition position);
  [[nodiscard]] Result<AstExpression> timestamp_arithmetic(std::string_view name, TextPosition position);
  [[nodiscard]] Result<AstExpression> substring(TextPosition position);
  [[nodiscard]] Result<AstExpression> position_of(TextPosition position);
  [[nodiscard]] Result<AstExpression> floor_to(std::string_view upper, TextPosition position);
  [[nodiscard]] Result<AstExpression> case_expression();
  [[nodiscard]] Result<AstExpression> cast();
  // Functions of JSON: what follows the opening parenthesis.
  [[nodiscard]] Result<AstExpression> json_exists(TextPosition position);
  [[nodiscard]] Result<AstExpression> json_value(TextPosition position);
  [[nodiscard]] Result<AstExpression> json_query(TextPosition position);
  [[nodiscard]] Result<AstExpression> is_json(AstExpression left, TextPosition position);
  [[nodiscard]] Result<> json_value_cases(std::string& modes, AstExpression& on_empty, AstExpression& on_error);
  [[nodiscard]] Result<char> json_query_case();
  // X'1F00'
  [[nodiscard]] bool at_bytes_literal() const;
  [[nodiscard]] Result<AstExpression> bytes_literal();
  [[nodiscard]] Result<AstExpression> interval_literal();
  [[nodiscard]] Result<AstExpression> timestamp_literal();
  [[nodiscard]] Result<std::string> unit_name();
  [[nodiscard]] Result<columnar::Type> type();
  [[nodiscard]] Result<columnar::Type> nested_type(bool array);
  [[nodiscard]] Result<columnar::Field> row_field(const std::vector<columnar::Field>& before);
  [[nodiscard]] Result<bool> type_nullable();
  [[nodiscard]] Result<columnar::Type> decimal_type(TextPosition position);
  [[nodiscard]] Result<columnar::Type> timestamp_type(bool local_zone, TextPosition position);
  [[nodiscard]] Result<std::optional<int64_t>> type_parameter();
  [[nodiscard]] Result<int64_t> type_number();
  [[nodiscard]] Result<AstExpression> call(std::string_view name, TextPosition position,
                                           std::vector<AstExpression> children, AstKind kind = AstKind::kCall);

  std::string_view source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace tidegate::sql
