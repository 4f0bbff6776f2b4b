// Patterns of times, as DATE_FORMAT writes and TO_TIMESTAMP reads them (after java.time.format.DateTimeFormatter).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::compute {

// yyyy yy MM dd HH hh mm ss SSS; MMM and MMMM (Jan, January), E and EEEE (Mon, Monday), a (AM, PM), X and Z
// (distance from UTC); 'quoted text'; everything else as it stands.
class TimeFormat {
 public:
  struct Parsed {
    int64_t wall_us = 0;
    std::optional<int64_t> offset_us;  // what the text says about the distance from UTC
  };

  TimeFormat() = default;
  explicit TimeFormat(std::string_view pattern);
  // In UTC.
  void append(int64_t time_us, std::string& out) const;
  // A field that stands once may have one or two digits, others exactly as many as letters. Fields that are not there
  // are those of 1970-01-01 00:00. Nothing if the text does not fit.
  [[nodiscard]] std::optional<Parsed> parse(std::string_view text) const;

 private:
  struct Part {
    char letter;  // 0: `text`
    int width;
    std::string text;
  };
  std::vector<Part> parts_;
};

}  // namespace tidegate::compute
