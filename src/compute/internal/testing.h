// For the tests of this module: expressions and batches written down briefly.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compute/evaluator.h"

namespace tidegate::compute::testing {

using columnar::Batch;
using columnar::ColumnPtr;
using columnar::TypeKind;
using sql::Expression;
using sql::FunctionId;
using sql::Literal;

inline constexpr TypeKind kBool = TypeKind::kBoolean;
inline constexpr TypeKind kInt = TypeKind::kInt;
inline constexpr TypeKind kBig = TypeKind::kBigint;
inline constexpr TypeKind kDouble = TypeKind::kDouble;
inline constexpr TypeKind kText = TypeKind::kString;
inline constexpr TypeKind kTime = TypeKind::kTimestamp;
inline constexpr TypeKind kLtz = TypeKind::kTimestampLtz;
inline constexpr TypeKind kSpan = TypeKind::kInterval;

// A value with its type; `value` without content is NULL.
struct Typed {
  TypeKind type;
  Literal value;
};
inline Typed null(TypeKind type) { return {type, std::monostate{}}; }
inline Typed boolean(bool value) { return {kBool, value}; }
inline Typed integer(int64_t value) { return {kInt, value}; }
inline Typed bigint(int64_t value) { return {kBig, value}; }
inline Typed real(double value) { return {kDouble, value}; }
inline Typed text(std::string value) { return {kText, std::move(value)}; }
inline Typed time(int64_t value) { return {kTime, value}; }
inline Typed ltz(int64_t value) { return {kLtz, value}; }
inline Typed span(int64_t value) { return {kSpan, value}; }

inline Expression column(size_t index, TypeKind type) {
  return {type, true, sql::ColumnRef{index, "c" + std::to_string(index)}};
}
inline Expression literal(const Typed& typed) { return {typed.type, true, typed.value}; }
inline Expression call(FunctionId function, TypeKind type, std::vector<Expression> arguments) {
  return {type, true, std::make_unique<sql::Call>(sql::Call{function, std::move(arguments)})};
}
template <class... Arguments>
Expression make_call(FunctionId function, TypeKind type, Arguments... arguments) {
  std::vector<Expression> list;
  (list.push_back(std::move(arguments)), ...);
  return call(function, type, std::move(list));
}

inline void append(columnar::ColumnBuilder& builder, const Literal& value, columnar::StringPool* pool) {
  if (std::holds_alternative<std::monostate>(value)) return builder.append_null();
  switch (builder.type()) {
    case kBool: return builder.append<uint8_t>(std::get<bool>(value) ? 1 : 0);
    case kInt: return builder.append(static_cast<int32_t>(std::get<int64_t>(value)));
    case kDouble: return builder.append(std::get<double>(value));
    case kText:
      if (pool != nullptr) return builder.append(pool->intern(std::get<std::string>(value))->value);
      return builder.append_string(std::get<std::string>(value));
    default: return builder.append(std::get<int64_t>(value));
  }
}

// With a pool, strings are dictionary-encoded.
inline ColumnPtr make_column(TypeKind type, std::span<const Literal> values, columnar::StringPool* pool = nullptr) {
  columnar::ColumnBuilder builder =
      type == kText && pool != nullptr ? columnar::ColumnBuilder(*pool) : columnar::ColumnBuilder(type);
  for (const Literal& value : values) append(builder, value, pool);
  return builder.finish();
}

inline Literal value_at(const columnar::Column& column, size_t row) {
  if (!column.valid(row)) return std::monostate{};
  switch (column.type) {
    case kBool: return column.values<uint8_t>()[row] != 0;
    case kDouble: return column.values<double>()[row];
    case kText: return std::string(column.string_at(row));
    default: return column.integer_at(row);
  }
}

std::string show(const Literal& value);
// Equal, NaN to NaN as well.
bool same(const Literal& a, const Literal& b);

// One line of a table: a function of some values, and what it yields.
struct Case {
  FunctionId function;
  TypeKind type;
  std::vector<Typed> arguments;
  Literal expected;
  bool error = false;  // counted once per row
};

// Evaluates the case with every mixture of columns and literals as arguments, with strings plain and
// dictionary-encoded, among other rows that are NULL; CHECKs value and errors. `fixed` arguments are always literals.
void check_case(const Case& test, std::vector<size_t> fixed = {});
inline void check_cases(const std::vector<Case>& cases, std::vector<size_t> fixed = {}) {
  for (const Case& test : cases) check_case(test, fixed);
}

}  // namespace tidegate::compute::testing
