#include "codec/internal/proposal_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/letter_case.h"

namespace tidegate::codec {

namespace {

constexpr auto kLtz = columnar::TypeKind::kTimestampLtz;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool reads_all(const SeenField& field, const TimeFormat& reader) {
  return std::ranges::all_of(field.kept,
                             [&](const SeenField::Kept& kept) { return reader.read(kept.value, kLtz).has_value(); });
}

std::optional<SeenTime> text_time(const SeenField& field) {
  if (reads_all(field, TimeFormat())) return SeenTime{"", TimeFormat(), "ISO 8601 times", true};
  // Day before month: it is how most of the world writes. Where no day is above 12, nobody can tell.
  static constexpr std::array kPatterns = {
      "dd.MM.yyyy HH:mm:ss", "dd.MM.yyyy HH:mm",    "d.M.yyyy H:mm:ss",    "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy HH:mm",
      "d/M/yyyy H:mm:ss",    "d/M/yyyy H:mm",       "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm",    "M/d/yyyy H:mm:ss",
      "M/d/yyyy H:mm",       "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm",    "yyyy-MM-dd HH:mm",    "yyyyMMddHHmmss",
      "yyyyMMdd'T'HHmmssX",  "dd-MM-yyyy HH:mm:ss"};
  for (const std::string_view pattern : kPatterns) {
    const auto reader = TimeFormat::parse(pattern);
    if (!reader || !reads_all(field, *reader)) continue;
    std::string swapped(pattern);
    const bool slashes = pattern.starts_with("dd/MM") || pattern.starts_with("d/M");
    bool ambiguous = false;
    if (slashes) {
      swapped = (pattern.starts_with("dd") ? "MM/dd" : "M/d") + swapped.substr(pattern.starts_with("dd") ? 5 : 3);
      const auto other = TimeFormat::parse(swapped);
      ambiguous = other && reads_all(field, *other);
    }
    return SeenTime{
        std::string(pattern), *reader,
        ambiguous ? fmt::format("times as {}; they could be {} as well, no day above 12 was seen", pattern, swapped)
                  : fmt::format("times as {}", pattern),
        !ambiguous};
  }
  return std::nullopt;
}

std::optional<SeenTime> number_time(const SeenField& field) {
  struct Unit {
    std::string_view format;
    TimeFormat::Kind kind;
    std::string_view name;
    double least;  // 2001-09-09 in this unit
  };
  static constexpr std::array kUnits = {Unit{"epoch-s", TimeFormat::Kind::kSeconds, "seconds", 1e9},
                                        Unit{"", TimeFormat::Kind::kAuto, "milliseconds", 1e12},
                                        Unit{"epoch-us", TimeFormat::Kind::kMicros, "microseconds", 1e15},
                                        Unit{"epoch-ns", TimeFormat::Kind::kNanos, "nanoseconds", 1e18}};
  for (const Unit& unit : kUnits) {
    const auto fits = [&](const SeenField::Kept& kept) {
      const double value =
          kept.value.kind == Scalar::Kind::kInteger ? static_cast<double>(kept.value.integer) : kept.value.real;
      return value >= unit.least && value < unit.least * 4.2;  // to the year 2103
    };
    if (!std::ranges::all_of(field.kept, fits)) continue;
    return SeenTime{std::string(unit.format), TimeFormat(unit.kind),
                    fmt::format("{} since 1970, by their size", unit.name), true};
  }
  return std::nullopt;
}

}  // namespace

std::optional<SeenTime> seen_time(const SeenField& field) {
  if (field.kept.empty()) return std::nullopt;
  const auto all = [&](auto... kinds) {
    return std::ranges::all_of(field.kept,
                               [&](const SeenField::Kept& kept) { return ((kept.value.kind == kinds) || ...); });
  };
  using Kind = Scalar::Kind;
  if (all(Kind::kInstant)) return SeenTime{"", TimeFormat(), "the format's own time", true};
  if (all(Kind::kText, Kind::kWord)) return text_time(field);
  if (all(Kind::kInteger, Kind::kReal) && time_name_weight(field.name) > 0) return number_time(field);
  return std::nullopt;
}

int time_name_weight(std::string_view name) {
  const std::string plain = column_name(name);
  static constexpr std::array kCertain = {"ts",       "time",        "timestamp",   "event_time",
                                          "datetime", "date_time",   "measured_at", "observed_at",
                                          "observed", "sample_time", "time_stamp"};
  if (std::ranges::find(kCertain, plain) != kCertain.end()) return 3;
  if (plain == "t" || plain == "date" || plain == "when" || plain == "at" || plain == "epoch" || plain == "last_seen")
    return 2;
  return plain.find("time") != std::string::npos || plain.ends_with("_at") || plain.ends_with("_ts") ||
                 plain.starts_with("ts_") || plain.find("date") != std::string::npos
             ? 1
             : 0;
}

int64_t seen_lateness_us(const SeenField& field, const TimeFormat& reader) {
  int64_t greatest = INT64_MIN;
  int64_t late = 0;
  for (const SeenField::Kept& kept : field.kept) {
    const auto time = reader.read(kept.value, kLtz);
    if (!time) continue;
    if (greatest != INT64_MIN) late = std::max(late, greatest - *time);
    greatest = std::max(greatest, *time);
  }
  return late;
}

std::string column_name(std::string_view name) {
  constexpr size_t kMaxNameBytes = 60;
  std::string out;
  char before = '\0';
  for (const char c : name) {
    if (out.size() >= kMaxNameBytes) break;
    const bool word_begins = is_upper(c) && (is_lower(before) || is_digit(before));
    if (is_upper(c) || is_lower(c) || is_digit(c)) {
      if (word_begins) out += '_';
      out += to_lower(c);
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
    before = c;
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty()) return "value";
  return is_digit(out.front()) ? "f_" + out : out;
}

}  // namespace tidegate::codec
