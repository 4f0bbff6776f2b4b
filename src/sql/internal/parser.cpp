#include "sql/internal/parser.h"

#include <fmt/format.h>

#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

constexpr size_t kMaxShownToken = 40;  // of a token in a message

std::string shown(const Token& token) {
  if (token.kind == TokenKind::kEnd) return "the end of the statement";
  if (token.text.size() > kMaxShownToken) return fmt::format("'{}...'", token.text.substr(0, kMaxShownToken));
  return token.kind == TokenKind::kString ? std::string(token.text) : fmt::format("'{}'", token.text);
}

Result<Parser> make_parser(std::string_view text, TextPosition start) {
  TRY_ASSIGN(auto tokens, tokenize(text, start));
  return Parser(text, std::move(tokens));
}

}  // namespace

Result<std::optional<StatementAst>> parse_statement(std::string_view text, TextPosition start) {
  TRY_ASSIGN(Parser parser, make_parser(text, start));
  return parser.statement_to_end();
}

Result<Query> parse_query(std::string_view text, TextPosition start) {
  TRY_ASSIGN(Parser parser, make_parser(text, start));
  return parser.query_to_end();
}

Result<AstExpression> parse_expression(std::string_view text, TextPosition start) {
  TRY_ASSIGN(Parser parser, make_parser(text, start));
  return parser.expression_to_end();
}

Result<Query> Parser::query_to_end() {
  TRY_ASSIGN(Query parsed, query());
  TRY(expect_end());
  return parsed;
}

Result<AstExpression> Parser::expression_to_end() {
  TRY_ASSIGN(AstExpression parsed, expression());
  TRY(expect_end());
  return parsed;
}

const Token& Parser::peek(size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }

const Token& Parser::next() {
  const Token& token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::at_word(std::string_view word, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kWord && equal_ignoring_case(token.text, word);
}

bool Parser::at_symbol(std::string_view symbol, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  next();
  return true;
}

bool Parser::accept_symbol(std::string_view symbol) {
  if (!at_symbol(symbol)) return false;
  next();
  return true;
}

Result<> Parser::expect_word(std::string_view word) {
  if (!accept_word(word)) return unexpected(word);
  return {};
}

Result<> Parser::expect_symbol(std::string_view symbol) {
  if (!accept_symbol(symbol)) return unexpected(fmt::format("'{}'", symbol));
  return {};
}

std::unexpected<Error> Parser::unexpected(std::string_view wanted) const {
  const Token& token = peek();
  std::string hint;
  if (token.kind == TokenKind::kWord && is_reserved(token.text) && wanted.starts_with("a name")) {
    hint = fmt::format("{} is a word of SQL; as a name it goes in backticks: `{}`", to_upper(token.text), token.text);
  }
  return fail_at(ErrorCode::SqlSyntax, token.position, fmt::format("expected {} but found {}", wanted, shown(token)),
                 std::move(hint));
}

std::unexpected<Error> Parser::unsupported(std::string_view what, std::string_view hint) const {
  return fail_at(ErrorCode::SqlUnsupported, peek().position, fmt::format("{} is not supported", what),
                 std::string(hint));
}

bool Parser::at_name() const {
  const Token& token = peek();
  return token.kind == TokenKind::kQuotedWord || (token.kind == TokenKind::kWord && !is_reserved(token.text));
}

Result<Name> Parser::name(std::string_view what) {
  if (!at_name()) return unexpected(fmt::format("a name ({})", what));
  const Token& token = next();
  const bool quoted = token.kind == TokenKind::kQuotedWord;
  Name parsed{quoted ? unquote(token.text) : std::string(token.text), quoted, token.position};
  if (parsed.text.empty()) return fail_at(ErrorCode::SqlSyntax, token.position, "a name cannot be empty");
  return parsed;
}

Result<std::string> Parser::string_literal(std::string_view what) {
  if (peek().kind != TokenKind::kString) return unexpected(fmt::format("{} in 'single quotes'", what));
  return unquote(next().text);
}

Result<> Parser::expect_end() {
  accept_symbol(";");
  if (peek().kind != TokenKind::kEnd) return unexpected("the end of the statement");
  return {};
}

Result<> Parser::check_depth(int depth, TextPosition position) const {
  if (depth <= kMaxNesting) return {};
  return fail_at(ErrorCode::SqlTooComplex, position, fmt::format("nested deeper than {} levels", kMaxNesting),
                 "Split the query into views");
}

}  // namespace tidegate::sql
