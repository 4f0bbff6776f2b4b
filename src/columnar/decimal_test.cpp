#include "columnar/decimal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "columnar/random_rows.h"

namespace tidegate::columnar {

namespace {

struct Vector {
  std::string_view operation;
  int a_precision, a_scale;
  std::string_view a;
  int b_precision, b_scale;
  std::string_view b;
  int precision, scale;
  std::string_view result;  // empty: none
};

constexpr Vector kVectors[] = {
#include "columnar/decimal_vectors.inc"
};

Type decimal_type(int precision, int scale) {
  return Type::decimal(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale));
}

Type type_of_result(const Vector& vector) {
  const Type a = decimal_type(vector.a_precision, vector.a_scale);
  const Type b = decimal_type(vector.b_precision, vector.b_scale);
  if (vector.operation == "multiply") return product_type(a, b);
  if (vector.operation == "divide") return quotient_type(a, b);
  if (vector.operation == "remainder") return remainder_type(a, b);
  return vector.operation == "rescale" ? b : sum_type(a, b);
}

std::optional<Decimal> computed(const Vector& vector) {
  const Decimal a = parse_decimal(vector.a, vector.a_precision, vector.a_scale).value();
  const Decimal b = parse_decimal(vector.b, vector.b_precision, vector.b_scale).value();
  const DecimalShape shape{vector.precision, vector.scale};
  if (vector.operation == "add") return add(a, vector.a_scale, b, vector.b_scale, shape);
  if (vector.operation == "subtract") return add(a, vector.a_scale, {-b.unscaled}, vector.b_scale, shape);
  if (vector.operation == "multiply") return multiply(a, vector.a_scale, b, vector.b_scale, shape);
  if (vector.operation == "divide") return divide(a, vector.a_scale, b, vector.b_scale, shape);
  if (vector.operation == "remainder") return remainder(a, vector.a_scale, b, vector.b_scale, shape);
  return rescale(a, vector.a_scale, vector.precision, vector.scale);
}

std::string text_of(const std::optional<Decimal>& value, int scale) {
  std::string text;
  if (value) append_decimal(*value, scale, text);
  return text;
}

std::string parsed(std::string_view text, int precision, int scale) {
  return text_of(parse_decimal(text, precision, scale), scale);
}

}  // namespace

TEST_CASE("arithmetic and its types are those of exact fractions, rounded half up") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.operation);
    CAPTURE(vector.a);
    CAPTURE(vector.b);
    CHECK(type_of_result(vector) == decimal_type(vector.precision, vector.scale));
    CHECK(text_of(computed(vector), vector.scale) == vector.result);
  }
}

TEST_CASE("numbers are read digit by digit and written with all their digits") {
  CHECK(parsed("12.345", 10, 2) == "12.35");
  CHECK(parsed("-12.345", 10, 2) == "-12.35");
  CHECK(parsed("12.3449999999999999999999999999999999999999999999999", 10, 2) == "12.34");
  CHECK(parsed("0.004", 10, 2) == "0.00");
  CHECK(parsed("-0.005", 10, 2) == "-0.01");
  CHECK(parsed("0.0005", 10, 2) == "0.00");
  CHECK(parsed("+.5", 4, 1) == "0.5");
  CHECK(parsed("7.", 4, 1) == "7.0");
  CHECK(parsed("1.5e3", 6, 0) == "1500");
  CHECK(parsed("15E-1", 6, 2) == "1.50");
  CHECK(parsed("1e-999999999999", 6, 2) == "0.00");
  CHECK(parsed("0e999999999999", 6, 2) == "0.00");
  CHECK(parsed("000123.40", 5, 2) == "123.40");
  CHECK(parsed("99999999999999999999999999999999999999", 38, 0) == "99999999999999999999999999999999999999");
  CHECK(parsed("-0.12345678901234567890123456789012345678", 38, 38) == "-0.12345678901234567890123456789012345678");
  for (const char* text :
       {"", "-", ".", "e5", "1e", "1e+", "1e+-5", "1.2.3", "0x10", "1 2", "NaN", "Infinity", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_decimal(text, 38, 2));
  }
  CHECK_FALSE(parse_decimal("99.995", 4, 2));
  CHECK_FALSE(parse_decimal("1e999999999999", 38, 0));
  CHECK_FALSE(parse_decimal("100000000000000000000000000000000000000", 38, 0));
}

