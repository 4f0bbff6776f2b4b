#include "codec/internal/influx_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "codec/internal/number_text.h"
#include "codec/utf8.h"

namespace tidegate::codec {

using Failure = std::optional<Error>;

namespace {

constexpr size_t kShownBytes = 40;    // of what came: enough to recognise it
constexpr size_t kMaxMembers = 4096;  // tags and fields of a line

Failure malformed(std::string_view expected, std::string_view text, size_t at) {
  const std::string_view rest = text.substr(std::min(at, text.size()));
  return Error{ErrorCode::RecordMalformed,
               fmt::format("character {}: {} expected, but {} came", at + 1, expected,
                           rest.empty() ? std::string("the end of the line")
                                        : fmt::format("\"{}\"", valid_utf8(rest, kShownBytes))),
               {},
               {}};
}

std::optional<bool> parse_boolean(std::string_view word) {
  for (const std::string_view yes : {"t", "T", "true", "True", "TRUE"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"f", "F", "false", "False", "FALSE"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

}  // namespace

InfluxDecoder::InfluxDecoder(const SourceFormat& format, DecoderTarget target)
    : target_(std::move(target)),
      per_micro_(format.precision == TimePrecision::kDefault || format.precision == TimePrecision::kNanos ? 1000 : 1),
      micros_(format.precision == TimePrecision::kSeconds  ? kMicrosPerSecond
              : format.precision == TimePrecision::kMillis ? kMicrosPerMilli
                                                           : 1),
      run_(target_),
      writer_(format, target_, run_) {
  CHECK(!target_.device_column || target_.devices != nullptr);
}

Decoded InfluxDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                              MisfitHandler& misfits) {
  run_.start(rules, rows, misfits);
  std::string_view rest = payload.bytes;
  const auto drop = [&rest](size_t size) { rest.remove_prefix(std::min(size + 1, rest.size())); };
  bool lines_only = false;
  bool any = false;
  while (!rest.empty()) {
    const size_t line_end = std::min(rest.find('\n'), rest.size());
    const size_t first = rest.find_first_not_of(" \r");
    if (first >= line_end || rest[first] == '#') {
      drop(line_end);
      continue;
    }
    any = true;
    // A text may hold line ends.
    const size_t end = lines_only ? line_end : line_size(rest);
    if (end > line_end && read_line(rest.substr(0, end), false)) {
      drop(end);
      continue;
    }
    // A quote that is not closed has swallowed lines. From there on every line is by itself: a lost quote must not cost
    // its neighbours, and looking for its end again and again would cost the square of the payload's size.
    lines_only = lines_only || end != line_end;
    read_line(rest.substr(0, line_end), true);
    drop(line_end);
  }
  if (!any) run_.report(Error{ErrorCode::RecordMalformed, "the payload is empty", {}, {}}, payload.bytes);
  return run_.decoded;
}

// Up to the line end that does not stand in a text; 0 when a text is not closed. Quotes elsewhere stand for themselves.
size_t InfluxDecoder::line_size(std::string_view rest) {
  bool quoted = false;
  for (size_t at = 0; at < rest.size(); ++at) {
    const char c = rest[at];
    if (c == '\n' && !quoted) return at;
    if (quoted && c == '\\' && at + 1 < rest.size() && (rest[at + 1] == '"' || rest[at + 1] == '\\')) {
      ++at;
    } else if (c == '"' && (quoted || (at > 0 && rest[at - 1] == '='))) {
      quoted = !quoted;
    }
  }
  return quoted ? 0 : rest.size();
}

// False when it is no line; reported only if `report` says so.
bool InfluxDecoder::read_line(std::string_view text, bool report) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  attributes_.clear();
  metrics_.clear();
  unescaped_.clear();
  Line line{text, 0};
  if (auto error = parse(line)) {
    if (report && run_.check_size(text)) run_.report(std::move(*error), text);
    return false;
  }
  if (run_.check_size(text)) writer_.write(attributes_, metrics_, text);
  return true;
}

Failure InfluxDecoder::parse(Line& line) {
  const std::string_view measurement = take_name(line, ", ");
  if (measurement.empty()) return malformed("a measurement", line.text, line.at);
  attributes_.push_back({"measurement", Scalar::of(measurement), true});
  if (auto error = parse_tags(line)) return error;
  if (auto error = parse_fields(line)) return error;
  return parse_time(line);
}

// Up to one of `stops` that no backslash stands before.
std::string_view InfluxDecoder::take_name(Line& line, std::string_view stops) {
  const size_t begin = line.at;
  bool escaped = false;
  while (!line.done() && stops.find(line.next()) == std::string_view::npos) {
    const bool escape = line.next() == '\\' && line.at + 1 < line.text.size();
    escaped = escaped || escape;
    line.at += escape ? 2 : 1;
  }
  const std::string_view raw = line.text.substr(begin, line.at - begin);
  if (!escaped) return raw;
  std::string& out = unescaped_.emplace_back();
  for (size_t at = 0; at < raw.size(); ++at) {
    // Before anything else a backslash stands for itself.
    const bool escape =
        raw[at] == '\\' && at + 1 < raw.size() && std::string_view(",= ").find(raw[at + 1]) != std::string_view::npos;
    if (escape) ++at;
    out += raw[at];
  }
  return out;
}

Failure InfluxDecoder::parse_tags(Line& line) {
  while (line.next() == ',') {
    ++line.at;
    const std::string_view key = take_name(line, ",= ");
    if (key.empty() || line.next() != '=') return malformed("a tag such as room=attic", line.text, line.at);
    ++line.at;
    const std::string_view value = take_name(line, ",= ");
    if (value.empty() || line.next() == '=') return malformed("the value of a tag", line.text, line.at);
    if (attributes_.size() == kMaxMembers) return malformed("fewer than 4096 tags", line.text, line.at);
    attributes_.push_back({key, Scalar::of(value), false});
  }
  return std::nullopt;
}

Failure InfluxDecoder::parse_fields(Line& line) {
  if (line.next() != ' ') return malformed("a space and a field such as temp=21.5", line.text, line.at);
  while (line.next() == ' ') ++line.at;
  do {
    if (!metrics_.empty()) ++line.at;
    Metric metric;
    metric.name = take_name(line, ",= ");
    if (metric.name.empty() || line.next() != '=') return malformed("a field such as temp=21.5", line.text, line.at);
    ++line.at;
    if (auto error = parse_value(line, metric.value)) return error;
    if (metrics_.size() == kMaxMembers) return malformed("fewer than 4096 fields", line.text, line.at);
    metrics_.push_back(metric);
  } while (line.next() == ',');
  return std::nullopt;
}

Failure InfluxDecoder::parse_value(Line& line, Scalar& value) {
  const size_t begin = line.at;
  if (line.next() == '"') {
    std::string& out = unescaped_.emplace_back();
    for (++line.at; !line.done() && line.next() != '"'; ++line.at) {
      const char after = line.at + 1 < line.text.size() ? line.text[line.at + 1] : '\0';
      if (line.next() == '\\' && (after == '"' || after == '\\')) ++line.at;
      out += line.next();
    }
    if (line.done()) return malformed("a closing quote", line.text, line.at);
    ++line.at;
    value = Scalar::of(std::string_view(out));
    return std::nullopt;
  }
  line.at = std::min(line.text.find_first_of(", ", begin), line.text.size());
  const std::string_view word = line.text.substr(begin, line.at - begin);
  const char last = word.empty() ? '\0' : word.back();
  const std::string_view digits = word.substr(0, word.empty() ? 0 : word.size() - 1);
  if (last == 'i' || last == 'u') {
    const auto whole = parse_integer(digits);
    const auto real = whole || last == 'i' ? std::nullopt : parse_real(digits);
    const bool unsigned_fits = real && *real >= 0 && *real <= 18'446'744'073'709'551'616.0 &&
                               digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (whole && (last == 'i' || *whole >= 0)) {
      value = Scalar::of(*whole);
      return std::nullopt;
    }
    if (unsigned_fits) {
      value = Scalar::of(*real, digits);
      return std::nullopt;
    }
  } else if (const auto flag = parse_boolean(word)) {
    value = Scalar::boolean(*flag);
    return std::nullopt;
  } else if (const auto number = parse_real(word)) {
    value = Scalar::of(*number, word);
    return std::nullopt;
  }
  return malformed("a value such as 21.5, 21i, 21u, true or \"text\"", line.text, begin);
}

Failure InfluxDecoder::parse_time(Line& line) {
  while (line.next() == ' ') ++line.at;
  const size_t begin = line.at;
  std::string_view word = line.text.substr(begin);
  while (word.ends_with(' ')) word.remove_suffix(1);
  if (word.empty()) {
    // As InfluxDB has it: the time at which the server got it.
    attributes_.push_back({"time", Scalar::instant(run_.rules().arrival_us), true});
    return std::nullopt;
  }
  const auto count = parse_integer(word);
  int64_t time_us = 0;
  if (!count || __builtin_mul_overflow(*count, micros_, &time_us)) {
    return malformed("a timestamp, a whole number,", line.text, begin);
  }
  time_us = time_us / per_micro_ - (time_us % per_micro_ < 0 ? 1 : 0);
  attributes_.push_back({"time", Scalar::instant(time_us), true});
  return std::nullopt;
}

}  // namespace tidegate::codec
