#include "compute/internal/text_conversion.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/civil.h"

namespace tidegate::compute {

namespace {

// At least `width` digits, zeros in front.
void append_padded(int64_t value, int width, std::string& out) {
  if (value < 0) out.push_back('-');
  const std::string digits = std::to_string(value < 0 ? -value : value);
  for (int at = static_cast<int>(digits.size()); at < width; ++at) out.push_back('0');
  out.append(digits);
}

void append_clock(int64_t micros_of_day, std::string& out) {
  append_padded(micros_of_day / (3600 * kMicrosPerSecond), 2, out);
  out.push_back(':');
  append_padded(micros_of_day / (60 * kMicrosPerSecond) % 60, 2, out);
  out.push_back(':');
  append_padded(micros_of_day / kMicrosPerSecond % 60, 2, out);
  out.push_back('.');
  append_padded(micros_of_day / kMicrosPerMilli % 1000, 3, out);
}

// The digits of a shortest decimal with the point after the first, and its decimal exponent.
void append_java_layout(std::string_view digits, int exponent, std::string& out) {
  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0) {
      out.append("0.").append(static_cast<size_t>(-exponent - 1), '0').append(digits);
      return;
    }
    const auto whole = static_cast<size_t>(exponent) + 1;
    if (digits.size() <= whole) {
      out.append(digits).append(whole - digits.size(), '0').append(".0");
    } else {
      out.append(digits.substr(0, whole)).append(".").append(digits.substr(whole));
    }
    return;
  }
  out.append(digits.substr(0, 1)).append(".").append(digits.size() > 1 ? digits.substr(1) : "0");
  out.append("E").append(std::to_string(exponent));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at] >= 'A' && text[at] <= 'Z' ? static_cast<char>(text[at] | 0x20) : text[at];
    if (c != lower[at]) return false;
  }
  return true;
}

// Double.toString, Float.toString.
template <class Real>
void append_real(Real value, std::string& out) {
  if (std::isnan(value)) {
    out.append("NaN");
    return;
  }
  if (std::signbit(value)) out.push_back('-');
  if (std::isinf(value)) {
    out.append("Infinity");
    return;
  }
  if (value == 0) {
    out.append("0.0");
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific).ptr;
  std::string digits;
  const char* at = text;
  for (; *at != 'e'; ++at) {
    if (*at != '.') digits.push_back(*at);
  }
  int exponent = 0;
  std::from_chars(at + (at[1] == '+' ? 2 : 1), end, exponent);
  append_java_layout(digits, exponent, out);
}

// What from_chars() takes: without blanks around it and without a plus. Nothing for "+-1".
std::optional<std::string_view> number_text(std::string_view text) {
  text = without_blanks(text);
  if (!text.starts_with('+')) return text;
  text.remove_prefix(1);
  return text.starts_with('-') ? std::nullopt : std::optional(text);
}

