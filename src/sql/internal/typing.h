// One call being typed: its arguments, and what can be said of them.
#pragma once

#include <string>
#include <vector>

#include "sql/internal/bind_expression.h"

namespace tidegate::sql {

struct Typing {
  const std::string& name;
  TextPosition position;
  std::vector<Expression>& arguments;

  // "NAME cannot take (INT, STRING)".
  [[nodiscard]] std::unexpected<Error> mismatch(std::string hint = {}) const;
  [[nodiscard]] bool any_nullable() const;
  [[nodiscard]] Result<columnar::Type> unify_all() const;
  // NULL literals become `type`; widening casts; false if it does not fit.
  [[nodiscard]] bool fit(size_t at, const columnar::Type& type) const;
  [[nodiscard]] Expression finish(FunctionId id, columnar::Type type, bool nullable) const;
};

// EXTRACT, FLOOR and CEIL to a unit, TIMESTAMPADD and -DIFF, TO_TIMESTAMP_LTZ.
[[nodiscard]] Result<Expression> type_time(Typing& typing, FunctionId id);
// YEAR(x), QUARTER(x), ... as EXTRACT; every other call as it is.
[[nodiscard]] Expression expand_field(Expression call);
// JSON_EXISTS, JSON_VALUE, JSON_QUERY, IS JSON.
[[nodiscard]] Result<Expression> type_json(Typing& typing, FunctionId id);
// ARRAY[...], ROW(...), a[i] and the functions of arrays.
[[nodiscard]] Result<Expression> type_collection(Typing& typing, FunctionId id);
// SHA2(text, bits): the bits choose the function.
[[nodiscard]] Result<Expression> type_sha2(Typing& typing);

// Null unless the argument is a literal of this kind.
template <class T>
[[nodiscard]] const T* literal_of(const Expression& argument) {
  const auto* literal = std::get_if<Literal>(&argument.node);
  return literal == nullptr ? nullptr : std::get_if<T>(literal);
}

}  // namespace tidegate::sql
