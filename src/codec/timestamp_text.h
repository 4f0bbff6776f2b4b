// Timestamps as text: the profile of ISO 8601 that RFC 3339 section 5.6 gives, and SQL's form with a space.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "columnar/types.h"

namespace tidegate::codec {

// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: what four digits of a year can write.
inline constexpr int64_t kMinTimestampUs = -62'135'596'800'000'000;
inline constexpr int64_t kMaxTimestampUs = 253'402'300'799'999'000;

// 'YYYY-MM-DDTHH:MM:SS[.fraction][Z|+hh:mm|+hhmm|+hh]', 'T' or one space between date and time; fractions are cut to
// milliseconds. TIMESTAMP takes the wall time and drops the zone; TIMESTAMP_LTZ without a zone is read as UTC.
// Microseconds since 1970-01-01T00:00:00; nothing when the text is not of this form or outside the years 1 to 9999.
[[nodiscard]] std::optional<int64_t> parse_timestamp(std::string_view text, columnar::TypeKind type);

// A time as it is written: what the clock on the wall showed, and how far that clock is east of UTC, if it says so.
struct WrittenTime {
  int64_t wall_us = 0;  // microseconds since 1970-01-01T00:00:00
  std::optional<int64_t> zone_s;
};
// The same text, zone and all. Fractions are cut to milliseconds.
[[nodiscard]] std::optional<WrittenTime> parse_written_time(std::string_view text);

// A date and a time of day in the proleptic Gregorian calendar.
struct CivilTime {
  int64_t year = 1970;
  int64_t month = 1;
  int64_t day = 1;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t micros = 0;
};
// Nothing when there is no such day or time, or its year is not 1 to 9999.
[[nodiscard]] std::optional<int64_t> to_micros(const CivilTime& time);
// Takes Z, +hh, +hhmm or +hh:mm off the front: seconds east of UTC.
[[nodiscard]] std::optional<int64_t> take_zone(std::string_view& text);

// 'YYYY-MM-DDTHH:MM:SS.mmm', and 'Z' behind it for TIMESTAMP_LTZ. Times outside the years 1 to 9999 are cut to them.
void append_timestamp(int64_t time_us, columnar::TypeKind type, std::string& out);

}  // namespace tidegate::codec