template <class Real>
std::optional<Real> parse_real(std::string_view given) {
  const std::string_view text = number_text(given).value_or("");
  Real value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void append_double(double value, std::string& out) { append_real(value, out); }
void append_float(float value, std::string& out) { append_real(value, out); }

void append_timestamp(int64_t time_us, std::string& out) {
  const CivilDate date = civil_from_days(floor_divide(time_us, kMicrosPerDay));
  append_padded(date.year, 4, out);
  out.push_back('-');
  append_padded(date.month, 2, out);
  out.push_back('-');
  append_padded(date.day, 2, out);
  out.push_back(' ');
  append_clock(floor_modulo(time_us, kMicrosPerDay), out);
}

void append_interval(int64_t interval_us, std::string& out) {
  out.push_back(interval_us < 0 ? '-' : '+');
  const uint64_t magnitude =
      interval_us < 0 ? ~static_cast<uint64_t>(interval_us) + 1 : static_cast<uint64_t>(interval_us);
  out.append(std::to_string(magnitude / kMicrosPerDay));
  out.push_back(' ');
  append_clock(static_cast<int64_t>(magnitude % kMicrosPerDay), out);
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<int64_t> parse_integer(std::string_view given) {
  const std::string_view text = number_text(given).value_or("");
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  const char* at = end;
  const char* const last = text.data() + text.size();
  if (at != last && *at == '.') {
    for (++at; at != last && is_digit(*at);) ++at;
  }
  if (at != last) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) { return parse_real<double>(text); }
std::optional<float> parse_float(std::string_view text) { return parse_real<float>(text); }

std::optional<bool> parse_boolean(std::string_view text) {
  text = without_blanks(text);
  for (const std::string_view yes : {"true", "t", "yes", "y", "1"}) {
    if (equals_ignoring_case(text, yes)) return true;
  }
  for (const std::string_view no : {"false", "f", "no", "n", "0"}) {
    if (equals_ignoring_case(text, no)) return false;
  }
  return std::nullopt;
}

namespace {

// Reads a timestamp from left to right; after the first mismatch everything fails.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Between `least` and `most` digits.
  std::optional<int> number(int least, int most) {
    int value = 0;
    int digits = 0;
    for (; digits < most && !done() && is_digit(text_[at_]); ++digits) value = value * 10 + (text_[at_++] - '0');
    if (digits < least) return std::nullopt;
    return value;
  }
  // Digits after the point, as microseconds; what is finer is cut off.
  std::optional<int64_t> fraction() {
    int64_t value = 0;
    int digits = 0;
    for (; !done() && is_digit(text_[at_]); ++digits, ++at_) {
      if (digits < 6) value = value * 10 + (text_[at_] - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

std::optional<int64_t> read_date(TimeReader& reader) {
  const auto year = reader.number(4, 4);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.number(1, 2);
  if (!month || !reader.take('-') || *month < 1 || *month > 12) return std::nullopt;
  const auto day = reader.number(1, 2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
  return days_from_civil({*year, *month, *day}) * kMicrosPerDay;
}

std::optional<int64_t> read_clock(TimeReader& reader) {
  const auto hour = reader.number(1, 2);
  if (!hour || *hour > 23 || !reader.take(':')) return std::nullopt;
  const auto minute = reader.number(1, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t micros = (*hour * 60 + *minute) * 60 * kMicrosPerSecond;
  if (!reader.take(':')) return micros;
  const auto second = reader.number(1, 2);
  if (!second || *second > 59) return std::nullopt;
  micros += *second * kMicrosPerSecond;
  if (!reader.take('.')) return micros;
  const auto fraction = reader.fraction();
  if (!fraction) return std::nullopt;
  return micros + *fraction;
}

// What has to be subtracted to get to UTC.
std::optional<int64_t> read_zone(TimeReader& reader) {
  if (reader.take('Z')) return 0;
  const bool west = reader.take('-');
  if (!west && !reader.take('+')) return std::nullopt;
  const auto hours = reader.number(2, 2);
  if (!hours || *hours > 18) return std::nullopt;
  reader.take(':');
  const auto minutes = reader.number(2, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const int64_t offset = (*hours * 60 + *minutes) * 60 * kMicrosPerSecond;
  return west ? -offset : offset;
}

}  // namespace

std::optional<int64_t> parse_timestamp(std::string_view text, bool zone) {
  TimeReader reader(without_blanks(text));
  auto time_us = read_date(reader);
  if (!time_us || reader.done()) return time_us;
  if (!reader.take(' ') && !reader.take('T')) return std::nullopt;
  const auto clock = read_clock(reader);
  if (!clock) return std::nullopt;
  *time_us += *clock;
  if (zone && !reader.done()) {
    const auto offset = read_zone(reader);
    if (!offset) return std::nullopt;
    *time_us -= *offset;
  }
  if (!reader.done()) return std::nullopt;
  return time_us;
}

}  // namespace tidegate::compute
