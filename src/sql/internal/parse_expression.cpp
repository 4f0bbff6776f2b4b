#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::TypeKind;

namespace {

// Binding powers, weakest first.
constexpr int kOrPower = 1;
constexpr int kAndPower = 2;
constexpr int kNotPower = 3;
constexpr int kPredicatePower = 4;  // = <> < IS LIKE IN BETWEEN
constexpr int kSumPower = 5;
constexpr int kProductPower = 6;
constexpr int kSignPower = 7;

AstExpression literal(TextPosition position, Literal value, Type type) {
  AstExpression parsed;
  parsed.position = position;
  parsed.literal = std::move(value);
  parsed.type = std::move(type);
  return parsed;
}

std::vector<AstExpression> two(AstExpression first, AstExpression second) {
  std::vector<AstExpression> both;
  both.reserve(2);
  both.push_back(std::move(first));
  both.push_back(std::move(second));
  return both;
}

// Words that join tables or stand in clauses, but name a function before "(".
bool is_reserved_function(std::string_view word) {
  constexpr std::string_view kNames[] = {"EXTRACT", "LEFT", "RIGHT"};
  return std::ranges::find(kNames, to_upper(word)) != std::end(kNames);
}

std::vector<AstExpression> one(AstExpression only) {
  std::vector<AstExpression> single;
  single.push_back(std::move(only));
  return single;
}

}  // namespace

Result<AstExpression> Parser::call(std::string_view name, TextPosition position, std::vector<AstExpression> children,
                                   AstKind kind) {
  AstExpression parsed;
  parsed.kind = kind;
  parsed.position = position;
  parsed.name = name;
  for (const AstExpression& child : children) parsed.depth = std::max(parsed.depth, child.depth + 1);
  parsed.children = std::move(children);
  TRY(check_depth(parsed.depth, position));
  return parsed;
}

Result<AstExpression> Parser::expression(int least_power) {
  const Level level(depth_);
  TRY(check_depth(depth_, peek().position));
  TRY_ASSIGN(AstExpression left, prefix());
  for (int power = infix_power(); power > least_power; power = infix_power()) {
    TRY_ASSIGN(left, infix(std::move(left), power));
  }
  return left;
}

Result<AstExpression> Parser::prefix() {
  const TextPosition position = peek().position;
  if (accept_word("NOT")) {
    TRY_ASSIGN(AstExpression operand, expression(kNotPower - 1));
    return call("NOT", position, one(std::move(operand)));
  }
  if (accept_symbol("-")) {
    if (peek().kind == TokenKind::kInteger || peek().kind == TokenKind::kDecimal) return number(true, position);
    TRY_ASSIGN(AstExpression operand, expression(kSignPower));
    return call("-x", position, one(std::move(operand)));
  }
  if (accept_symbol("+")) return expression(kSignPower);
  TRY_ASSIGN(AstExpression operand, primary());
  return postfix(std::move(operand));
}

// 0 if the next token continues no expression.
int Parser::infix_power() const {
  const Token& token = peek();
  if (token.kind == TokenKind::kSymbol) {
    const std::string_view text = token.text;
    if (text == "+" || text == "-" || text == "||") return kSumPower;
    if (text == "*" || text == "/" || text == "%") return kProductPower;
    constexpr std::string_view kComparisons[] = {"=", "<>", "!=", "<", "<=", ">", ">="};
    for (const std::string_view comparison : kComparisons) {
      if (text == comparison) return kPredicatePower;
    }
    return 0;
  }
  if (at_word("OR")) return kOrPower;
  if (at_word("AND")) return kAndPower;
  const auto negatable_at = [this](size_t ahead) {
    const bool similar = at_word("SIMILAR", ahead) && at_word("TO", ahead + 1);
    return similar || at_word("LIKE", ahead) || at_word("IN", ahead) || at_word("BETWEEN", ahead);
  };
  const bool negatable = negatable_at(0);
  const bool negated = at_word("NOT") && negatable_at(1);
  return at_word("IS") || negatable || negated ? kPredicatePower : 0;
}

Result<AstExpression> Parser::infix(AstExpression left, int power) {
  if (power == kOrPower) return chain(std::move(left), "OR", power);
  if (power == kAndPower) return chain(std::move(left), "AND", power);
  if (peek().kind == TokenKind::kWord) return predicate(std::move(left));
  const Token& token = next();
  const std::string_view name = token.text == "!=" ? std::string_view("<>") : token.text;
  TRY_ASSIGN(AstExpression right, expression(power));
  return call(name, token.position, two(std::move(left), std::move(right)));
}

// a AND b AND c is one node with three children, so that long chains are not deep.
Result<AstExpression> Parser::chain(AstExpression left, std::string_view word, int power) {
  const TextPosition position = peek().position;
  std::vector<AstExpression> children = one(std::move(left));
  while (accept_word(word)) {
    TRY_ASSIGN(AstExpression child, expression(power));
    children.push_back(std::move(child));
  }
  return call(word, position, std::move(children));
}

