// TimeFormat: how a device writes its times.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "columnar/types.h"
#include "io/time_zone.h"

namespace tidegate::codec {

struct Scalar;
struct WrittenTime;
class TimePattern;

// A plain value; any thread.
class TimeFormat {
 public:
  enum class Kind : uint8_t {
    kAuto,  // a number of milliseconds since 1970, or ISO 8601 text (timestamp_text.h)
    kSeconds,
    kMillis,
    kMicros,
    kNanos,
    kIso,
    kPattern,
  };

  TimeFormat() = default;
  explicit TimeFormat(Kind kind) : kind_(kind) {}
  // "epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "iso", or a pattern such as 'dd.MM.yyyy HH:mm:ss' (TimePattern). The
  // message of what is wrong otherwise.
  [[nodiscard]] static std::expected<TimeFormat, std::string> parse(std::string_view text);

  // The zone of texts that name none; without it, UTC. For a TIMESTAMP column, which has no zone, also the zone of the
  // clock whose time is kept.
  void set_zone(const io::TimeZone* zone) { zone_ = zone; }
  // Read as every JSON timestamp is.
  [[nodiscard]] bool is_default() const { return kind_ == Kind::kAuto && zone_ == nullptr; }

  // The time as microseconds since 1970-01-01T00:00:00, cut to milliseconds (what TIMESTAMP(3) holds); nothing when the
  // value is not of this format, or outside the years 1 to 9999. Numbers may have a fraction, and may be text.
  [[nodiscard]] std::optional<int64_t> read(const Scalar& value, columnar::TypeKind type) const;
  // For messages: "milliseconds since 1970".
  [[nodiscard]] std::string expected() const;

 private:
  [[nodiscard]] std::optional<int64_t> from_text(std::string_view text, columnar::TypeKind type, bool numbers) const;
  [[nodiscard]] std::optional<int64_t> from_written(const WrittenTime& written, columnar::TypeKind type) const;
  [[nodiscard]] std::optional<int64_t> from_instant(std::optional<int64_t> instant_us, columnar::TypeKind type) const;

  Kind kind_ = Kind::kAuto;
  const io::TimeZone* zone_ = nullptr;
  std::shared_ptr<const TimePattern> pattern_;  // shared by the copies of this value
};

}  // namespace tidegate::codec
