// TimePattern: times written as a pattern says, with the letters of Java's DateTimeFormatter that devices need.
//
//   yyyy MM dd HH mm ss   so many digits     M d H h m s   one or two digits     yy   2000 to 2099
//   MMM  Jan .. Dec       hh h with a   1 to 12 and AM or PM      S.. a fraction of the second, that many digits
//   X (up to three)  Z, +01, +0100 or +01:00      'T'  as it is, '' a quote      anything but letters: as it is
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/timestamp_text.h"

namespace tidegate::codec {

class TimePattern {
 public:
  // The message of what is wrong otherwise. A year, a month and a day must be in it.
  [[nodiscard]] static std::expected<TimePattern, std::string> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  // Nothing when the text is not of this pattern, or is no time.
  [[nodiscard]] std::optional<WrittenTime> read(std::string_view text) const;

 private:
  struct Step {
    char letter = 0;      // 0: `literal` stands there
    size_t count = 0;     // how often the letter is repeated
    std::string literal;  // not a letter of the pattern
  };
  struct Parts;

  static bool read_step(const Step& step, std::string_view& rest, Parts& parts);

  std::string text_;
  std::vector<Step> steps_;
};

}  // namespace tidegate::codec
