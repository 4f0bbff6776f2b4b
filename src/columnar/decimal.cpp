#include "columnar/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"

namespace tidegate::columnar {

namespace {

constexpr int kDigits = kMaxPrecision;

constexpr std::array<UInt128, kDigits + 1> kPowers = [] {
  std::array<UInt128, kDigits + 1> powers{};
  powers[0] = 1;
  for (size_t at = 1; at < powers.size(); ++at) powers[at] = powers[at - 1] * 10;
  return powers;
}();

UInt128 power(int exponent) { return kPowers.at(static_cast<size_t>(exponent)); }

UInt128 magnitude_of(Int128 value) {
  return value < 0 ? ~static_cast<UInt128>(value) + 1 : static_cast<UInt128>(value);
}

// 256 bits, without sign.
struct Wide {
  UInt128 high = 0;
  UInt128 low = 0;
  auto operator<=>(const Wide&) const = default;
};

Wide product(UInt128 a, UInt128 b) {
  constexpr UInt128 kHalf = ~uint64_t{0};
  const UInt128 low = (a & kHalf) * (b & kHalf);
  const UInt128 middle = (a >> 64) * (b & kHalf) + (low >> 64);
  const UInt128 other = (a & kHalf) * (b >> 64) + (middle & kHalf);
  return {(a >> 64) * (b >> 64) + (middle >> 64) + (other >> 64), (other << 64) | (low & kHalf)};
}

// Nothing if it takes more than 256 bits.
std::optional<Wide> product(const Wide& a, UInt128 b) {
  const Wide upper = product(a.high, b);
  Wide out = product(a.low, b);
  out.high += upper.low;
  if (upper.high != 0 || out.high < upper.low) return std::nullopt;
  return out;
}

// By a power of ten; exponent >= 0.
std::optional<Wide> scaled_up(UInt128 value, int exponent) {
  std::optional<Wide> out = Wide{0, value};
  for (; out && exponent > 0; exponent -= kDigits) out = product(*out, power(std::min(exponent, kDigits)));
  return out;
}

Wide sum(const Wide& a, const Wide& b) {
  const UInt128 low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1 : 0), low};
}

// a >= b.
Wide difference(const Wide& a, const Wide& b) { return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low}; }

struct Quotient {
  UInt128 value = 0;
  UInt128 rest = 0;
};

// Nothing if it takes more than 128 bits. The divisor is below 2^127, as all numbers of 38 digits are.
std::optional<Quotient> quotient(const Wide& a, UInt128 divisor) {
  if (a.high >= divisor) return std::nullopt;
  if (a.high == 0) return Quotient{a.low / divisor, a.low % divisor};
  if (divisor >> 64 == 0) {
    const UInt128 upper = a.high << 64 | a.low >> 64;
    const UInt128 lower = (upper % divisor) << 64 | (a.low & ~uint64_t{0});
    return Quotient{(upper / divisor) << 64 | lower / divisor, lower % divisor};
  }
  Quotient out{0, a.high};
  for (int bit = 127; bit >= 0; --bit) {
    out.rest = out.rest << 1 | (a.low >> bit & 1);
    out.value <<= 1;
    if (out.rest >= divisor) {
      out.rest -= divisor;
      out.value |= 1;
    }
  }
  return out;
}

// The divisor is not 0 and below 2^255.
Wide remainder_of(const Wide& a, const Wide& divisor) {
  Wide rest;
  for (int bit = 255; bit >= 0; --bit) {
    const UInt128 next = bit >= 128 ? a.high >> (bit - 128) & 1 : a.low >> bit & 1;
    rest = {rest.high << 1 | rest.low >> 127, rest.low << 1 | next};
    if (rest >= divisor) rest = difference(rest, divisor);
  }
  return rest;
}

std::optional<Decimal> signed_value(bool negative, UInt128 magnitude, int precision) {
  if (magnitude >= power(precision)) return std::nullopt;
  const auto value = static_cast<Int128>(magnitude);
  return Decimal{negative ? -value : value};
}

// Divided and rounded half up.
std::optional<Decimal> rounded_quotient(bool negative, const Wide& a, UInt128 divisor, int precision) {
  auto result = quotient(a, divisor);
  if (!result) return std::nullopt;
  if (result->rest >= divisor - result->rest) ++result->value;
  return signed_value(negative, result->value, precision);
}

// Without `digits` digits at the end, rounded half up.
std::optional<Decimal> scaled_down(bool negative, Wide value, int digits, int precision) {
  if (digits > kDigits) {
    // What is cut off first does not reach a half of what is cut off then.
    const UInt128 cut = power(digits - kDigits);
    value = {value.high / cut, quotient({value.high % cut, value.low}, cut)->value};
    digits = kDigits;
  }
  return rounded_quotient(negative, value, power(digits), precision);
}

Type limited(int precision, int scale) {
  if (precision > kDigits) {
    // The digits before the point stay, and at least six behind it.
    const int whole = precision - scale;
    scale = std::max(kDigits - whole, std::min(scale, 6));
    precision = kDigits;
  }
  return Type::decimal(static_cast<uint8_t>(std::max(precision, 1)), static_cast<uint8_t>(scale));
}

}  // namespace

