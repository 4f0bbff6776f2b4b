// The signatures of functions.inc as rules: which arguments a function takes and what it yields.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sql/internal/bind_expression.h"

namespace tidegate::sql {

// "(text STRING, length INT[, pad STRING]) -> STRING?": a parameter's last word is its class; what is in [ ] may be
// left out, "..." repeats the one before. A result that ends in ? may be NULL though no argument is.
struct Signature {
  struct Parameter {
    std::string_view kind;  // STRING, BYTES, INT, BIGINT, FLOAT, DOUBLE, BOOLEAN, TIMESTAMP..., or a class: NUMERIC,
                            // INTEGER, TIME, ANY
    bool optional = false;
  };
  std::vector<Parameter> parameters;
  bool repeats = false;
  std::string_view result;
  bool nullable = false;
};

// All forms of a function; the text comes from functions.inc and is well-formed (a test parses them all).
[[nodiscard]] std::vector<Signature> parse_signatures(std::string_view text);

// Makes the arguments fit one of the forms (with casts) and calls `id`. SqlTypeMismatch.
[[nodiscard]] Result<Expression> resolve_by_signature(FunctionId id, TextPosition position,
                                                      std::vector<Expression> arguments);

}  // namespace tidegate::sql
