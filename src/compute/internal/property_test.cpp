// Random expressions over random batches: the column-wise evaluator must agree, value by value, with a naive one that
// walks the tree for one row at a time.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compute/internal/reference_functions.h"
#include "compute/internal/testing.h"
#include "io/random.h"

namespace tidegate::compute::testing {

namespace {

using enum FunctionId;

__extension__ using Wide = __int128;

bool is_null(const Literal& value) { return std::holds_alternative<std::monostate>(value); }

Literal fitting(Wide value, TypeKind type) {
  const bool fits = type == kInt ? value == static_cast<int32_t>(value) : value == static_cast<int64_t>(value);
  return fits ? Literal{static_cast<int64_t>(value)} : Literal{};
}

Literal reference_arithmetic(FunctionId function, TypeKind type, const Literal& a, const Literal& b) {
  if (const auto* left = std::get_if<double>(&a)) {
    const double right = std::get<double>(b);
    switch (function) {
      case kAdd: return *left + right;
      case kSubtract: return *left - right;
      case kMultiply: return *left * right;
      default: return right == 0 ? Literal{} : Literal{*left / right};
    }
  }
  const Wide left = std::get<int64_t>(a);
  const Wide right = std::get<int64_t>(b);
  switch (function) {
    case kAdd: return fitting(left + right, type);
    case kSubtract: return fitting(left - right, type);
    case kMultiply: return fitting(left * right, type);
    case kDivide: return right == 0 ? Literal{} : fitting(left / right, type);
    default: return right == 0 ? Literal{} : fitting(left % right, type);
  }
}

template <class T>
bool reference_compare(FunctionId function, const T& a, const T& b) {
  switch (function) {
    case kEqual: return a == b;
    case kNotEqual: return a != b;
    case kLess: return a < b;
    case kLessOrEqual: return a <= b;
    case kGreater: return a > b;
    default: return a >= b;
  }
}

Literal reference_comparison(FunctionId function, const Literal& a, const Literal& b) {
  if (const auto* left = std::get_if<double>(&a)) return reference_compare(function, *left, std::get<double>(b));
  if (const auto* left = std::get_if<int64_t>(&a)) return reference_compare(function, *left, std::get<int64_t>(b));
  if (const auto* left = std::get_if<bool>(&a)) return reference_compare(function, *left, std::get<bool>(b));
  return reference_compare(function, std::get<std::string>(a), std::get<std::string>(b));
}

Literal reference(const Expression& expression, const std::vector<Literal>& row);

Literal reference_junction(const sql::Call& call, const std::vector<Literal>& row) {
  const bool deciding = call.function == kOr;
  const Literal a = reference(call.arguments[0], row);
  const Literal b = reference(call.arguments[1], row);
  if (a == Literal{deciding} || b == Literal{deciding}) return deciding;
  return is_null(a) || is_null(b) ? Literal{} : Literal{!deciding};
}

Literal reference_in(const sql::Call& call, const std::vector<Literal>& row) {
  const Literal value = reference(call.arguments[0], row);
  if (is_null(value)) return {};
  bool null_in_list = false;
  for (size_t at = 1; at < call.arguments.size(); ++at) {
    const Literal candidate = reference(call.arguments[at], row);
    if (!is_null(candidate) && value == candidate) return true;
    null_in_list = null_in_list || is_null(candidate);
  }
  return null_in_list ? Literal{} : Literal{false};
}

Literal reference_lazy(const sql::Call& call, const std::vector<Literal>& row) {
  if (call.function == kCoalesce) {
    for (const Expression& argument : call.arguments) {
      if (Literal value = reference(argument, row); !is_null(value)) return value;
    }
    return {};
  }
  for (size_t at = 0; at + 1 < call.arguments.size(); at += 2) {
    if (reference(call.arguments[at], row) == Literal{true}) return reference(call.arguments[at + 1], row);
  }
  return reference(call.arguments.back(), row);
}

Literal reference_strict(const sql::Call& call, TypeKind type, const Literal& a, const Literal& b) {
  switch (call.function) {
    case kNot: return !std::get<bool>(a);
    case kNegate:
      if (type == kDouble) return -std::get<double>(a);
      return fitting(-static_cast<Wide>(std::get<int64_t>(a)), type);
    case kConcatOperator: return std::get<std::string>(a) + std::get<std::string>(b);
    case kAdd:
    case kSubtract:
    case kMultiply:
    case kDivide:
    case kModulo: return reference_arithmetic(call.function, type, a, b);
    default: return reference_comparison(call.function, a, b);
  }
}

Literal reference(const Expression& expression, const std::vector<Literal>& row) {
  if (const auto* column = std::get_if<sql::ColumnRef>(&expression.node)) return row[column->index];
  if (const auto* value = std::get_if<Literal>(&expression.node)) return *value;
  const auto& call = *std::get<std::unique_ptr<sql::Call>>(expression.node);
  switch (call.function) {
    case kAnd:
    case kOr: return reference_junction(call, row);
    case kIn: return reference_in(call, row);
    case kCase:
    case kCoalesce: return reference_lazy(call, row);
    case kIsNull: return is_null(reference(call.arguments[0], row));
    case kIsNotNull: return !is_null(reference(call.arguments[0], row));
    default: break;
  }
  if (const NamedFunction* function = find_named(call.function, call.arguments)) {
    std::vector<Literal> values;
    for (const Expression& argument : call.arguments) values.push_back(reference(argument, row));
    const bool null = function->strict && std::ranges::any_of(values, is_null);
    return null ? Literal{} : function->evaluate(values);
  }
  const Literal a = reference(call.arguments[0], row);
  const Literal b = call.arguments.size() > 1 ? reference(call.arguments[1], row) : Literal{false};
  if (is_null(a) || is_null(b)) return {};
  return reference_strict(call, expression.type, a, b);
}

// Columns 0 to 4 are of these types and have NULLs, 5 to 9 the same without; 10 is a dictionary.
constexpr TypeKind kTypes[] = {kBool, kInt, kBig, kDouble, kText};
constexpr size_t kColumns = 11;

TypeKind column_type(size_t index) { return index < 10 ? kTypes[index % 5] : kText; }

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  size_t below(size_t bound) { return random_.below(bound); }

