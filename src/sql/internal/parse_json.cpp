// The functions of JSON, which have words of their own: RETURNING, ON EMPTY, ON ERROR, WRAPPER. What happens is put
// into a literal of letters that compute/ reads: N(ULL), E(RROR), D(EFAULT), A (EMPTY ARRAY), O (EMPTY OBJECT),
// T(RUE), F(ALSE), U(NKNOWN); first for ON EMPTY, then for ON ERROR.
#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::TypeKind;

namespace {

AstExpression typed_literal(Literal value, Type type, TextPosition position) {
  AstExpression parsed;
  parsed.position = position;
  parsed.literal = std::move(value);
  parsed.type = std::move(type);
  return parsed;
}

template <class... Each>
std::vector<AstExpression> list(Each... each) {
  std::vector<AstExpression> all;
  (all.push_back(std::move(each)), ...);
  return all;
}

}  // namespace

// text IS JSON [VALUE | SCALAR | OBJECT | ARRAY]
Result<AstExpression> Parser::is_json(AstExpression left, TextPosition position) {
  std::string kind = "VALUE";
  for (const std::string_view word : {"VALUE", "SCALAR", "OBJECT", "ARRAY"}) {
    if (accept_word(word)) {
      kind = word;
      break;
    }
  }
  AstExpression literal = typed_literal(std::move(kind), TypeKind::kString, position);
  return call("IS JSON", position, list(std::move(left), std::move(literal)));
}

Result<AstExpression> Parser::json_exists(TextPosition position) {
  TRY_ASSIGN(AstExpression text, expression());
  TRY(expect_symbol(","));
  TRY_ASSIGN(AstExpression path, expression());
  std::string mode = "F";
  for (const std::string_view word : {"TRUE", "FALSE", "UNKNOWN", "ERROR"}) {
    if (!accept_word(word)) continue;
    mode = word.substr(0, 1);
    TRY(expect_word("ON"));
    TRY(expect_word("ERROR"));
    break;
  }
  TRY(expect_symbol(")"));
  AstExpression literal = typed_literal(std::move(mode), TypeKind::kString, position);
  return call("JSON_EXISTS", position, list(std::move(text), std::move(path), std::move(literal)));
}

// {NULL | ERROR | DEFAULT value} ON {EMPTY | ERROR}, twice at most.
Result<> Parser::json_value_cases(std::string& modes, AstExpression& on_empty, AstExpression& on_error) {
  while (at_word("NULL") || at_word("ERROR") || at_word("DEFAULT")) {
    const char mode = to_upper(next().text)[0];
    std::optional<AstExpression> value;
    if (mode == 'D') {
      TRY_ASSIGN(value, expression());
    }
    TRY(expect_word("ON"));
    if (!at_word("EMPTY") && !at_word("ERROR")) return unexpected("EMPTY or ERROR");
    const bool empty = accept_word("EMPTY");
    if (!empty) next();
    modes[empty ? 0 : 1] = mode;
    if (value) (empty ? on_empty : on_error) = std::move(*value);
  }
  return {};
}

Result<AstExpression> Parser::json_value(TextPosition position) {
  TRY_ASSIGN(AstExpression text, expression());
  TRY(expect_symbol(","));
  TRY_ASSIGN(AstExpression path, expression());
  Type returning = TypeKind::kString;
  if (accept_word("RETURNING")) {
    TRY_ASSIGN(returning, type());
  }
  std::string modes = "NN";
  AstExpression on_empty = typed_literal({}, TypeKind::kNull, position);
  AstExpression on_error = typed_literal({}, TypeKind::kNull, position);
  TRY(json_value_cases(modes, on_empty, on_error));
  TRY(expect_symbol(")"));
  return call(
      "JSON_VALUE", position,
      list(std::move(text), std::move(path), std::move(on_empty), std::move(on_error),
           typed_literal({}, returning, position), typed_literal(std::move(modes), TypeKind::kString, position)));
}

// NULL | ERROR | EMPTY [ARRAY | OBJECT], before ON EMPTY or ON ERROR.
Result<char> Parser::json_query_case() {
  if (accept_word("NULL")) return 'N';
  if (accept_word("ERROR")) return 'E';
  TRY(expect_word("EMPTY"));
  if (accept_word("OBJECT")) return 'O';
  accept_word("ARRAY");
  return 'A';
}

Result<AstExpression> Parser::json_query(TextPosition position) {
  TRY_ASSIGN(AstExpression text, expression());
  TRY(expect_symbol(","));
  TRY_ASSIGN(AstExpression path, expression());
  std::string modes = "NNW";  // W(ithout), C(onditional), U(nconditional): the wrapper
  if (accept_word("WITHOUT")) {
    accept_word("ARRAY");
    TRY(expect_word("WRAPPER"));
  } else if (accept_word("WITH")) {
    modes[2] = accept_word("CONDITIONAL") ? 'C' : 'U';
    accept_word("UNCONDITIONAL");
    accept_word("ARRAY");
    TRY(expect_word("WRAPPER"));
  }
  while (at_word("NULL") || at_word("ERROR") || at_word("EMPTY")) {
    TRY_ASSIGN(const char mode, json_query_case());
    TRY(expect_word("ON"));
    if (!at_word("EMPTY") && !at_word("ERROR")) return unexpected("EMPTY or ERROR");
    const bool empty = accept_word("EMPTY");
    if (!empty) next();
    modes[empty ? 0 : 1] = mode;
  }
  TRY(expect_symbol(")"));
  AstExpression literal = typed_literal(std::move(modes), TypeKind::kString, position);
  return call("JSON_QUERY", position, list(std::move(text), std::move(path), std::move(literal)));
}

}  // namespace tidegate::sql
