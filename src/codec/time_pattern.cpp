#include "codec/time_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/civil.h"
#include "base/letter_case.h"

namespace tidegate::codec {

namespace {

constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kLetters = "yMdHhmsSaEXZ";
constexpr int64_t kMinute = 60 * kMicrosPerSecond;
constexpr int64_t kHour = 60 * kMinute;

void append_padded(int64_t value, int width, std::string& out) {
  const std::string digits = std::to_string(value < 0 ? -value : value);
  if (value < 0) out += '-';
  if (static_cast<int>(digits.size()) < width) out.append(static_cast<size_t>(width) - digits.size(), '0');
  out += digits;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes a text apart from left to right, field by field.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  bool read(char letter, int width) {
    switch (letter) {
      case 'y': return year(width);
      case 'M':
        return width > 2 ? name(kMonths, width, month_, 1) : number(width, month_) && month_ >= 1 && month_ <= 12;
      case 'd': return number(width, day_) && day_ >= 1 && day_ <= 31;
      case 'H': return number(width, hour_) && hour_ <= 23;
      case 'h': return number(width, hour_) && hour_ >= 1 && hour_ <= 12;
      case 'm': return number(width, minute_) && minute_ <= 59;
      case 's': return number(width, second_) && second_ <= 59;
      case 'S': return fraction(width);
      case 'a': return half_of_day();
      case 'E': return name(kDays, width > 3 ? width : 3, ignored_, 0);
      default: return offset();
    }
  }
  bool take(std::string_view wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(wanted.size());
    return true;
  }

  std::optional<TimePattern::Parsed> done() const {
    if (!text_.empty() || day_ > days_in_month(year_, month_)) return std::nullopt;
    int64_t hour = hour_;
    if (afternoon_) hour = hour % 12 + (*afternoon_ ? 12 : 0);
    const int64_t days = days_from_civil({year_, month_, day_});
    return TimePattern::Parsed{
        days * kMicrosPerDay + hour * kHour + minute_ * kMinute + second_ * kMicrosPerSecond + fraction_us_,
        offset_us_};
  }

 private:
  bool number(int width, int& out) {
    const int least = width == 1 ? 1 : width;
    const int most = width == 1 ? 2 : width;
    int digits = 0;
    int value = 0;
    for (; digits < most && digits < static_cast<int>(text_.size()) && is_digit(text_[static_cast<size_t>(digits)]);
         ++digits) {
      value = value * 10 + (text_[static_cast<size_t>(digits)] - '0');
    }
    if (digits < least) return false;
    text_.remove_prefix(static_cast<size_t>(digits));
    out = value;
    return true;
  }
  bool year(int width) {
    int value = 0;
    if (!number(width == 1 ? 4 : width, value)) return false;
    year_ = width == 2 ? 2000 + value : value;
    return true;
  }
  bool fraction(int width) {
    int64_t unit = kMicrosPerSecond;
    fraction_us_ = 0;
    for (int digit = 0; digit < width; ++digit) {
      if (text_.empty() || !is_digit(text_[0])) return false;
      unit /= 10;  // zero once it is finer than a microsecond
      fraction_us_ += (text_[0] - '0') * unit;
      text_.remove_prefix(1);
    }
    return true;
  }
  bool take_ignoring_case(std::string_view wanted) {
    if (!equal_ignoring_case(text_.substr(0, wanted.size()), wanted)) return false;
    text_.remove_prefix(wanted.size());
    return true;
  }
  bool name(std::span<const std::string_view> names, int width, int& out, int first) {
    for (size_t at = 0; at < names.size(); ++at) {
      if (!take_ignoring_case(width > 3 ? names[at] : names[at].substr(0, 3))) continue;
      out = static_cast<int>(at) + first;
      return true;
    }
    return false;
  }
  bool half_of_day() {
    const bool morning = take_ignoring_case("AM");
    if (!morning && !take_ignoring_case("PM")) return false;
    afternoon_ = !morning;
    return true;
  }
  bool offset() {
    if (take("Z") || take("z")) {
      offset_us_ = 0;
      return true;
    }
    const bool west = text_.starts_with('-');
    if (!west && !text_.starts_with('+')) return false;
    text_.remove_prefix(1);
    int hours = 0;
    int minutes = 0;
    if (!number(2, hours) || hours > 18) return false;
    take(":");
    if (!text_.empty() && is_digit(text_[0]) && (!number(2, minutes) || minutes > 59)) return false;
    const int64_t distance = hours * kHour + minutes * kMinute;
    offset_us_ = west ? -distance : distance;
    return true;
  }

  std::string_view text_;
  int64_t year_ = 1970;
  int month_ = 1;
  int day_ = 1;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int ignored_ = 0;
  int64_t fraction_us_ = 0;
  std::optional<bool> afternoon_;
  std::optional<int64_t> offset_us_;
};

void append_name(std::span<const std::string_view> names, size_t at, int width, std::string& out) {
  out += width > 3 ? names[at] : names[at].substr(0, 3);
}

}  // namespace

TimePattern::TimePattern(std::string_view pattern) : text_(pattern) {
  const auto literal = [this](char c) {
    if (parts_.empty() || parts_.back().letter != 0) parts_.push_back({0, 0, {}});
    parts_.back().text.push_back(c);
  };
  for (size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    size_t run = 1;
    while (at + run < pattern.size() && pattern[at + run] == c) ++run;
    if (c == '\'') {
      // 'quoted'; two in a row are one quote.
      if (at + 1 < pattern.size() && pattern[at + 1] == '\'') {
        literal('\'');
        at += 2;
        continue;
      }
      const size_t end = std::min(pattern.find('\'', at + 1), pattern.size());
      for (const char quoted : pattern.substr(at + 1, end - at - 1)) literal(quoted);
      at = end + 1;
      continue;
    }
    if (kLetters.find(c) != std::string_view::npos) {
      parts_.push_back({c, static_cast<int>(std::min<size_t>(run, 9)), {}});
    } else {
      for (size_t copy = 0; copy < run; ++copy) literal(c);
    }
    at += run;
  }
}

namespace {

constexpr size_t kMaxPatternBytes = 64;  // of what a device sends

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// As often as a letter may stand in a row.
size_t longest_run(char letter) {
  switch (letter) {
    case 'y': return 4;
    case 'S': return 9;
    case 'X': return 3;
    case 'M':
    case 'E': return 4;
    default: return 2;
  }
}

}  // namespace

std::expected<TimePattern, std::string> TimePattern::checked(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) return std::unexpected("a pattern that long is none");
  std::string used;
  for (size_t at = 0; at < pattern.size();) {
    const char letter = pattern[at];
    if (letter == '\'') {
      const size_t end = pattern.find('\'', at + 1);
      if (end == std::string_view::npos) return std::unexpected("a quote is not closed");
      at = end + 1;
      continue;
    }
    const size_t count = std::min(pattern.find_first_not_of(letter, at), pattern.size()) - at;
    at += count;
    if (!is_letter(letter)) continue;
    const bool known = kLetters.find(letter) != std::string_view::npos && count <= longest_run(letter);
    if (!known || (letter == 'y' && count % 2 != 0) || used.find(letter) != std::string::npos) {
      return std::unexpected(
          fmt::format("'{}' is not known or stands there twice; letters are yyyy MM dd HH hh mm ss "
                      "S a E X Z, others go in quotes",
                      std::string(count, letter)));
    }
    used += letter;
  }
  for (const char needed : {'y', 'M', 'd'}) {
    if (used.find(needed) == std::string::npos) return std::unexpected(fmt::format("there is no '{}' in it", needed));
  }
  if ((used.find('h') != std::string::npos) != (used.find('a') != std::string::npos)) {
    return std::unexpected("h (1 to 12) and a (AM, PM) go together; H is the hour of the day");
  }
  return TimePattern(pattern);
}

