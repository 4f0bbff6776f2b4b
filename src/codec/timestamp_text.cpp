#include "codec/timestamp_text.h"

#include <algorithm>
#include <array>

#include "base/civil.h"
#include "base/ids.h"

namespace tidegate::codec {

namespace {

constexpr int64_t kSecondsPerDay = 86'400;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Exactly `count` digits; sets failed() otherwise.
  int64_t digits(size_t count) {
    int64_t value = 0;
    for (size_t at = 0; at < count; ++at) {
      if (at_ == text_.size() || text_[at_] < '0' || text_[at_] > '9') {
        failed_ = true;
        return 0;
      }
      value = value * 10 + (text_[at_++] - '0');
    }
    return value;
  }
  bool accept(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) { failed_ = failed_ || !accept(wanted); }
  // Digits of a fraction of a second, at least one, as whole milliseconds.
  int64_t fraction_ms() {
    int64_t value = 0;
    size_t count = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++count) {
      if (count < 3) value = value * 10 + (text_[at_] - '0');
    }
    failed_ = failed_ || count == 0;
    for (; count < 3; ++count) value *= 10;
    return value;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool failed_ = false;
};

void append_digits(int64_t value, int count, std::string& out) {
  std::array<char, 8> digits{};
  for (int at = count - 1; at >= 0; --at, value /= 10)
    digits[static_cast<size_t>(at)] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<size_t>(count));
}

}  // namespace

std::optional<int64_t> take_zone(std::string_view& text) {
  if (text.starts_with('Z') || text.starts_with('z')) {
    text.remove_prefix(1);
    return 0;
  }
  const bool west = text.starts_with('-');
  if (!west && !text.starts_with('+')) return std::nullopt;
  Reader reader(text.substr(1));
  const int64_t hours = reader.digits(2);
  int64_t minutes = 0;
  if (!reader.at_end()) {
    reader.accept(':');
    minutes = reader.digits(2);
  }
  if (reader.failed() || hours > 23 || minutes > 59) return std::nullopt;
  text = reader.rest();
  const int64_t seconds = hours * 3600 + minutes * 60;
  return west ? -seconds : seconds;
}

std::optional<int64_t> to_micros(const CivilTime& time) {
  if (time.year < 1 || time.year > 9999 || time.month < 1 || time.month > 12) return std::nullopt;
  const auto month = static_cast<int>(time.month);
  if (time.day < 1 || time.day > days_in_month(time.year, month)) return std::nullopt;
  if (time.hour > 23 || time.minute > 59 || time.second > 59) return std::nullopt;
  const int64_t days = days_from_civil({time.year, month, static_cast<int>(time.day)});
  return (days * kSecondsPerDay + time.hour * 3600 + time.minute * 60 + time.second) * kMicrosPerSecond + time.micros;
}

std::optional<WrittenTime> parse_written_time(std::string_view text) {
  Reader reader(text);
  CivilTime time;
  time.year = reader.digits(4);
  reader.expect('-');
  time.month = reader.digits(2);
  reader.expect('-');
  time.day = reader.digits(2);
  if (!reader.accept('T') && !reader.accept('t')) reader.expect(' ');
  time.hour = reader.digits(2);
  reader.expect(':');
  time.minute = reader.digits(2);
  reader.expect(':');
  time.second = reader.digits(2);
  time.micros = (reader.accept('.') ? reader.fraction_ms() : 0) * kMicrosPerMilli;
  if (reader.failed()) return std::nullopt;
  WrittenTime written;
  if (!reader.at_end()) {
    std::string_view rest = reader.rest();
    written.zone_s = take_zone(rest);
    if (!written.zone_s || !rest.empty()) return std::nullopt;
  }
  const auto wall_us = to_micros(time);
  if (!wall_us) return std::nullopt;
  written.wall_us = *wall_us;
  return written;
}

std::optional<int64_t> parse_timestamp(std::string_view text, columnar::TypeKind type) {
  const auto written = parse_written_time(text);
  if (!written) return std::nullopt;
  int64_t time_us = written->wall_us;
  if (type == columnar::TypeKind::kTimestampLtz) time_us -= written->zone_s.value_or(0) * kMicrosPerSecond;
  if (time_us < kMinTimestampUs || time_us > kMaxTimestampUs) return std::nullopt;
  return time_us;
}

void append_timestamp(int64_t time_us, columnar::TypeKind type, std::string& out) {
  time_us = std::clamp(time_us, kMinTimestampUs, kMaxTimestampUs);
  int64_t seconds = time_us / kMicrosPerSecond;
  int64_t micros = time_us % kMicrosPerSecond;
  if (micros < 0) {
    micros += kMicrosPerSecond;
    --seconds;
  }
  int64_t days = seconds / kSecondsPerDay;
  int64_t second_of_day = seconds % kSecondsPerDay;
  if (second_of_day < 0) {
    second_of_day += kSecondsPerDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  append_digits(date.year, 4, out);
  out.push_back('-');
  append_digits(date.month, 2, out);
  out.push_back('-');
  append_digits(date.day, 2, out);
  out.push_back('T');
  append_digits(second_of_day / 3600, 2, out);
  out.push_back(':');
  append_digits(second_of_day / 60 % 60, 2, out);
  out.push_back(':');
  append_digits(second_of_day % 60, 2, out);
  out.push_back('.');
  append_digits(micros / kMicrosPerMilli, 3, out);
  if (type == columnar::TypeKind::kTimestampLtz) out.push_back('Z');
}

}  // namespace tidegate::codec