Int128 power_of_ten(int exponent) { return static_cast<Int128>(power(exponent)); }

bool fits_precision(Int128 value, int precision) { return magnitude_of(value) < power(precision); }

std::optional<Decimal> parse_decimal(std::string_view text, int precision, int scale) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t mantissa = std::min(text.find_first_of("eE"), text.size());
  int64_t exponent = 0;
  if (mantissa < text.size()) {
    std::string_view written = text.substr(mantissa + 1);
    if (written.size() > 1 && written[0] == '+' && written[1] != '-') written.remove_prefix(1);
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (end != written.data() + written.size() || error == std::errc::invalid_argument) return std::nullopt;
    constexpr int64_t kFar = 1'000'000'000;  // no text has so many digits
    const bool small = written.starts_with('-');
    if (error == std::errc::result_out_of_range || exponent > kFar || exponent < -kFar) exponent = small ? -kFar : kFar;
  }
  const std::string_view digits = text.substr(0, mantissa);
  const size_t point = std::min(digits.find('.'), digits.size());
  const size_t count = digits.size() - (point < digits.size() ? 1 : 0);
  if (count == 0 || digits.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  if (digits.find('.', point + 1) != std::string_view::npos) return std::nullopt;
  // The digits from the first that is not 0 on; so many of them are kept.
  size_t at = std::min(digits.find_first_not_of("0."), digits.size());
  const auto before_point = static_cast<int64_t>(point) - static_cast<int64_t>(at) + (at > point ? 1 : 0);
  const int64_t kept = before_point + exponent + scale;
  if (at == digits.size() || kept < 0) return Decimal{};
  if (kept > kDigits) return std::nullopt;
  UInt128 value = 0;
  for (int64_t taken = 0; taken < kept; ++taken) {
    if (at < digits.size() && digits[at] == '.') ++at;
    value = value * 10 + (at < digits.size() ? static_cast<UInt128>(digits[at++] - '0') : 0);
  }
  if (at < digits.size() && digits[at] == '.') ++at;
  if (at < digits.size() && digits[at] >= '5') ++value;
  return signed_value(negative, value, precision);
}

