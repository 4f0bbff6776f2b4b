#include "codec/time_format.h"

#include <cmath>

#include "base/ids.h"
#include "codec/internal/number_text.h"
#include "codec/internal/scalar.h"
#include "codec/timestamp_text.h"

namespace tidegate::codec {

namespace {

// A unit as so many microseconds, or so many of it in a microsecond.
struct Unit {
  int64_t micros = 1;
  int64_t per_micro = 1;
};

Unit unit_of(TimeFormat::Kind kind) {
  switch (kind) {
    case TimeFormat::Kind::kSeconds: return {kMicrosPerSecond, 1};
    case TimeFormat::Kind::kMicros: return {1, 1};
    case TimeFormat::Kind::kNanos: return {1, 1000};
    default: return {kMicrosPerMilli, 1};
  }
}

std::optional<int64_t> cut(int64_t time_us) {
  if (time_us < kMinTimestampUs || time_us > kMaxTimestampUs) return std::nullopt;
  const int64_t rest = time_us % kMicrosPerMilli;
  return time_us - rest - (rest < 0 ? kMicrosPerMilli : 0);
}

std::optional<int64_t> from_integer(int64_t count, Unit unit) {
  int64_t time_us = 0;
  if (__builtin_mul_overflow(count, unit.micros, &time_us)) return std::nullopt;
  return cut(time_us / unit.per_micro - (time_us % unit.per_micro < 0 ? 1 : 0));
}

std::optional<int64_t> from_real(double count, Unit unit) {
  // Halves of a microsecond do not matter, but .123 s must not become .122999 s and be cut to .122.
  const double time_us = std::round(count * static_cast<double>(unit.micros) / static_cast<double>(unit.per_micro));
  if (!(std::abs(time_us) <= static_cast<double>(kMaxTimestampUs))) return std::nullopt;
  return cut(static_cast<int64_t>(time_us));
}

std::optional<int64_t> from_number_text(std::string_view text, Unit unit) {
  if (const auto whole = parse_integer(text)) return from_integer(*whole, unit);
  if (const auto real = parse_real(text)) return from_real(*real, unit);
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> TimeFormat::read(const Scalar& value, columnar::TypeKind type) const {
  const Unit unit = unit_of(kind_);
  switch (value.kind) {
    case Scalar::Kind::kInstant: return cut(value.integer);
    case Scalar::Kind::kInteger:
      if (kind_ == Kind::kIso) return std::nullopt;
      return from_integer(value.integer, unit);
    case Scalar::Kind::kReal:
      if (kind_ == Kind::kIso) return std::nullopt;
      return from_real(value.real, unit);
    case Scalar::Kind::kText:
    case Scalar::Kind::kWord: {
      const std::string_view text = trimmed(value.text);
      if (kind_ == Kind::kIso) return parse_timestamp(text, type);
      if (kind_ != Kind::kAuto) return from_number_text(text, unit);
      if (const auto time_us = parse_timestamp(text, type)) return time_us;
      if (value.kind == Scalar::Kind::kWord) return from_number_text(text, unit);
      return std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::string TimeFormat::expected() const {
  switch (kind_) {
    case Kind::kAuto: return "milliseconds since 1970 or 'YYYY-MM-DDTHH:MM:SS[.fff][Z|+hh:mm]', year 1 to 9999";
    case Kind::kSeconds: return "seconds since 1970, year 1 to 9999";
    case Kind::kMillis: return "milliseconds since 1970, year 1 to 9999";
    case Kind::kMicros: return "microseconds since 1970, year 1 to 9999";
    case Kind::kNanos: return "nanoseconds since 1970";
    case Kind::kIso: break;
  }
  return "'YYYY-MM-DDTHH:MM:SS[.fff][Z|+hh:mm]', year 1 to 9999";
}

}  // namespace tidegate::codec