  Literal value(TypeKind type) {
    switch (type) {
      case kBool: return below(2) == 0;
      case kInt: return integer(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
      case kBig: return integer(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
      case kDouble: return below(10) == 0 ? 0.0 : (random_.unit() - 0.5) * 100;
      default: return std::string(below(4), static_cast<char>('a' + below(3)));
    }
  }
  Literal value_or_null(TypeKind type) { return below(4) == 0 ? Literal{} : value(type); }

  Expression expression(TypeKind type, int depth) {
    if (depth == 0 || below(6) == 0) return leaf(type);
    const size_t choice = below(8);
    if (choice == 0) return lazy(type, depth);
    if (choice >= 6) return named(type, depth);
    if (type == kBool) return boolean(depth);
    if (type == kText) {
      return make_call(kConcatOperator, kText, expression(kText, depth - 1), expression(kText, depth - 1));
    }
    if (choice == 1) return make_call(kNegate, type, expression(type, depth - 1));
    constexpr FunctionId kOperations[] = {kAdd, kSubtract, kMultiply, kDivide, kModulo};
    const FunctionId operation = kOperations[below(type == kDouble ? 4 : 5)];
    return make_call(operation, type, expression(type, depth - 1), expression(type, depth - 1));
  }

 private:
  // Small numbers, and now and then one at the edge.
  Literal integer(int64_t least, int64_t greatest) {
    switch (below(8)) {
      case 0: return least;
      case 1: return greatest;
      default: return static_cast<int64_t>(below(7)) - 3;
    }
  }

  Expression leaf(TypeKind type) {
    if (below(3) == 0) return literal({type, value_or_null(type)});
    size_t index = below(kColumns);
    while (column_type(index) != type) index = below(kColumns);
    return column(index, type);
  }

  Expression boolean(int depth) {
    const TypeKind side = kTypes[below(5)];
    switch (below(6)) {
      case 0: return make_call(kAnd, kBool, expression(kBool, depth - 1), expression(kBool, depth - 1));
      case 1: return make_call(kOr, kBool, expression(kBool, depth - 1), expression(kBool, depth - 1));
      case 2: return make_call(kNot, kBool, expression(kBool, depth - 1));
      case 3: return make_call(below(2) == 0 ? kIsNull : kIsNotNull, kBool, expression(side, depth - 1));
      case 4: {
        std::vector<Expression> list;
        list.push_back(expression(side, depth - 1));
        for (size_t count = 1 + below(20); count > 0; --count) list.push_back(literal({side, rare_null(side)}));
        return call(kIn, kBool, std::move(list));
      }
      default: break;
    }
    constexpr FunctionId kComparisons[] = {kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual};
    return make_call(kComparisons[below(6)], kBool, expression(side, depth - 1), expression(side, depth - 1));
  }

  // A function whose reference stands in reference_functions_test.h, of arguments that are expressions.
  Expression named(TypeKind type, int depth) {
    std::vector<const NamedFunction*> fitting;
    for (const NamedFunction& function : named_functions()) {
      if (function.result == type) fitting.push_back(&function);
    }
    const NamedFunction& function = *fitting[below(fitting.size())];
    std::vector<Expression> arguments;
    for (const TypeKind argument : function.arguments) arguments.push_back(expression(argument, depth - 1));
    return call(function.id, type, std::move(arguments));
  }

  Literal rare_null(TypeKind type) { return below(15) == 0 ? Literal{} : value(type); }

  Expression lazy(TypeKind type, int depth) {
    if (below(2) == 0) {
      return make_call(kCoalesce, type, expression(type, depth - 1), expression(type, depth - 1));
    }
    return make_call(kCase, type, expression(kBool, depth - 1), expression(type, depth - 1),
                     expression(kBool, depth - 1), expression(type, depth - 1), expression(type, depth - 1));
  }

  io::SeededRandom random_;
};

}  // namespace

TEST_CASE("random expressions agree with evaluation row by row") {
  columnar::StringPool pool;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    Generator generator(seed);
    const Expression expression = generator.expression(kTypes[seed % 5], 5);
    const auto evaluator = compile(expression);
    for (int round = 0; round < 2; ++round) {
      const size_t rows = generator.below(150);
      std::vector<std::vector<Literal>> table(rows, std::vector<Literal>(kColumns));
      Batch batch;
      batch.rows = rows;
      for (size_t index = 0; index < kColumns; ++index) {
        std::vector<Literal> values;
        for (size_t row = 0; row < rows; ++row) {
          values.push_back(index < 5 ? generator.value_or_null(column_type(index))
                                     : generator.value(column_type(index)));
          table[row][index] = values.back();
        }
        batch.columns.push_back(make_column(column_type(index), values, index == 10 ? &pool : nullptr));
      }
      const ColumnPtr result = evaluator->evaluate(batch);
      REQUIRE(result->rows == rows);
      for (size_t row = 0; row < rows; ++row) {
        const Literal expected = reference(expression, table[row]);
        const Literal got = value_at(*result, row);
        if (same(got, expected)) continue;
        FAIL(fmt::format("seed {} row {}: {} is {}, should be {}", seed, row, sql::to_string(expression), show(got),
                         show(expected)));
      }
    }
  }
}

}  // namespace tidegate::compute::testing
