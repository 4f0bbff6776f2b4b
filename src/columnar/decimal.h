// Decimal numbers: 128-bit multiples of 10^-scale with at most 38 digits. Exact; where digits must go they are rounded
// half up (away from zero), as Flink does. What has more than the digits asked for is no result.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "columnar/types.h"

namespace tidegate::columnar {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// The number without its scale, which its type says: 12.34 as DECIMAL(4, 2) is 1234.
struct Decimal {
  Int128 unscaled = 0;
  auto operator<=>(const Decimal&) const = default;
};

// 10^exponent; exponent 0 to 38.
[[nodiscard]] Int128 power_of_ten(int exponent);
// |value| < 10^precision.
[[nodiscard]] bool fits_precision(Int128 value, int precision);

// "-12.34", "+.5", "7.", "1.5e3", without blanks around it. Nothing if the text is no such number or has too many
// digits before the point.
[[nodiscard]] std::optional<Decimal> parse_decimal(std::string_view text, int precision, int scale);
// With exactly `scale` digits behind the point: 12.30.
void append_decimal(Decimal value, int scale, std::string& out);

// Of another scale, and no more than `precision` digits.
[[nodiscard]] std::optional<Decimal> rescale(Decimal value, int from_scale, int precision, int scale);
// The double that is nearest.
[[nodiscard]] double to_double(Decimal value, int scale);
// The shortest decimal that reads back as the same number, as Java's BigDecimal.valueOf. Nothing for NaN and infinity.
[[nodiscard]] std::optional<Decimal> decimal_of(double value, int precision, int scale);
// The digits behind the point are cut off.
[[nodiscard]] Int128 whole_part(Decimal value, int scale);
// < 0, 0, > 0, whatever the scales.
[[nodiscard]] int compare(Decimal left, int left_scale, Decimal right, int right_scale);

// A DECIMAL's digits as arguments of the operations below.
struct DecimalShape {
  int precision = 0;
  int scale = 0;
};
[[nodiscard]] inline DecimalShape shape_of(const Type& type) { return {type.precision, type.scale}; }

[[nodiscard]] std::optional<Decimal> add(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result);
[[nodiscard]] std::optional<Decimal> multiply(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result);
// Nothing for a divisor of zero as well.
[[nodiscard]] std::optional<Decimal> divide(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result);
// With the sign of `a`.
[[nodiscard]] std::optional<Decimal> remainder(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result);

// The sum of any number of decimals of one scale, whatever their order: 192 bits hold 2^63 of the greatest.
struct DecimalSum {
  UInt128 low = 0;
  int64_t high = 0;

  void add(Decimal value) { add({static_cast<UInt128>(value.unscaled), value.unscaled < 0 ? -1 : 0}); }
  void add(const DecimalSum& other) {
    const UInt128 before = low;
    low += other.low;
    high = static_cast<int64_t>(static_cast<uint64_t>(high) + static_cast<uint64_t>(other.high) + (low < before));
  }
  // Nothing if it has more than 38 digits.
  [[nodiscard]] std::optional<Decimal> total() const;
  // Divided by `count` > 0, with `more_digits` more digits behind the point than the values have.
  [[nodiscard]] std::optional<Decimal> average(uint64_t count, int more_digits) const;
};

// What types the operators yield (Flink's LogicalTypeMerging, after those of SQL Server). Arguments are DECIMAL.
[[nodiscard]] Type sum_type(const Type& a, const Type& b);  // + and -
[[nodiscard]] Type product_type(const Type& a, const Type& b);
[[nodiscard]] Type quotient_type(const Type& a, const Type& b);
[[nodiscard]] Type remainder_type(const Type& a, const Type& b);
// ROUND and TRUNCATE to so many digits behind the point.
[[nodiscard]] Type rounded_type(const Type& a, int64_t digits);
// SUM and AVG over many rows.
[[nodiscard]] Type total_type(const Type& a);
[[nodiscard]] Type average_type(const Type& a);
// What holds the values of both; digits behind the point go if there are too many.
[[nodiscard]] Type common_decimal(const Type& a, const Type& b);
// An INT or BIGINT as DECIMAL(10, 0) or (19, 0); a DECIMAL as it is.
[[nodiscard]] Type as_decimal(const Type& exact);

}  // namespace tidegate::columnar
