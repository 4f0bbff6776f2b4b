// Random expressions: each is SQL text and, beside it, what it means for a row, said as plainly as can be. Numbers are
// chosen so that all arithmetic is exact: doubles are multiples of a power of two.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "values.h"

namespace tidegate::queries {

struct Expression {
  std::string sql;
  std::function<Value(const Row&)> value;
};

// The stream that everything is asked of. The times of its rows are all different.
inline const std::vector<Column> kReadings = {
    {"device", Type::kString},
    {"ts", Type::kTime},
    {"n", Type::kBigint},
    {"v", Type::kDouble},
    {"s", Type::kString},
    {"b", Type::kBoolean},
    {"d", Type::kDecimal, 7, 2},
    {"a", Type::kNested, 0, 0, "ARRAY<BIGINT>"},
    {"r", Type::kNested, 0, 0, "ROW<x DOUBLE, t STRING, deep ROW<k BIGINT, words ARRAY<STRING>>>"},
    {"p", Type::kNested, 0, 0, "ARRAY<ROW<k BIGINT, v DOUBLE>>"}};
inline constexpr size_t kDevice = 0;
inline constexpr size_t kTs = 1;
inline constexpr size_t kN = 2;
inline constexpr size_t kV = 3;
inline constexpr size_t kS = 4;
inline constexpr size_t kB = 5;
inline constexpr size_t kD = 6;
inline constexpr size_t kArray = 7;
inline constexpr size_t kRow = 8;
inline constexpr size_t kPairs = 9;

[[nodiscard]] Expression column(size_t index);

class ExpressionMaker {
 public:
  // `nested`: parts of arrays and rows are among its leaves.
  explicit ExpressionMaker(Random& random, bool nested = false) : random_(random), nested_(nested) {}

  // At most `depth` levels below it.
  [[nodiscard]] Expression of_type(Type type, int depth);
  [[nodiscard]] Expression condition(int depth) { return of_type(Type::kBoolean, depth); }

 private:
  [[nodiscard]] Expression literal(Type type);
  [[nodiscard]] Expression leaf(Type type);
  [[nodiscard]] Expression boolean(int depth);
  [[nodiscard]] Expression bigint(int depth);
  [[nodiscard]] Expression real(int depth);
  [[nodiscard]] Expression text(int depth);
  [[nodiscard]] Expression choice(Type type, int depth);
  [[nodiscard]] Expression coalesce(Type type, int depth);
  [[nodiscard]] Expression arithmetic(Type type, int depth);
  [[nodiscard]] Expression comparison(int depth);
  [[nodiscard]] Expression logic(int depth);
  [[nodiscard]] Expression null_test(int depth);
  [[nodiscard]] Expression range_test(int depth);
  [[nodiscard]] Expression membership(int depth);
  [[nodiscard]] Expression like(int depth);
  [[nodiscard]] Type some_type();

  Random& random_;
  const bool nested_;
};

}  // namespace tidegate::queries
