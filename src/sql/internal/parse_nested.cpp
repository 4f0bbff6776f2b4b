// ARRAY and ROW: their types, values, elements and fields.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Type;

// [NULL | NOT NULL]
Result<bool> Parser::type_nullable() {
  if (!accept_word("NOT")) {
    accept_word("NULL");
    return true;
  }
  TRY(expect_word("NULL"));
  return false;
}

// name type [NOT NULL]
Result<Field> Parser::row_field(const std::vector<Field>& before) {
  TRY_ASSIGN(const Name field_name, name("a field"));
  const auto same = [&](const Field& field) { return equal_ignoring_case(field.name, field_name.text); };
  if (std::ranges::any_of(before, same)) {
    return fail_at(ErrorCode::SqlAmbiguousColumn, field_name.position,
                   fmt::format("field '{}' is there already", field_name.text));
  }
  Field field{field_name.text, {}, true};
  TRY_ASSIGN(field.type, type());
  TRY_ASSIGN(field.nullable, type_nullable());
  return field;
}

// ARRAY<type [NOT NULL]>, ROW<name type [NOT NULL], ...>, ROW(name type, ...)
Result<Type> Parser::nested_type(bool array) {
  const Level level(depth_);
  const TextPosition position = next().position;
  TRY(check_depth(depth_, position));
  const bool round = !array && at_symbol("(");
  if (round) {
    next();
  } else {
    TRY(expect_symbol("<"));
  }
  Type made;
  if (array) {
    TRY_ASSIGN(Type element, type());
    TRY_ASSIGN(const bool nullable, type_nullable());
    made = Type::array(std::move(element), nullable);
  } else {
    std::vector<Field> fields;
    do {
      TRY_ASSIGN(Field field, row_field(fields));
      fields.push_back(std::move(field));
    } while (accept_symbol(","));
    made = Type::row(std::move(fields));
  }
  TRY(expect_symbol(round ? ")" : ">"));
  if (made.depth() <= columnar::kMaxTypeDepth) return made;
  return fail_at(ErrorCode::SqlTooComplex, position,
                 fmt::format("types more than {} levels deep", columnar::kMaxTypeDepth));
}

Result<AstExpression> Parser::array_constructor() {
  const TextPosition position = next().position;
  next();
  if (at_symbol("]")) {
    return fail_at(ErrorCode::SqlSyntax, position, "an array of what? ARRAY[] has no elements to tell its type",
                   "CAST(NULL AS ARRAY<DOUBLE>) is NULL of a type; ARRAY_SLICE(ARRAY[0], 2) is empty");
  }
  std::vector<AstExpression> children;
  do {
    TRY_ASSIGN(AstExpression child, expression());
    children.push_back(std::move(child));
  } while (accept_symbol(","));
  TRY(expect_symbol("]"));
  return call("ARRAY[]", position, std::move(children));
}

Result<AstExpression> Parser::postfix(AstExpression operand) {
  while (at_symbol("[") || at_symbol(".")) {
    const TextPosition position = next().position;
    std::vector<AstExpression> children;
    children.push_back(std::move(operand));
    if (tokens_[at_ - 1].text == ".") {
      TRY_ASSIGN(Name field, name("a field"));
      TRY_ASSIGN(operand, call(".", position, std::move(children), AstKind::kField));
      operand.path.push_back(std::move(field));
      continue;
    }
    TRY_ASSIGN(AstExpression index, expression());
    TRY(expect_symbol("]"));
    children.push_back(std::move(index));
    TRY_ASSIGN(operand, call("a[i]", position, std::move(children)));
  }
  return operand;
}

}  // namespace tidegate::sql
