// Bound expressions: names resolved to columns, types known, functions chosen. compute/ evaluates them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "columnar/decimal.h"
#include "columnar/types.h"

namespace tidegate::sql {

enum class FunctionId : uint16_t {
#define TIDEGATE_FUNCTION(id, category, name, signature, meaning) id,
#include "sql/functions.inc"
};

// The SQL name, as in functions.inc.
[[nodiscard]] std::string_view function_name(FunctionId id);

// NULL, BOOLEAN, any integer or time (as microseconds), FLOAT or DOUBLE, STRING or BYTES, DECIMAL.
using Literal = std::variant<std::monostate, bool, int64_t, double, std::string, columnar::Decimal>;

struct ColumnRef {
  size_t index = 0;  // into the input batch's columns
  std::string name;  // for EXPLAIN
};

struct Call;

// A tree; immutable after binding. The binder inserts kCast so that a function's arguments have exactly
// the types it computes in: both sides of a comparison or of arithmetic are of one type (except time +/- interval).
struct Expression {
  columnar::Type type = columnar::TypeKind::kNull;
  bool nullable = true;
  std::variant<ColumnRef, Literal, std::unique_ptr<Call>> node;

  [[nodiscard]] Expression clone() const;
  [[nodiscard]] bool operator==(const Expression& other) const;
};

struct Call {
  FunctionId function;
  std::vector<Expression> arguments;
};

// The number that a literal of this type is; nothing if it is none.
[[nodiscard]] std::optional<double> number_of(const Literal& literal, const columnar::Type& type);

// The columns that it uses, ascending.
[[nodiscard]] std::vector<size_t> columns_of(const Expression& expression);

// As SQL text, fully parenthesised where needed: for EXPLAIN, operator ids and messages.
[[nodiscard]] std::string to_string(const Expression& expression);

}  // namespace tidegate::sql
