#include "decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "expression.h"

namespace tidegate::queries {

namespace {

using Whole = boost::multiprecision::cpp_int;

constexpr int kMostDigits = 38;
constexpr int kFewestBehind = 6;

struct Digits {
  int precision;
  int scale;
};

Whole power(int tens) { return boost::multiprecision::pow(Whole(10), static_cast<unsigned>(tens)); }

// numerator / denominator with so many digits, half up and away from zero; NULL if they are too few.
Value rounded(const Whole& numerator, const Whole& denominator, Digits digits) {
  const Whole above = abs(numerator) * power(digits.scale);
  const Whole below = abs(denominator);
  Whole whole = above / below;
  if ((above - whole * below) * 2 >= below) ++whole;
  if (whole >= power(digits.precision)) return {};
  if ((numerator < 0) != (denominator < 0)) whole = -whole;
  return Decimal{static_cast<Wide>(whole), digits.scale};
}

// Of more than 38 digits those behind the point go first, down to six.
Digits cut(Digits digits) {
  if (digits.precision <= kMostDigits) return digits;
  const int before = digits.precision - digits.scale;
  return {kMostDigits, std::max(kMostDigits - before, std::min(digits.scale, kFewestBehind))};
}

Digits digits_of(char symbol, Digits a, Digits b) {
  const int most = std::max(a.scale, b.scale);
  switch (symbol) {
    case '*': return cut({a.precision + b.precision + 1, a.scale + b.scale});
    case '/': {
      const int scale = std::max(kFewestBehind, a.scale + b.precision + 1);
      return cut({a.precision - a.scale + b.scale + scale, scale});
    }
    case '%': return cut({std::min(a.precision - a.scale, b.precision - b.scale) + most, most});
    default: return cut({std::max(a.precision - a.scale, b.precision - b.scale) + most + 1, most});
  }
}

Value result_of(char symbol, const Value& left, const Value& right, Digits digits) {
  if (is_null(left) || is_null(right)) return {};
  const auto& a = std::get<Decimal>(left);
  const auto& b = std::get<Decimal>(right);
  // Both as so many parts of one.
  const Whole x = Whole(a.digits) * power(b.scale);
  const Whole y = Whole(b.digits) * power(a.scale);
  const Whole one = power(a.scale + b.scale);
  switch (symbol) {
    case '+': return rounded(x + y, one, digits);
    case '-': return rounded(x - y, one, digits);
    case '*': return rounded(x * y, one * one, digits);
    case '%': return y == 0 ? Value() : rounded(x - x / y * y, one, digits);
    default: return y == 0 ? Value() : rounded(x, y, digits);
  }
}

DecimalExpression literal(Random& random) {
  const int scale = static_cast<int>(random.between(1, 3));
  int64_t least = 1;
  for (int at = 0; at < scale; ++at) least *= 10;
  const int64_t digits = random.between(least, least * (random.one_in(2) ? 10 : 1000) - 1);
  const auto count = static_cast<int>(fmt::format("{}", digits).size());
  const std::string text = fmt::format("{}.{:0{}}", digits / least, digits % least, scale);
  return {text, count, scale, [=](const Row&) { return Decimal{digits, scale}; }};
}

// Whole numbers among decimals: a column of 19 digits, a literal of ten.
DecimalExpression whole(Random& random) {
  if (random.one_in(2)) {
    const int64_t number = random.between(1, 9);
    return {fmt::format("{}", number), 10, 0, [=](const Row&) { return Decimal{number, 0}; }};
  }
  return {"n", 19, 0,
          [](const Row& row) { return is_null(row[kN]) ? Value() : Value(Decimal{std::get<int64_t>(row[kN]), 0}); }};
}

DecimalExpression cast(Random& random, const DecimalExpression& of) {
  const int scale = static_cast<int>(random.between(0, 8));
  const Digits digits{scale + static_cast<int>(random.between(1, 12)), scale};
  return {fmt::format("CAST({} AS DECIMAL({}, {}))", of.sql, digits.precision, scale), digits.precision, scale,
          [=](const Row& row) {
            const Value value = of.value(row);
            if (is_null(value)) return Value();
            const auto& number = std::get<Decimal>(value);
            return rounded(Whole(number.digits), power(number.scale), digits);
          }};
}

DecimalExpression changed_sign(Random& random, const DecimalExpression& of) {
  const bool absolute = random.one_in(2);
  return {fmt::format("{}({})", absolute ? "ABS" : "-", of.sql), of.precision, of.scale, [=](const Row& row) {
            const Value value = of.value(row);
            if (is_null(value)) return Value();
            const auto& number = std::get<Decimal>(value);
            return Value(Decimal{absolute && number.digits > 0 ? number.digits : -number.digits, number.scale});
          }};
}

}  // namespace

DecimalExpression some_decimal(Random& random, int depth) {
  if (depth == 0 || random.one_in(5)) {
    if (random.one_in(3)) return literal(random);
    return {"d", kReadings[kD].precision, kReadings[kD].scale, [](const Row& row) { return row[kD]; }};
  }
  const DecimalExpression left = some_decimal(random, depth - 1);
  if (random.one_in(5)) return cast(random, left);
  if (random.one_in(6)) return changed_sign(random, left);
  const DecimalExpression right = random.one_in(4) ? whole(random) : some_decimal(random, depth - 1);
  const char symbol = random.one_of(std::vector<char>{'+', '-', '*', '/', '%'});
  const Digits digits = digits_of(symbol, {left.precision, left.scale}, {right.precision, right.scale});
  return {fmt::format("({} {} {})", left.sql, symbol, right.sql), digits.precision, digits.scale,
          [=](const Row& row) { return result_of(symbol, left.value(row), right.value(row), digits); }};
}

int order_of(const Decimal& left, const Decimal& right) {
  const Whole x = Whole(left.digits) * power(right.scale);
  const Whole y = Whole(right.digits) * power(left.scale);
  return x < y ? -1 : y < x ? 1 : 0;
}

Value sum_of(const std::vector<Decimal>& numbers, int scale) {
  if (numbers.empty()) return {};
  Whole total = 0;
  for (const Decimal& number : numbers) total += Whole(number.digits);
  return rounded(total, power(scale), {kMostDigits, scale});
}

Value mean_of(const std::vector<Decimal>& numbers, int scale) {
  if (numbers.empty()) return {};
  Whole total = 0;
  for (const Decimal& number : numbers) total += Whole(number.digits);
  return rounded(total, power(scale) * numbers.size(), {kMostDigits, std::max(kFewestBehind, scale)});
}

}  // namespace tidegate::queries
