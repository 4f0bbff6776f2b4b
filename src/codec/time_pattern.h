// TimePattern: times as text by a pattern, with the letters of java.time.format.DateTimeFormatter that data has: what
// DATE_FORMAT writes and TO_TIMESTAMP reads, and what devices send ('timestamp.format').
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::codec {

// yyyy yy MM dd HH hh mm ss SSS; MMM and MMMM (Jan, January), E and EEEE (Mon, Monday), a (AM, PM), X and Z
// (distance from UTC); 'quoted text', '' a quote; everything else as it stands. A plain value.
class TimePattern {
 public:
  struct Parsed {
    int64_t wall_us = 0;
    std::optional<int64_t> offset_us;  // what the text says about the distance from UTC
  };

  TimePattern() = default;
  // Of any text: letters that are none stand for themselves.
  explicit TimePattern(std::string_view pattern);
  // The message of what is wrong with a pattern for payloads: each letter once, a year, a month and a day among them,
  // and all others in quotes.
  [[nodiscard]] static std::expected<TimePattern, std::string> checked(std::string_view pattern);
  [[nodiscard]] const std::string& text() const { return text_; }

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

  std::string text_;
  std::vector<Part> parts_;
};

}  // namespace tidegate::codec
