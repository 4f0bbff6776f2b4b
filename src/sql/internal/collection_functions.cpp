// ARRAY and ROW: made, taken apart, looked into.
#include <algorithm>

#include <fmt/format.h>

#include "sql/functions.h"
#include "sql/internal/text.h"
#include "sql/internal/typing.h"

namespace tidegate::sql {

using columnar::Field;
using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

Result<> check_depth(const Typing& typing, const Type& type) {
  if (type.depth() <= columnar::kMaxTypeDepth) return {};
  return fail_at(ErrorCode::SqlTooComplex, typing.position,
                 fmt::format("arrays and rows more than {} levels deep", columnar::kMaxTypeDepth));
}

Result<> refuse_intervals(const Typing& typing) {
  const auto interval = [](const Expression& argument) { return argument.type == TypeKind::kInterval; };
  if (std::ranges::none_of(typing.arguments, interval)) return {};
  return typing.mismatch("An INTERVAL cannot be stored");
}

Result<Expression> type_array(Typing& typing) {
  TRY(refuse_intervals(typing));
  TRY_ASSIGN(const Type element, typing.unify_all());
  const Type type = Type::array(element, typing.any_nullable());
  TRY(check_depth(typing, type));
  return typing.finish(FunctionId::kArrayOf, type, true);
}

Result<Expression> type_row(Typing& typing) {
  TRY(refuse_intervals(typing));
  std::vector<Field> fields;
  for (Expression& argument : typing.arguments) {
    if (argument.type == TypeKind::kNull) argument = coerce(std::move(argument), TypeKind::kString);
    fields.push_back({fmt::format("EXPR${}", fields.size()), argument.type, argument.nullable});  // as Flink names them
  }
  const Type type = Type::row(std::move(fields));
  TRY(check_depth(typing, type));
  return typing.finish(FunctionId::kRowOf, type, true);
}

Result<Expression> type_element_at(Typing& typing, const Field& element) {
  if (!typing.fit(1, TypeKind::kInt)) return typing.mismatch("The position is an INT");
  if (const auto* position = literal_of<int64_t>(typing.arguments[1]); position != nullptr && *position < 1) {
    return typing.mismatch("Positions count from 1");
  }
  return typing.finish(FunctionId::kElementAt, element.type, true);
}

// CONTAINS and POSITION.
Result<Expression> type_search(Typing& typing, FunctionId id, const Field& element) {
  if (!typing.fit(1, element.type)) {
    return typing.mismatch(fmt::format("The value must be {}; CAST it", type_name(element.type)));
  }
  if (id == FunctionId::kArrayPosition) return typing.finish(id, TypeKind::kInt, typing.any_nullable());
  return typing.finish(id, TypeKind::kBoolean, typing.arguments[0].nullable);
}

Result<Expression> type_join(Typing& typing, const Field& element) {
  if (element.type != TypeKind::kString) return typing.mismatch("It needs an ARRAY<STRING>; CAST(x AS ARRAY<STRING>)");
  for (size_t at = 1; at < typing.arguments.size(); ++at) {
    if (!typing.fit(at, TypeKind::kString)) return typing.mismatch("The delimiter and what stands for NULL are STRING");
  }
  return typing.finish(FunctionId::kArrayJoin, TypeKind::kString, true);
}

Result<Expression> type_slice(Typing& typing, const Type& array) {
  for (size_t at = 1; at < typing.arguments.size(); ++at) {
    if (!typing.fit(at, TypeKind::kInt)) return typing.mismatch("Positions are INT");
  }
  return typing.finish(FunctionId::kArraySlice, array, typing.any_nullable());
}

bool compares_elements(FunctionId id) {
  return id == FunctionId::kArrayContains || id == FunctionId::kArrayPosition || id == FunctionId::kArrayMax ||
         id == FunctionId::kArrayMin;
}

}  // namespace

Result<Expression> type_collection(Typing& typing, FunctionId id) {
  if (id == FunctionId::kArrayOf) return type_array(typing);
  if (id == FunctionId::kRowOf) return type_row(typing);
  const Type array = typing.arguments[0].type;
  if (array != TypeKind::kArray) return typing.mismatch("It needs an ARRAY");
  const Field& element = array.element();
  if (compares_elements(id) && element.type.is_nested()) return typing.mismatch("Arrays and rows are not compared");
  switch (id) {
    case FunctionId::kElementAt: return type_element_at(typing, element);
    case FunctionId::kCardinality: return typing.finish(id, TypeKind::kInt, typing.any_nullable());
    case FunctionId::kArrayContains:
    case FunctionId::kArrayPosition: return type_search(typing, id, element);
    case FunctionId::kArrayJoin: return type_join(typing, element);
    case FunctionId::kArraySlice: return type_slice(typing, array);
    case FunctionId::kArrayDistinct:
    case FunctionId::kArrayReverse: return typing.finish(id, array, typing.any_nullable());
    default: return typing.finish(id, element.type, true);  // ELEMENT, ARRAY_MAX, ARRAY_MIN
  }
}

Result<Expression> field_of(Expression row, const Name& name) {
  if (row.type != TypeKind::kRow) {
    return fail_at(ErrorCode::SqlTypeMismatch, name.position,
                   fmt::format("{} has no field '{}'", type_name(row.type), name.text),
                   row.type == TypeKind::kArray ? "Take an element first: a[1]" : "Only a ROW has fields");
  }
  const std::vector<Field>& fields = *row.type.fields;
  std::optional<size_t> found;
  std::vector<std::string> candidates;
  for (size_t at = 0; at < fields.size(); ++at) {
    candidates.push_back(fields[at].name);
    const bool exact = fields[at].name == name.text;
    const bool alike = !name.quoted && equal_ignoring_case(fields[at].name, name.text);
    if (exact || (alike && !found)) found = at;
  }
  if (!found) {
    return fail_at(ErrorCode::SqlUnknownColumn, name.position,
                   fmt::format("{} has no field '{}'", type_name(row.type), name.text),
                   did_you_mean(name.text, candidates));
  }
  const Type type = fields[*found].type;
  const bool nullable = row.nullable || fields[*found].nullable;
  std::vector<Expression> arguments;
  arguments.push_back(std::move(row));
  arguments.push_back(Expression{TypeKind::kInt, false, Literal{static_cast<int64_t>(*found)}});
  return make_call(FunctionId::kField, type, nullable, std::move(arguments));
}

Result<> refuse_nested(const Type& type, TextPosition position, std::string_view what) {
  if (!type.is_nested()) return {};
  return fail_at(ErrorCode::SqlTypeMismatch, position, fmt::format("{} cannot take {}", what, type_name(type)),
                 type == TypeKind::kArray ? "Take an element, such as a[1], or CAST it AS STRING"
                                          : "Take a field, such as r.name, or CAST it AS STRING");
}

}  // namespace tidegate::sql
