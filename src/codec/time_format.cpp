#include "codec/time_format.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/ids.h"
#include "codec/internal/number_text.h"
#include "codec/internal/scalar.h"
#include "codec/time_pattern.h"
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

std::expected<TimeFormat, std::string> TimeFormat::parse(std::string_view text) {
  struct Named {
    std::string_view name;
    Kind kind;
  };
  constexpr std::array kNames = {Named{"epoch-s", Kind::kSeconds}, Named{"epoch-ms", Kind::kMillis},
                                 Named{"epoch-us", Kind::kMicros}, Named{"epoch-ns", Kind::kNanos},
                                 Named{"iso", Kind::kIso}};
  for (const Named& known : kNames) {
    if (known.name == text) return TimeFormat(known.kind);
  }
  auto pattern = TimePattern::checked(text);
  if (!pattern) {
    return std::unexpected(
        fmt::format("'epoch-s', 'epoch-ms', 'epoch-us', 'epoch-ns', 'iso' or a pattern such as 'dd.MM.yyyy HH:mm:ss'; "
                    "as a pattern: {}",
                    pattern.error()));
  }
  TimeFormat format(Kind::kPattern);
  format.pattern_ = std::make_shared<const TimePattern>(std::move(*pattern));
  return format;
}

std::optional<int64_t> TimeFormat::from_instant(std::optional<int64_t> instant_us, columnar::TypeKind type) const {
  if (!instant_us || zone_ == nullptr || type != columnar::TypeKind::kTimestamp) return instant_us;
  return cut(zone_->to_wall_us(*instant_us));
}

std::optional<int64_t> TimeFormat::from_written(const WrittenTime& written, columnar::TypeKind type) const {
  if (type == columnar::TypeKind::kTimestamp) return cut(written.wall_us);
  if (written.zone_s) return cut(written.wall_us - *written.zone_s * kMicrosPerSecond);
  return cut(zone_ != nullptr ? zone_->to_instant_us(written.wall_us) : written.wall_us);
}

std::optional<int64_t> TimeFormat::from_text(std::string_view text, columnar::TypeKind type, bool numbers) const {
  if (kind_ == Kind::kPattern) {
    const auto parsed = pattern_->parse(text);
    if (!parsed) return std::nullopt;
    WrittenTime written{parsed->wall_us, std::nullopt};
    if (parsed->offset_us) written.zone_s = *parsed->offset_us / kMicrosPerSecond;
    return from_written(written, type);
  }
  if (kind_ == Kind::kAuto || kind_ == Kind::kIso) {
    if (const auto written = parse_written_time(text)) return from_written(*written, type);
  }
  if (kind_ == Kind::kIso || !numbers) return std::nullopt;
  return from_instant(from_number_text(text, unit_of(kind_)), type);
}

std::optional<int64_t> TimeFormat::read(const Scalar& value, columnar::TypeKind type) const {
  const bool numbers = kind_ != Kind::kIso && kind_ != Kind::kPattern;
  switch (value.kind) {
    case Scalar::Kind::kInstant: return from_instant(cut(value.integer), type);
    case Scalar::Kind::kInteger:
      return numbers ? from_instant(from_integer(value.integer, unit_of(kind_)), type) : std::nullopt;
    case Scalar::Kind::kReal: return numbers ? from_instant(from_real(value.real, unit_of(kind_)), type) : std::nullopt;
    // Of text nothing is guessed: "1700000000000" is a time only where a unit is agreed on, or all there is is text.
    case Scalar::Kind::kText: return from_text(trimmed(value.text), type, kind_ != Kind::kAuto);
    case Scalar::Kind::kWord: return from_text(trimmed(value.text), type, true);
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
    case Kind::kPattern: return fmt::format("text as '{}' has it", pattern_->text());
    case Kind::kIso: break;
  }
  return "'YYYY-MM-DDTHH:MM:SS[.fff][Z|+hh:mm]', year 1 to 9999";
}

}  // namespace tidegate::codec
