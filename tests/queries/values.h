// Values and rows of the reference: nothing of the engine's.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace tidegate::queries {

__extension__ using Wide = __int128;

// digits * 10^-scale.
struct Decimal {
  Wide digits = 0;
  int scale = 0;
  friend auto operator<=>(const Decimal&, const Decimal&) = default;  // of one scale
};

struct Nested;
using NestedPtr = std::shared_ptr<const Nested>;  // shared: values are copied

using Value = std::variant<std::monostate, bool, int64_t, double, std::string, Decimal, NestedPtr>;  // monostate: NULL
using Row = std::vector<Value>;                                                                      // by column

// An array or a row. Not compared.
struct Nested {
  std::vector<Value> parts;
  std::vector<std::string> names;  // of a row's fields
};

[[nodiscard]] inline bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

[[nodiscard]] inline bool is_true(const Value& value) { return !is_null(value) && std::get<bool>(value); }

enum class Type : uint8_t { kBoolean, kBigint, kDouble, kString, kTime, kDecimal, kNested };

struct Column {
  std::string name;
  Type type;
  int precision = 0;  // of kDecimal
  int scale = 0;
  std::string declared = {};  // of kNested: its type as CREATE TABLE says it
};

// As CREATE TABLE says it.
[[nodiscard]] std::string type_name(const Column& column);
// {"a":1,"b":null}: as the stream runner's canonical_row() writes it.
[[nodiscard]] std::string line_of(const std::vector<Column>& columns, const Row& row);

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // From `low` to `high`, both possible.
  [[nodiscard]] int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  [[nodiscard]] bool one_in(int64_t n) { return between(1, n) == 1; }
  template <class T>
  [[nodiscard]] const T& one_of(const std::vector<T>& all) {
    return all[static_cast<size_t>(between(0, static_cast<int64_t>(all.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tidegate::queries
