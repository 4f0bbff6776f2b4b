#include "compute/internal/testing.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tidegate::compute::testing {

std::string show(const Literal& value) {
  switch (value.index()) {
    case 0: return "NULL";
    case 1: return std::get<bool>(value) ? "TRUE" : "FALSE";
    case 2: return fmt::format("{}", std::get<int64_t>(value));
    case 3: return fmt::format("{}", std::get<double>(value));
    default: return fmt::format("'{}'", std::get<std::string>(value));
  }
}

bool same(const Literal& a, const Literal& b) {
  const auto* left = std::get_if<double>(&a);
  const auto* right = std::get_if<double>(&b);
  if (left != nullptr && right != nullptr && std::isnan(*left)) return std::isnan(*right);
  return a == b;
}

namespace {

std::string describe(const Case& test, size_t literals) {
  std::string line(sql::function_name(test.function));
  line += "(";
  for (const Typed& argument : test.arguments) line += show(argument.value) + " ";
  return fmt::format("{}) as {}, literals {:b}", line, columnar::type_name(test.type), literals);
}

// Rows: the case, a row of NULLs, the case again.
void check_variant(const Case& test, size_t literals, columnar::StringPool* pool) {
  const bool all_literal = std::popcount(literals) == static_cast<int>(test.arguments.size());
  Batch batch;
  batch.rows = 3;
  std::vector<Expression> arguments;
  for (size_t at = 0; at < test.arguments.size(); ++at) {
    const Typed& argument = test.arguments[at];
    if ((literals >> at & 1) != 0) {
      arguments.push_back(literal(argument));
      continue;
    }
    arguments.push_back(column(batch.columns.size(), argument.type));
    const std::vector<Literal> rows = {argument.value, Literal{}, argument.value};
    batch.columns.push_back(make_column(argument.type, rows, pool));
  }
  const auto evaluator = compile(call(test.function, test.type, std::move(arguments)));
  // Twice, so that memory left over from the first batch would show.
  for (uint64_t round = 1; round <= 2; ++round) {
    const ColumnPtr result = evaluator->evaluate(batch);
    INFO(describe(test, literals));
    REQUIRE(result->rows == 3);
    REQUIRE(result->type == test.type);
    for (const size_t row : {size_t{0}, size_t{2}}) {
      INFO(show(value_at(*result, row)), " should be ", show(test.expected));
      CHECK(same(value_at(*result, row), test.expected));
    }
    const uint64_t failing_rows = all_literal ? 3 : 2;
    CHECK(evaluator->errors() == (test.error ? failing_rows * round : 0));
  }
}

}  // namespace

void check_case(const Case& test, std::vector<size_t> fixed) {
  const size_t variants = size_t{1} << test.arguments.size();
  for (size_t literals = 0; literals < variants; ++literals) {
    const auto is_column = [literals](size_t argument) { return (literals >> argument & 1) == 0; };
    if (std::ranges::any_of(fixed, is_column)) continue;
    check_variant(test, literals, nullptr);
    columnar::StringPool pool;
    check_variant(test, literals, &pool);
  }
}

}  // namespace tidegate::compute::testing