void append_decimal(Decimal value, int scale, std::string& out) {
  std::array<char, 40> text{};
  size_t at = text.size();
  UInt128 rest = magnitude_of(value.unscaled);
  for (int digit = 0; rest != 0 || digit <= scale; ++digit) {
    if (digit == scale && scale > 0) text[--at] = '.';
    text[--at] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (value.unscaled < 0) out += '-';
  out.append(text.data() + at, text.size() - at);
}

std::optional<Decimal> rescale(Decimal value, int from_scale, int precision, int scale) {
  if (from_scale == scale && fits_precision(value.unscaled, precision)) return value;
  const bool negative = value.unscaled < 0;
  const UInt128 magnitude = magnitude_of(value.unscaled);
  if (scale < from_scale) return scaled_down(negative, {0, magnitude}, from_scale - scale, precision);
  const Wide wide = product(magnitude, power(scale - from_scale));
  return wide.high != 0 ? std::nullopt : signed_value(negative, wide.low, precision);
}

double to_double(Decimal value, int scale) {
  constexpr UInt128 kExact = UInt128{1} << 53;
  constexpr int kMaxExactPower = 22;  // 10^22 is the last power of ten that is a double
  if (magnitude_of(value.unscaled) < kExact && scale <= kMaxExactPower) {
    return static_cast<double>(static_cast<int64_t>(value.unscaled)) / static_cast<double>(power(scale));
  }
  std::string text;
  append_decimal(value, scale, text);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::optional<Decimal> decimal_of(double value, int precision, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return parse_decimal({text.data(), static_cast<size_t>(end - text.data())}, precision, scale);
}

Int128 whole_part(Decimal value, int scale) { return value.unscaled / power_of_ten(scale); }

int compare(Decimal left, int left_scale, Decimal right, int right_scale) {
  const auto order = [](const auto& a, const auto& b) { return a < b ? -1 : b < a ? 1 : 0; };
  if (left_scale == right_scale) return order(left.unscaled, right.unscaled);
  const bool negative = left.unscaled < 0;
  if (negative != (right.unscaled < 0)) return negative ? -1 : 1;
  const int scale = std::max(left_scale, right_scale);
  const Wide a = product(magnitude_of(left.unscaled), power(scale - left_scale));
  const Wide b = product(magnitude_of(right.unscaled), power(scale - right_scale));
  return negative ? order(b, a) : order(a, b);
}

std::optional<Decimal> add(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result) {
  const int scale = std::max(a_scale, b_scale);
  if (a_scale == b_scale && scale == result.scale) {
    Int128 total = 0;
    const bool fits = !__builtin_add_overflow(a.unscaled, b.unscaled, &total);
    return fits && fits_precision(total, result.precision) ? std::optional(Decimal{total}) : std::nullopt;
  }
  const Wide left = product(magnitude_of(a.unscaled), power(scale - a_scale));
  const Wide right = product(magnitude_of(b.unscaled), power(scale - b_scale));
  const bool a_negative = a.unscaled < 0;
  const bool same_sign = a_negative == (b.unscaled < 0);
  const bool left_leads = left >= right;
  const Wide total = same_sign ? sum(left, right) : left_leads ? difference(left, right) : difference(right, left);
  const bool negative = same_sign || left_leads ? a_negative : !a_negative;
  return scaled_down(negative, total, scale - result.scale, result.precision);
}

std::optional<Decimal> multiply(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result) {
  const int digits = a_scale + b_scale - result.scale;
  Int128 narrow = 0;
  if (digits == 0 && !__builtin_mul_overflow(a.unscaled, b.unscaled, &narrow)) {
    return fits_precision(narrow, result.precision) ? std::optional(Decimal{narrow}) : std::nullopt;
  }
  const bool negative = (a.unscaled < 0) != (b.unscaled < 0);
  return scaled_down(negative, product(magnitude_of(a.unscaled), magnitude_of(b.unscaled)), digits, result.precision);
}

std::optional<Decimal> divide(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result) {
  if (b.unscaled == 0) return std::nullopt;
  const int digits = result.scale - a_scale + b_scale;
  CHECK(digits >= 0);  // of every quotient_type()
  // What takes more than 256 bits has more than 38 digits when it is divided.
  const auto dividend = scaled_up(magnitude_of(a.unscaled), digits);
  if (!dividend) return std::nullopt;
  const bool negative = (a.unscaled < 0) != (b.unscaled < 0);
  return rounded_quotient(negative, *dividend, magnitude_of(b.unscaled), result.precision);
}

std::optional<Decimal> remainder(Decimal a, int a_scale, Decimal b, int b_scale, DecimalShape result) {
  if (b.unscaled == 0) return std::nullopt;
  const int scale = std::max(a_scale, b_scale);
  const Wide dividend = product(magnitude_of(a.unscaled), power(scale - a_scale));
  const Wide divisor = product(magnitude_of(b.unscaled), power(scale - b_scale));
  const bool narrow = dividend.high == 0 && divisor.high == 0;
  const Wide rest = narrow ? Wide{0, dividend.low % divisor.low} : remainder_of(dividend, divisor);
  return scaled_down(a.unscaled < 0, rest, scale - result.scale, result.precision);
}

std::optional<Decimal> DecimalSum::total() const {
  const auto value = static_cast<Int128>(low);
  const bool narrow = high == (value < 0 ? -1 : 0);
  return narrow && fits_precision(value, kDigits) ? std::optional(Decimal{value}) : std::nullopt;
}

std::optional<Decimal> DecimalSum::average(uint64_t count, int more_digits) const {
  Wide magnitude{static_cast<UInt128>(static_cast<Int128>(high)), low};
  if (high < 0) magnitude = difference({0, 0}, magnitude);
  const auto scaled = product(magnitude, power(more_digits));
  return scaled ? rounded_quotient(high < 0, *scaled, count, kDigits) : std::nullopt;
}

Type sum_type(const Type& a, const Type& b) {
  const int scale = std::max(a.scale, b.scale);
  return limited(std::max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale);
}

Type product_type(const Type& a, const Type& b) { return limited(a.precision + b.precision + 1, a.scale + b.scale); }

Type quotient_type(const Type& a, const Type& b) {
  const int scale = std::max(6, a.scale + b.precision + 1);
  return limited(a.precision - a.scale + b.scale + scale, scale);
}

Type remainder_type(const Type& a, const Type& b) {
  const int scale = std::max(a.scale, b.scale);
  return limited(std::min(a.precision - a.scale, b.precision - b.scale) + scale, scale);
}

Type rounded_type(const Type& a, int64_t digits) {
  if (digits >= a.scale) return a;
  const int kept = static_cast<int>(std::max<int64_t>(digits, 0));
  return Type::decimal(static_cast<uint8_t>(std::min(kDigits, 1 + a.precision - a.scale + kept)),
                       static_cast<uint8_t>(kept));
}

Type total_type(const Type& a) { return Type::decimal(kMaxPrecision, a.scale); }

Type average_type(const Type& a) { return Type::decimal(kMaxPrecision, std::max<uint8_t>(6, a.scale)); }

Type common_decimal(const Type& a, const Type& b) {
  const int whole = std::max(a.precision - a.scale, b.precision - b.scale);
  const int scale = std::min<int>(std::max(a.scale, b.scale), kDigits - whole);
  return Type::decimal(static_cast<uint8_t>(std::max(whole + scale, 1)), static_cast<uint8_t>(scale));
}

Type as_decimal(const Type& exact) {
  if (exact == TypeKind::kInt) return Type::decimal(10, 0);
  return exact == TypeKind::kBigint ? Type::decimal(19, 0) : exact;
}

}  // namespace tidegate::columnar
