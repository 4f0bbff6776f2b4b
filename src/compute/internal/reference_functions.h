// For the property test: functions written down naively, a value at a time, over code points in a vector.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compute/internal/testing.h"

namespace tidegate::compute::testing {

struct NamedFunction {
  FunctionId id;
  TypeKind result;
  std::vector<TypeKind> arguments;
  std::function<Literal(const std::vector<Literal>&)> evaluate;
  bool strict = true;  // NULL if an argument is; otherwise `evaluate` sees the NULLs
};

[[nodiscard]] std::span<const NamedFunction> named_functions();
// Null if there is no reference for a function of these arguments here.
[[nodiscard]] const NamedFunction* find_named(FunctionId id, const std::vector<Expression>& arguments);

}  // namespace tidegate::compute::testing
