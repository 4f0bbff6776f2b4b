// Calls, with the forms that have words between their arguments.
#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::TypeKind;

Result<AstExpression> Parser::function_call() {
  const Token& token = next();
  const std::string upper = to_upper(token.text);
  const TextPosition position = token.position;
  TRY(expect_symbol("("));
  TRY_ASSIGN(auto special, special_call(upper, position));
  if (special) return std::move(*special);

  std::vector<AstExpression> children;
  const bool distinct = accept_word("DISTINCT");
  if (at_symbol("*")) {
    AstExpression star;
    star.kind = AstKind::kStar;
    star.position = next().position;
    children.push_back(std::move(star));
  } else if (!at_symbol(")")) {
    do {
      TRY_ASSIGN(AstExpression child, expression());
      children.push_back(std::move(child));
    } while (accept_symbol(","));
  }
  TRY(expect_symbol(")"));
  const bool filtered = at_word("FILTER") && at_symbol("(", 1);
  if (filtered) {
    TRY_ASSIGN(AstExpression condition, filter_clause());
    children.push_back(std::move(condition));
  }
  TRY_ASSIGN(AstExpression parsed, call(upper, position, std::move(children)));
  parsed.distinct = distinct;
  parsed.filtered = filtered;
  if (at_word("OVER")) {
    TRY_ASSIGN(parsed.over, over_clause());
  }
  return parsed;
}

Result<AstExpression> Parser::filter_clause() {
  next();
  next();
  TRY(expect_word("WHERE"));
  TRY_ASSIGN(AstExpression condition, expression());
  TRY(expect_symbol(")"));
  return condition;
}

// After the opening parenthesis; nothing if the function is written as any other.
Result<std::optional<AstExpression>> Parser::special_call(std::string_view upper, TextPosition position) {
  if (upper == "EXTRACT") return extract(position);
  if (upper == "TRIM") return trim(position);
  if (upper == "SUBSTRING" || upper == "SUBSTR") return substring(position);
  if (upper == "POSITION") return position_of(position);
  if (upper == "FLOOR" || upper == "CEIL" || upper == "CEILING") return floor_to(upper, position);
  if (upper == "OVERLAY") return overlay(position);
  if (upper == "TIMESTAMPADD" || upper == "TIMESTAMPDIFF") return timestamp_arithmetic(upper, position);
  if (upper == "JSON_EXISTS") return json_exists(position);
  if (upper == "JSON_VALUE") return json_value(position);
  if (upper == "JSON_QUERY") return json_query(position);
  return std::optional<AstExpression>();
}

namespace {

AstExpression text_literal(std::string text, TextPosition position) {
  AstExpression parsed;
  parsed.position = position;
  parsed.literal = std::move(text);
  parsed.type = TypeKind::kString;
  return parsed;
}

template <class... Each>
std::vector<AstExpression> list(Each... each) {
  std::vector<AstExpression> all;
  (all.push_back(std::move(each)), ...);
  return all;
}

}  // namespace

Result<std::string> Parser::unit_name() {
  if (peek().kind != TokenKind::kWord) return unexpected("a unit of time such as HOUR");
  return to_upper(next().text);
}

Result<AstExpression> Parser::extract(TextPosition position) {
  const TextPosition unit_position = peek().position;
  TRY_ASSIGN(std::string unit, unit_name());
  TRY(expect_word("FROM"));
  TRY_ASSIGN(AstExpression operand, expression());
  TRY(expect_symbol(")"));
  return call("EXTRACT", position, list(text_literal(std::move(unit), unit_position), std::move(operand)));
}

// TRIM([BOTH | LEADING | TRAILING] [characters FROM] text)
Result<AstExpression> Parser::trim(TextPosition position) {
  std::string_view name = "TRIM";
  if (accept_word("LEADING")) {
    name = "LTRIM";
  } else if (accept_word("TRAILING")) {
    name = "RTRIM";
  } else {
    accept_word("BOTH");
  }
  const bool only_text = accept_word("FROM");
  TRY_ASSIGN(AstExpression first, expression());
  if (only_text || !accept_word("FROM")) {
    TRY(expect_symbol(")"));
    return call(name, position, list(std::move(first)));
  }
  TRY_ASSIGN(AstExpression text, expression());
  TRY(expect_symbol(")"));
  return call(name == "TRIM" ? "BTRIM" : name, position, list(std::move(text), std::move(first)));
}

Result<AstExpression> Parser::overlay(TextPosition position) {
  TRY_ASSIGN(AstExpression text, expression());
  TRY(expect_word("PLACING"));
  TRY_ASSIGN(AstExpression placed, expression());
  TRY(expect_word("FROM"));
  TRY_ASSIGN(AstExpression from, expression());
  auto children = list(std::move(text), std::move(placed), std::move(from));
  if (accept_word("FOR")) {
    TRY_ASSIGN(AstExpression length, expression());
    children.push_back(std::move(length));
  }
  TRY(expect_symbol(")"));
  return call("OVERLAY", position, std::move(children));
}

// TIMESTAMPADD(unit, count, time) and TIMESTAMPDIFF(unit, from, to).
Result<AstExpression> Parser::timestamp_arithmetic(std::string_view name, TextPosition position) {
  const TextPosition unit_position = peek().position;
  TRY_ASSIGN(std::string unit, unit_name());
  TRY(expect_symbol(","));
  TRY_ASSIGN(AstExpression second, expression());
  TRY(expect_symbol(","));
  TRY_ASSIGN(AstExpression third, expression());
  TRY(expect_symbol(")"));
  return call(name, position, list(text_literal(std::move(unit), unit_position), std::move(second), std::move(third)));
}

Result<AstExpression> Parser::substring(TextPosition position) {
  TRY_ASSIGN(AstExpression operand, expression());
  auto children = list(std::move(operand));
  const bool words = accept_word("FROM");
  if (!words) TRY(expect_symbol(","));
  TRY_ASSIGN(AstExpression from, expression());
  children.push_back(std::move(from));
  if (words ? accept_word("FOR") : accept_symbol(",")) {
    TRY_ASSIGN(AstExpression length, expression());
    children.push_back(std::move(length));
  }
  TRY(expect_symbol(")"));
  return call("SUBSTRING", position, std::move(children));
}

Result<AstExpression> Parser::position_of(TextPosition position) {
  // The needle stops before IN, which would otherwise be read as the predicate.
  constexpr int kAbovePredicates = 4;
  TRY_ASSIGN(AstExpression needle, expression(kAbovePredicates));
  TRY(expect_word("IN"));
  TRY_ASSIGN(AstExpression haystack, expression());
  TRY(expect_symbol(")"));
  return call("POSITION", position, list(std::move(needle), std::move(haystack)));
}

Result<AstExpression> Parser::floor_to(std::string_view upper, TextPosition position) {
  const std::string_view canonical = upper == "FLOOR" ? "FLOOR" : "CEIL";
  TRY_ASSIGN(AstExpression operand, expression());
  if (!at_word("TO")) {
    TRY(expect_symbol(")"));
    return call(canonical, position, list(std::move(operand)));
  }
  next();
  const TextPosition unit_position = peek().position;
  TRY_ASSIGN(std::string unit, unit_name());
  TRY(expect_symbol(")"));
  return call(fmt::format("{}(x TO unit)", canonical), position,
              list(text_literal(std::move(unit), unit_position), std::move(operand)));
}

}  // namespace tidegate::sql