Result<AstExpression> Parser::predicate(AstExpression left) {
  const TextPosition position = peek().position;
  if (accept_word("IS")) return is_predicate(std::move(left));
  const bool negated = accept_word("NOT");
  AstExpression parsed;
  if (accept_word("LIKE")) {
    TRY_ASSIGN(AstExpression pattern, expression(kPredicatePower));
    auto children = two(std::move(left), std::move(pattern));
    if (accept_word("ESCAPE")) {
      TRY_ASSIGN(AstExpression escape, expression(kPredicatePower));
      children.push_back(std::move(escape));
    }
    TRY_ASSIGN(parsed, call("LIKE", position, std::move(children)));
  } else if (accept_word("SIMILAR")) {
    next();  // TO
    TRY_ASSIGN(AstExpression pattern, expression(kPredicatePower));
    if (at_word("ESCAPE")) return unsupported("ESCAPE of SIMILAR TO", "Put the character in [brackets]");
    TRY_ASSIGN(parsed, call("SIMILAR TO", position, two(std::move(left), std::move(pattern))));
  } else if (accept_word("IN")) {
    TRY_ASSIGN(parsed, in_predicate(std::move(left), position));
  } else {
    TRY(expect_word("BETWEEN"));
    if (accept_word("SYMMETRIC")) return unsupported("BETWEEN SYMMETRIC", "Write both comparisons");
    accept_word("ASYMMETRIC");
    TRY_ASSIGN(AstExpression low, expression(kPredicatePower));
    TRY(expect_word("AND"));
    TRY_ASSIGN(AstExpression high, expression(kPredicatePower));
    auto children = two(std::move(left), std::move(low));
    children.push_back(std::move(high));
    TRY_ASSIGN(parsed, call("BETWEEN", position, std::move(children), AstKind::kBetween));
  }
  if (!negated) return parsed;
  return call("NOT", position, one(std::move(parsed)));
}

Result<AstExpression> Parser::is_predicate(AstExpression left) {
  const TextPosition position = peek().position;
  const bool negated = accept_word("NOT");
  if (accept_word("NULL")) return call(negated ? "IS NOT NULL" : "IS NULL", position, one(std::move(left)));
  if (at_word("TRUE") || at_word("FALSE")) {
    // x IS TRUE is COALESCE(x, FALSE); x IS FALSE is NOT COALESCE(x, TRUE).
    const bool wanted = at_word("TRUE");
    next();
    auto children = two(std::move(left), literal(position, !wanted, TypeKind::kBoolean));
    TRY_ASSIGN(AstExpression known, call("COALESCE", position, std::move(children)));
    if (wanted != negated) return known;
    return call("NOT", position, one(std::move(known)));
  }
  AstExpression parsed;
  if (accept_word("UNKNOWN")) {  // a BOOLEAN is UNKNOWN when it is NULL
    return call(negated ? "IS NOT NULL" : "IS NULL", position, one(std::move(left)));
  }
  if (accept_word("DISTINCT")) {
    TRY(expect_word("FROM"));
    TRY_ASSIGN(AstExpression right, expression(kPredicatePower));
    TRY_ASSIGN(parsed, call("IS DISTINCT FROM", position, two(std::move(left), std::move(right))));
  } else if (accept_word("JSON")) {
    TRY_ASSIGN(parsed, is_json(std::move(left), position));
  } else {
    return unexpected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON");
  }
  if (!negated) return parsed;
  return call("NOT", position, one(std::move(parsed)));
}

Result<AstExpression> Parser::in_predicate(AstExpression left, TextPosition position) {
  if (at_symbol("(") && (at_word("SELECT", 1) || at_word("WITH", 1))) {
    TRY_ASSIGN(auto query, subquery());
    TRY_ASSIGN(AstExpression parsed, call("IN", position, one(std::move(left)), AstKind::kInQuery));
    parsed.query = std::move(query);
    return parsed;
  }
  TRY(expect_symbol("("));
  std::vector<AstExpression> children = one(std::move(left));
  do {
    TRY_ASSIGN(AstExpression child, expression());
    children.push_back(std::move(child));
  } while (accept_symbol(","));
  TRY(expect_symbol(")"));
  return call("IN", position, std::move(children), AstKind::kIn);
}

Result<AstExpression> Parser::number(bool negative, TextPosition position) {
  const Token& token = next();
  const std::string digits = (negative ? "-" : "") + std::string(token.text);
  const char* end = digits.data() + digits.size();
  if (token.kind == TokenKind::kInteger) {
    int64_t value = 0;
    if (std::from_chars(digits.data(), end, value).ec != std::errc()) return decimal_number(digits, position);
    const bool fits_int = value >= INT32_MIN && value <= INT32_MAX;
    return literal(position, value, fits_int ? TypeKind::kInt : TypeKind::kBigint);
  }
  if (token.text.find_first_of("eE") == std::string_view::npos) return decimal_number(digits, position);
  double value = 0;
  if (std::from_chars(digits.data(), end, value).ec != std::errc()) {
    return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("{} does not fit a DOUBLE", digits));
  }
  return literal(position, value, TypeKind::kDouble);
}

