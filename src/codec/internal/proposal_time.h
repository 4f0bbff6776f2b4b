// Which field of sample messages is the event time, and how it is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/internal/sample_fields.h"
#include "codec/time_format.h"

namespace tidegate::codec {

struct SeenTime {
  std::string format;  // of the option 'timestamp.format'; empty: the default reads it
  TimeFormat reader;
  std::string why;
  bool sure = true;
};

// How the field writes times, if all its values are times: text in a known form, or numbers of a plausible size whose
// field's name says time.
[[nodiscard]] std::optional<SeenTime> seen_time(const SeenField& field);
// How much the name speaks for the event time: 0 nothing, more is more.
[[nodiscard]] int time_name_weight(std::string_view name);
// How far a record's time lay behind the greatest before it, in microseconds.
[[nodiscard]] int64_t seen_lateness_us(const SeenField& field, const TimeFormat& reader);

// "tempC", "Temp C" and "temp-c" as temp_c: small letters, digits and '_', at most 60 of them.
[[nodiscard]] std::string column_name(std::string_view name);

}  // namespace tidegate::codec