void TimePattern::append(int64_t time_us, std::string& out) const {
  const int64_t day = floor_divide(time_us, kMicrosPerDay);
  const CivilDate date = civil_from_days(day);
  const int64_t of_day = floor_modulo(time_us, kMicrosPerDay);
  const int64_t hour = of_day / kHour;
  for (const Part& part : parts_) {
    switch (part.letter) {
      case 'y':
        part.width == 2 ? append_padded(floor_modulo(date.year, 100), 2, out)
                        : append_padded(date.year, part.width, out);
        break;
      case 'M':
        part.width > 2 ? append_name(kMonths, static_cast<size_t>(date.month - 1), part.width, out)
                       : append_padded(date.month, part.width, out);
        break;
      case 'd': append_padded(date.day, part.width, out); break;
      case 'H': append_padded(hour, part.width, out); break;
      case 'h': append_padded((hour + 11) % 12 + 1, part.width, out); break;
      case 'm': append_padded(of_day / kMinute % 60, part.width, out); break;
      case 's': append_padded(of_day / kMicrosPerSecond % 60, part.width, out); break;
      case 'a': out += hour < 12 ? "AM" : "PM"; break;
      case 'E': append_name(kDays, static_cast<size_t>(weekday_from_days(day)), part.width, out); break;
      case 'X': out += 'Z'; break;
      case 'Z': out += "+0000"; break;
      case 'S': {
        // A fraction: the first digits of the nanoseconds.
        std::string nanos;
        append_padded(of_day % kMicrosPerSecond * 1000, 9, nanos);
        out.append(nanos, 0, static_cast<size_t>(part.width));
        break;
      }
      default: out.append(part.text);
    }
  }
}

std::optional<TimePattern::Parsed> TimePattern::parse(std::string_view text) const {
  FieldReader reader(text);
  for (const Part& part : parts_) {
    if (part.letter == 0 ? !reader.take(part.text) : !reader.read(part.letter, part.width)) return std::nullopt;
  }
  return reader.done();
}

}  // namespace tidegate::codec