// A number without exponent is exact: a DECIMAL of the digits that are written.
Result<AstExpression> Parser::decimal_number(std::string_view text, TextPosition position) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const size_t point = std::min(digits.find('.'), digits.size());
  const size_t precision = digits.size() - (point < digits.size() ? 1 : 0);
  const size_t scale = precision - point;
  if (precision > columnar::kMaxPrecision) {
    return fail_at(ErrorCode::SqlInvalidLiteral, position,
                   fmt::format("{} has more than {} digits", text, columnar::kMaxPrecision),
                   "Write it with an exponent to make it a DOUBLE: 1.5e0");
  }
  const auto value = columnar::parse_decimal(text, static_cast<int>(precision), static_cast<int>(scale));
  if (!value) return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("{} is not a number", text));
  return literal(position, *value, Type::decimal(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale)));
}

Result<AstExpression> Parser::primary() {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal: return number(false, token.position);
    case TokenKind::kString: next(); return literal(token.position, unquote(token.text), TypeKind::kString);
    case TokenKind::kSymbol:
      if (!accept_symbol("(")) return unexpected("an expression");
      {
        if (at_word("SELECT")) return unsupported("a subquery inside an expression", "Use it in FROM, or a view");
        TRY_ASSIGN(AstExpression inner, expression());
        TRY(expect_symbol(")"));
        return inner;
      }
    case TokenKind::kEnd: return unexpected("an expression");
    default: break;
  }
  if (accept_word("TRUE")) return literal(token.position, true, TypeKind::kBoolean);
  if (accept_word("FALSE")) return literal(token.position, false, TypeKind::kBoolean);
  if (accept_word("NULL")) return literal(token.position, std::monostate(), TypeKind::kNull);
  if (at_bytes_literal()) return bytes_literal();
  if (at_word("ARRAY") && at_symbol("[", 1)) return array_constructor();
  if (at_word("INTERVAL")) return interval_literal();
  if (at_word("TIMESTAMP") && peek(1).kind == TokenKind::kString) return timestamp_literal();
  if (at_word("CASE")) return case_expression();
  if (at_word("CAST") || (at_word("TRY_CAST") && at_symbol("(", 1))) return cast();
  if (accept_word("EXISTS")) {
    TRY_ASSIGN(auto query, subquery());
    TRY_ASSIGN(AstExpression parsed, call("EXISTS", token.position, {}, AstKind::kExists));
    parsed.query = std::move(query);
    return parsed;
  }
  const bool callable =
      token.kind == TokenKind::kWord && (!is_reserved(token.text) || is_reserved_function(token.text));
  if (callable && at_symbol("(", 1)) return function_call();
  if (!at_name()) return unexpected("an expression");
  return column();
}

Result<AstExpression> Parser::column() {
  AstExpression parsed;
  parsed.kind = AstKind::kColumn;
  parsed.position = peek().position;
  do {
    TRY_ASSIGN(Name part, name("a column"));
    parsed.path.push_back(std::move(part));
  } while (accept_symbol("."));
  return parsed;
}

Result<AstExpression> Parser::case_expression() {
  const TextPosition position = next().position;
  std::vector<AstExpression> children;
  const bool simple = !at_word("WHEN");
  if (simple) {
    TRY_ASSIGN(AstExpression operand, expression());
    children.push_back(std::move(operand));
  }
  if (!at_word("WHEN")) return unexpected("WHEN");
  while (accept_word("WHEN")) {
    TRY_ASSIGN(AstExpression condition, expression());
    children.push_back(std::move(condition));
    TRY(expect_word("THEN"));
    TRY_ASSIGN(AstExpression value, expression());
    children.push_back(std::move(value));
  }
  if (accept_word("ELSE")) {
    TRY_ASSIGN(AstExpression otherwise, expression());
    children.push_back(std::move(otherwise));
  }
  TRY(expect_word("END"));
  return call("CASE", position, std::move(children), simple ? AstKind::kSimpleCase : AstKind::kCase);
}

Result<AstExpression> Parser::cast() {
  const bool attempt = at_word("TRY_CAST");
  const TextPosition position = next().position;
  TRY(expect_symbol("("));
  TRY_ASSIGN(AstExpression operand, expression());
  TRY(expect_word("AS"));
  TRY_ASSIGN(const Type target, type());
  TRY(expect_symbol(")"));
  TRY_ASSIGN(AstExpression parsed,
             call(attempt ? "TRY_CAST" : "CAST", position, one(std::move(operand)), AstKind::kCast));
  parsed.type = target;
  return parsed;
}

}  // namespace tidegate::sql
