#include "compute/internal/decimal_round.h"

#include <charconv>
#include <cmath>
#include <string>

namespace tidegate::compute {

namespace {

__extension__ using Wide = __int128;

constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
// Powers of ten up to this are exact doubles.
constexpr int64_t kMaxExactPower = 22;
// A double has no more decimal places than this, nor more digits before the point.
constexpr int64_t kMaxPlaces = 350;

// Rounds the shortest decimal digits of |value| as text, or cuts them.
template <class Real>
Real round_text(Real value, int64_t digits, bool cut) {
  char text[32];
  // d.ddde+xx: 17 digits at most.
  const auto written = std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific);
  const std::string_view all(text, static_cast<size_t>(written.ptr - text));
  const size_t exponent_at = all.find('e');
  std::string mantissa(all.substr(0, exponent_at));
  std::erase(mantissa, '.');
  int exponent = 0;
  const size_t sign_skip = all[exponent_at + 1] == '+' ? 2 : 1;
  std::from_chars(all.data() + exponent_at + sign_skip, all.data() + all.size(), exponent);

  const int64_t kept = int64_t{exponent} + 1 + digits;  // of the mantissa's digits
  if (kept >= static_cast<int64_t>(mantissa.size())) return value;
  if (kept < 0) return 0;
  const bool up = !cut && mantissa[static_cast<size_t>(kept)] >= '5';
  std::string rounded = "0" + mantissa.substr(0, static_cast<size_t>(kept));
  for (size_t at = rounded.size(); up && at-- > 0;) {
    if (rounded[at] != '9') {
      ++rounded[at];
      break;
    }
    rounded[at] = '0';
  }
  rounded += "e" + std::to_string(-digits);
  Real result = 0;
  std::from_chars(rounded.data(), rounded.data() + rounded.size(), result);
  return result == 0 ? Real{0} : std::copysign(result, value);
}

}  // namespace

double decimal_round(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > kMaxPlaces) return value;
  if (digits < -kMaxPlaces) return 0.0;
  if (digits >= 0 && digits <= kMaxExactPower) {
    // Far from a tie and with few digits, scaling is exact enough: the quotient of two exact doubles is the double
    // nearest to the decimal.
    const double scaled = value * kPowers[digits];
    const double nearest = std::round(scaled);
    const double from_tie = std::fabs(std::fabs(scaled - std::trunc(scaled)) - 0.5);
    if (std::fabs(scaled) < 1e9 && from_tie > 1e-6) return nearest / kPowers[digits] + 0.0;  // no -0
  }
  return round_text(value, digits, false);
}

float decimal_round(float value, int64_t digits) {
  if (!std::isfinite(value) || digits > kMaxPlaces) return value;
  return digits < -kMaxPlaces ? 0.0F : round_text(value, digits, false);
}

std::optional<int64_t> decimal_round(int64_t value, int64_t digits) {
  if (digits >= 0) return value;
  if (digits < -19) return 0;
  Wide unit = 1;
  for (int64_t at = digits; at < 0; ++at) unit *= 10;
  const Wide wide = value;
  const Wide half = unit / 2;
  const Wide rounded = (wide + (wide < 0 ? -half : half)) / unit * unit;
  const auto narrow = static_cast<int64_t>(rounded);
  if (narrow != rounded) return std::nullopt;
  return narrow;
}

double decimal_truncate(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > kMaxPlaces) return value;
  if (digits < -kMaxPlaces) return 0.0;
  if (digits == 0) return std::trunc(value) + 0.0;  // no -0
  return round_text(value, digits, true);
}

float decimal_truncate(float value, int64_t digits) {
  if (!std::isfinite(value) || digits > kMaxPlaces) return value;
  return digits < -kMaxPlaces ? 0.0F : round_text(value, digits, true);
}

int64_t decimal_truncate(int64_t value, int64_t digits) {
  if (digits >= 0) return value;
  if (digits < -18) return 0;
  int64_t unit = 1;
  for (int64_t at = digits; at < 0; ++at) unit *= 10;
  return value / unit * unit;
}

}  // namespace tidegate::compute