TEST_CASE("random decimals go through text, and through doubles as far as these are exact") {
  io::SeededRandom random(7);
  for (int round = 0; round < 3000; ++round) {
    const auto precision = static_cast<uint8_t>(1 + random.below(38));
    const Type type = Type::decimal(precision, static_cast<uint8_t>(random.below(precision + 1)));
    const Decimal value{random_decimal(random, type)};
    const std::string text = text_of(value, type.scale);
    CAPTURE(text);
    CHECK(parse_decimal(text, type.precision, type.scale) == value);
    CHECK(to_double(value, type.scale) == std::strtod(text.c_str(), nullptr));
    if (type.precision <= 15) CHECK(decimal_of(to_double(value, type.scale), type.precision, type.scale) == value);
  }
  CHECK_FALSE(decimal_of(std::numeric_limits<double>::quiet_NaN(), 38, 2));
  CHECK_FALSE(decimal_of(std::numeric_limits<double>::infinity(), 38, 2));
  CHECK_FALSE(decimal_of(1e39, 38, 0));
  CHECK(text_of(decimal_of(0.1, 38, 20), 20) == "0.10000000000000000000");
}

TEST_CASE("decimals compare by value, whatever their scales") {
  const auto order = [](std::string_view a, int a_scale, std::string_view b, int b_scale) {
    return compare(*parse_decimal(a, 38, a_scale), a_scale, *parse_decimal(b, 38, b_scale), b_scale);
  };
  CHECK(order("1.50", 2, "1.5", 1) == 0);
  CHECK(order("-1.50", 2, "1.5", 1) < 0);
  CHECK(order("-1.51", 2, "-1.5", 1) < 0);
  CHECK(order("1", 0, "0.99999999999999999999999999999999999999", 38) > 0);
  CHECK(order("99999999999999999999999999999999999999", 0, "0.99999999999999999999999999999999999999", 38) > 0);
}

TEST_CASE("sums do not depend on the order of their values, and average as exact fractions do") {
  const Int128 most = power_of_ten(38) - 1;
  DecimalSum sum;
  for (int at = 0; at < 1000; ++at) sum.add(Decimal{most});
  CHECK_FALSE(sum.total());
  CHECK(sum.average(1000, 0) == Decimal{most});
  for (int at = 0; at < 999; ++at) sum.add(Decimal{-most});
  CHECK(sum.total() == Decimal{most});
  DecimalSum negative;
  for (int at = 0; at < 1000; ++at) negative.add(Decimal{-most});
  CHECK(negative.average(1000, 0) == Decimal{-most});
  negative.add(sum);
  CHECK(negative.average(999, 0) == Decimal{-most});
  DecimalSum few;
  few.add(Decimal{-5});
  few.add(Decimal{4});
  few.add(Decimal{-1});
  CHECK(text_of(few.average(3, 6), 6) == "-0.666667");
}

TEST_CASE("what values of two types have in common keeps the digits before the point") {
  CHECK(common_decimal(Type::decimal(10, 2), Type::decimal(5, 4)) == Type::decimal(12, 4));
  CHECK(common_decimal(Type::decimal(38, 0), Type::decimal(10, 10)) == Type::decimal(38, 0));
  CHECK(total_type(Type::decimal(10, 2)) == Type::decimal(38, 2));
  CHECK(average_type(Type::decimal(10, 2)) == Type::decimal(38, 6));
  CHECK(rounded_type(Type::decimal(10, 4), 2) == Type::decimal(9, 2));
  CHECK(rounded_type(Type::decimal(10, 4), -3) == Type::decimal(7, 0));
  CHECK(rounded_type(Type::decimal(10, 4), 9) == Type::decimal(10, 4));
}

}  // namespace tidegate::columnar
