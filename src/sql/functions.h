// What is known of every scalar function and operator (functions.inc), for binding, for compute/ and for the reference.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/expression.h"

namespace tidegate::sql {

enum class FunctionCategory : uint8_t {
#define TIDEGATE_CATEGORY(id, title, note) id,
#include "sql/functions.inc"
};

struct FunctionInfo {
  FunctionId id;
  FunctionCategory category;
  std::string_view name;       // as SQL writes it, in capitals
  std::string_view signature;  // starts with "(" if it is the rule for the arguments, else how it is written
  std::string_view meaning;
};

struct FunctionExample {
  FunctionId id;
  std::string_view expression;
  std::string_view value;  // as SQL writes it: 'text', numbers and times as CAST AS STRING prints them, NULL
};

// In the order of their ids.
[[nodiscard]] std::span<const FunctionInfo> functions();
[[nodiscard]] std::span<const FunctionExample> function_examples();
[[nodiscard]] const FunctionInfo& function_info(FunctionId id);

// The character sets of ENCODE and DECODE, in capitals.
[[nodiscard]] std::span<const std::string_view> charsets();

// The page docs/functions.md.
[[nodiscard]] std::string function_reference();

}  // namespace tidegate::sql
