#include "sim/internal/time_format.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/ids.h"
#include "codec/timestamp_text.h"

namespace tidegate::sim {
namespace {

constexpr std::string_view kKnownLetters = "YmdHMSyf%";

// One to `most` digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, size_t most) {
  int value = 0;
  size_t count = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count++] - '0');
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

std::optional<int64_t> take_fraction(std::string_view& text) {
  int64_t micros = 0;
  int64_t weight = 100'000;
  size_t count = 0;
  for (; count < text.size() && text[count] >= '0' && text[count] <= '9'; ++count, weight /= 10) {
    micros += weight * (text[count] - '0');
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return micros;
}

bool take_field(char letter, std::string_view& text, codec::CivilTime& fields) {
  if (letter == 'f') {
    const auto micros = take_fraction(text);
    if (micros) fields.micros = *micros;
    return micros.has_value();
  }
  const auto value = take_number(text, letter == 'Y' ? 4 : 2);
  if (!value) return false;
  switch (letter) {
    case 'Y': fields.year = *value; break;
    case 'y': fields.year = *value + (*value < 69 ? 2000 : 1900); break;  // as POSIX strptime
    case 'm': fields.month = *value; break;
    case 'd': fields.day = *value; break;
    case 'H': fields.hour = *value; break;
    case 'M': fields.minute = *value; break;
    case 'S': fields.second = *value; break;
    default: return false;
  }
  return true;
}

std::optional<int64_t> parse_epoch(std::string_view text, double micros_per_unit) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr double kLimit = 9e15;  // doubles count microseconds exactly up to here, the year 2255
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  if (!(std::abs(value * micros_per_unit) < kLimit)) return std::nullopt;
  return std::llround(value * micros_per_unit);
}

}  // namespace

std::optional<int64_t> parse_time(std::string_view text, std::string_view format) {
  if (format == "iso") return codec::parse_timestamp(text, columnar::TypeKind::kTimestampLtz);
  if (format == "epoch_s") return parse_epoch(text, 1e6);
  if (format == "epoch_ms") return parse_epoch(text, 1e3);
  codec::CivilTime fields;
  for (size_t at = 0; at < format.size(); ++at) {
    const bool is_field = format[at] == '%' && at + 1 < format.size();
    if (is_field) ++at;
    if (is_field && format[at] != '%') {
      if (!take_field(format[at], text, fields)) return std::nullopt;
    } else {
      if (text.empty() || text.front() != format[at]) return std::nullopt;
      text.remove_prefix(1);
    }
  }
  return text.empty() ? codec::to_micros(fields) : std::nullopt;
}

Result<> check_time_format(std::string_view format) {
  if (format == "iso" || format == "epoch_s" || format == "epoch_ms") return {};
  bool any = false;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') continue;
    ++at;
    any = true;
    if (at < format.size() && kKnownLetters.find(format[at]) != std::string_view::npos) continue;
    return fail(ErrorCode::ConfigInvalid, fmt::format("the time format '{}' has an unknown letter after %", format),
                "known are %Y %m %d %H %M %S %y %f");
  }
  if (any) return {};
  return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' is not a time format", format),
              "use iso, epoch_s, epoch_ms or letters such as %d/%m/%Y %H:%M:%S");
}

}  // namespace tidegate::sim
