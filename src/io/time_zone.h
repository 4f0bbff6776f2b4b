// IANA time zones: what the clocks on the wall show at an instant, and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::io {

// One zone. Immutable and never freed, so a pointer to it may be kept; any thread.
class TimeZone {
 public:
  virtual ~TimeZone() = default;
  // As it was asked for: "Europe/Berlin", "+05:30".
  [[nodiscard]] virtual const std::string& name() const = 0;
  // What is to be added to the instant (microseconds since 1970-01-01T00:00:00Z) to get the time on the wall.
  [[nodiscard]] virtual int64_t offset_us(int64_t instant_us) const = 0;
  // The instant at which the clocks show this time. A time that the clocks skip counts on from before the change
  // (02:30 is 03:30); of a time that they show twice it is the first (as java.time.ZonedDateTime does).
  [[nodiscard]] virtual int64_t to_instant_us(int64_t wall_us) const = 0;

  // The time on the wall at an instant.
  [[nodiscard]] int64_t to_wall_us(int64_t instant_us) const { return instant_us + offset_us(instant_us); }
};

// By IANA name ("Europe/Berlin", "UTC") or distance ("Z", "+01:00", "-0330", "+2", "GMT+8", "UTC-08:00").
// Null if there is no such zone. The rules are the operating system's (Debian's tzdata).
[[nodiscard]] const TimeZone* find_time_zone(std::string_view name);

}  // namespace tidegate::io
