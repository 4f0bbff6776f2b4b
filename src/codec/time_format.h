// TimeFormat: how a device writes its times.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "columnar/types.h"

namespace tidegate::codec {

struct Scalar;

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
  };

  TimeFormat() = default;
  explicit TimeFormat(Kind kind) : kind_(kind) {}

  // The time as microseconds since 1970-01-01T00:00:00, cut to milliseconds (what TIMESTAMP(3) holds); nothing when the
  // value is not of this format, or outside the years 1 to 9999. Numbers may have a fraction, and may be text.
  [[nodiscard]] std::optional<int64_t> read(const Scalar& value, columnar::TypeKind type) const;
  // For messages: "milliseconds since 1970".
  [[nodiscard]] std::string expected() const;

 private:
  Kind kind_ = Kind::kAuto;
};

}  // namespace tidegate::codec
