#include "codec/internal/record_layout.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "codec/internal/document.h"
#include "codec/internal/record_scanner.h"
#include "codec/timestamp_text.h"

namespace tidegate::codec {

using columnar::TypeKind;

namespace {

// Powers of ten that are doubles without rounding: a mantissa below 2^53 divided by one of them is correctly rounded
// (Clinger, "How to read floating point numbers accurately", 1990).
constexpr std::array<double, 23> kPowersOfTen{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr uint64_t kMaxExactMantissa = uint64_t{1} << 53;
constexpr int kMaxFastDigits = 18;  // cannot overflow 64 bits

// The end of the plain text at `at`: the first quote, backslash, control character or byte outside ASCII.
// Reads 8 bytes at a time, up to 7 past `end` (padding).
const char* plain_text_end(const char* at, const char* end) {
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  constexpr uint64_t kHighs = 0x8080808080808080ULL;
  const auto zero_bytes = [](uint64_t word) { return (word - kOnes) & ~word & kHighs; };
  for (; at < end; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    const uint64_t stop = zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\')) |
                          ((word - kOnes * 0x20) & kHighs) | (word & kHighs);
    // A borrow can mark a byte above a true stop, never one below: the lowest mark is exact.
    if (stop != 0) return at + (static_cast<unsigned>(__builtin_ctzll(stop)) / 8);
  }
  return end;
}

struct Digits {
  uint64_t value = 0;
  int count = 0;
};

// Stops after kMaxFastDigits + 1 digits.
const char* read_digits(const char* at, Digits& digits) {
  for (; *at >= '0' && *at <= '9' && digits.count <= kMaxFastDigits; ++at, ++digits.count) {
    digits.value = digits.value * 10 + static_cast<uint64_t>(*at - '0');
  }
  return at;
}

bool ends_number(char c) { return c == ',' || c == '}' || c == ']' || is_json_space(c); }

const char* skip_spaces(const char* at, const char* end) {
  while (at < end && is_json_space(*at)) ++at;
  return at;
}

// Null pointers below: not the plain case. Inside its callers: every record has a time, which is one.
[[gnu::always_inline]] inline const char* read_integer(const char* at, int64_t& value) {
  const bool negative = *at == '-';
  if (negative) ++at;
  Digits digits;
  const char* begin = at;
  at = read_digits(at, digits);
  if (digits.count == 0 || digits.count > kMaxFastDigits || (*begin == '0' && digits.count > 1)) return nullptr;
  if (!ends_number(*at)) return nullptr;
  value = negative ? -static_cast<int64_t>(digits.value) : static_cast<int64_t>(digits.value);
  return at;
}

const char* read_double(const char* at, const char* end, double& value) {
  const char* begin = at;
  const bool negative = *at == '-';
  if (negative) ++at;
  Digits digits;
  const char* whole = at;
  at = read_digits(at, digits);
  if (digits.count == 0 || (*whole == '0' && digits.count > 1)) return nullptr;
  int fraction = 0;
  if (*at == '.') {
    const int before = digits.count;
    at = read_digits(at + 1, digits);
    fraction = digits.count - before;
    if (fraction == 0) return nullptr;
  }
  if (ends_number(*at) && digits.value < kMaxExactMantissa && digits.count <= kMaxFastDigits) [[likely]] {
    const double magnitude = static_cast<double>(digits.value) / kPowersOfTen[static_cast<size_t>(fraction)];
    value = negative ? -magnitude : magnitude;
    return at;
  }
  // Long ones, such as 0.1234567890123456789: exact too, but slower. An exponent is left to ObjectReader.
  while (*at >= '0' && *at <= '9' && at < end) ++at;
  if (!ends_number(*at) || at >= end) return nullptr;
  const auto [stop, error] = std::from_chars(begin, at, value);
  return error == std::errc() && stop == at ? at : nullptr;
}

// Behind a plain value of any type.
const char* skip_value(const char* at, const char* end) {
  if (*at == '"') {
    const char* stop = plain_text_end(at + 1, end);
    return stop < end && *stop == '"' ? stop + 1 : nullptr;
  }
  const std::string_view rest(at, static_cast<size_t>(end - at));
  for (const std::string_view word : {"true", "false", "null"}) {
    if (rest.starts_with(word)) return at + word.size();
  }
  double ignored = 0;
  return read_double(at, end, ignored);
}

// Bursts of samples: arrays whose elements are read in place.
bool is_number_array(const columnar::Type& type) {
  if (type != TypeKind::kArray) return false;
  const TypeKind element = type.element().type;
  return columnar::is_approximate(element) || columnar::is_integer(element);
}

// The index behind the array of numbers at `at`; npos when it is none.
size_t number_array_end(std::string_view record, size_t at) {
  if (record[at] != '[') return std::string_view::npos;
  const size_t end = record.find_first_not_of("0123456789+-.eE, \t\r\n", at + 1);
  return end == std::string_view::npos || record[end] != ']' ? std::string_view::npos : end + 1;
}

// One number and the spaces behind it.
const char* append_number(TypeKind type, const char* at, const char* end, columnar::ColumnBuilder& out) {
  if (columnar::is_integer(type)) {
    int64_t value = 0;
    at = read_integer(at, value);
    if (at == nullptr || (type == TypeKind::kInt && value != static_cast<int32_t>(value))) return nullptr;
    type == TypeKind::kInt ? out.append(static_cast<int32_t>(value)) : out.append(value);
    return skip_spaces(at, end);
  }
  double value = 0;
  at = read_double(at, end, value);
  if (at == nullptr) return nullptr;
  if (type == TypeKind::kDouble) {
    out.append(value);
    return skip_spaces(at, end);
  }
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) return nullptr;
  out.append(narrow);
  return skip_spaces(at, end);
}

// The index behind the plain value at `at`; npos when it is not a plain one.
size_t value_end(std::string_view record, size_t at) {
  if (at >= record.size()) return std::string_view::npos;
  if (record[at] == '"') {
    for (size_t next = at + 1; next < record.size(); ++next) {
      if (record[next] == '\\') return std::string_view::npos;
      if (record[next] == '"') return next + 1;
    }
    return std::string_view::npos;
  }
  if (record[at] == '{' || record[at] == '[') return std::string_view::npos;
  while (at < record.size() && !ends_number(record[at])) ++at;
  return at;
}

}  // namespace

void RecordLayout::learn(std::string_view record) {
  steps_.clear();
  text_.clear();
  unknown_members_ = 0;
  std::vector<Step> steps;
  size_t between = 0;
  for (size_t at = record.find('"'); at != std::string_view::npos; at = record.find('"', between)) {
    const size_t name_end = value_end(record, at);
    if (name_end == std::string_view::npos || steps.size() == kMaxSteps) return;
    const auto column = names_.find(record.substr(at + 1, name_end - at - 2));
    size_t value = record.find(':', name_end);
    if (value == std::string_view::npos) return;
    for (++value; value < record.size() && is_json_space(record[value]);) ++value;
    const bool numbers = column && value < record.size() && is_number_array(schema_.fields[*column].type);
    const size_t end = numbers ? number_array_end(record, value) : value_end(record, value);
    if (end == std::string_view::npos || text_.size() + (value - between) > kMaxLayoutBytes) return;
    steps.push_back({static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(value - between),
                     column ? static_cast<uint32_t>(*column) : kNoColumn,
                     column ? schema_.fields[*column].type.kind : TypeKind::kNull});
    if (!column) ++unknown_members_;
    text_.append(record.substr(between, value - between));
    between = end;
  }
  tail_ = static_cast<uint32_t>(text_.size());
  text_.append(record.substr(between));
  steps_ = std::move(steps);
}

const char* RecordLayout::read_value(const Step& step, const char* at, const char* end, RowTarget& row) const {
  switch (step.type) {
    case TypeKind::kString: {
      if (*at != '"') return nullptr;
      const char* stop = plain_text_end(at + 1, end);
      if (stop >= end || *stop != '"') return nullptr;
      if (!row.append_text(step.column, {at + 1, static_cast<size_t>(stop - at - 1)})) return nullptr;
      return stop + 1;
    }
    case TypeKind::kDouble: {
      double value = 0;
      const char* stop = read_double(at, end, value);
      if (stop != nullptr) row.append_double(step.column, value);
      return stop;
    }
    case TypeKind::kFloat: {
      double value = 0;
      const char* stop = read_double(at, end, value);
      const auto narrow = static_cast<float>(value);
      if (stop == nullptr || !std::isfinite(narrow)) return nullptr;
      row.append_float(step.column, narrow);
      return stop;
    }
    case TypeKind::kDecimal: return read_decimal(step, at, end, row);
    case TypeKind::kArray: return read_numbers(step, at, end, row);
    case TypeKind::kRow: return nullptr;
    case TypeKind::kBytes: {
      if (*at != '"') return nullptr;
      const char* stop = plain_text_end(at + 1, end);
      if (stop >= end || *stop != '"') return nullptr;
      return row.append_base64(step.column, {at + 1, static_cast<size_t>(stop - at - 1)}) ? stop + 1 : nullptr;
    }
    case TypeKind::kBoolean: {
      const bool value = *at == 't';
      const std::string_view word = value ? "true" : "false";
      if (std::string_view(at, word.size()) != word) return nullptr;
      row.append_bool(step.column, value);
      return at + word.size();
    }
    default: break;
  }
  int64_t value = 0;
  const char* stop = read_integer(at, value);
  if (stop == nullptr) return nullptr;
  if (step.type == TypeKind::kBigint) {
    row.append_bigint(step.column, value);
  } else if (step.type == TypeKind::kInt) {
    if (value != static_cast<int32_t>(value)) return nullptr;
    row.append_int(step.column, static_cast<int32_t>(value));
  } else {
    if (value < kMinTimestampUs / kMicrosPerMilli || value > kMaxTimestampUs / kMicrosPerMilli) return nullptr;
    row.append_time(step.column, value * kMicrosPerMilli);
  }
  return stop;
}

const char* RecordLayout::read_numbers(const Step& step, const char* at, const char* end, RowTarget& row) const {
  const columnar::Type& type = schema_.fields[step.column].type;
  if (*at != '[' || !is_number_array(type)) return nullptr;
  columnar::ColumnBuilder& out = row.rows().column(step.column);
  const TypeKind element = type.element().type;
  at = skip_spaces(at + 1, end);
  // As many as ObjectReader takes.
  for (size_t count = 1; *at != ']' || count > 1; ++count) {
    if (count == Document::kMaxValues) return nullptr;
    at = append_number(element, at, end, out.child(0));
    if (at == nullptr || at >= end) return nullptr;
    if (*at == ']') break;
    if (*at != ',') return nullptr;
    at = skip_spaces(at + 1, end);
  }
  out.end_nested();
  return at + 1;
}

// A number of few digits, or a text with one.
const char* RecordLayout::read_decimal(const Step& step, const char* at, const char* end, RowTarget& row) const {
  const columnar::Type& type = schema_.fields[step.column].type;
  const bool quoted = *at == '"';
  const char* const begin = at + (quoted ? 1 : 0);
  double checked = 0;
  const char* const stop = quoted ? plain_text_end(begin, end) : read_double(begin, end, checked);
  if (stop == nullptr || stop >= end || (quoted && *stop != '"')) return nullptr;
  const std::string_view digits(begin, static_cast<size_t>(stop - begin));
  const auto number = columnar::parse_decimal(digits, type.precision, type.scale);
  if (!number) return nullptr;
  row.append_decimal(step.column, *number);
  return stop + (quoted ? 1 : 0);
}

size_t RecordLayout::read(std::string_view text, RowTarget& row) const {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const Step& step : steps_) {
    if (static_cast<size_t>(end - at) <= step.before_size) return 0;
    if (std::memcmp(at, text_.data() + step.before, step.before_size) != 0) return 0;
    at += step.before_size;
    if (step.column == kNoColumn) {
      at = skip_value(at, end);
    } else {
      if (!row.claim(step.column)) return 0;
      at = read_value(step, at, end, row);
    }
    if (at == nullptr || at >= end) return 0;
  }
  const size_t tail_size = text_.size() - tail_;
  if (static_cast<size_t>(end - at) < tail_size) return 0;
  if (std::memcmp(at, text_.data() + tail_, tail_size) != 0) return 0;
  return static_cast<size_t>(at - text.data()) + tail_size;
}

}  // namespace tidegate::codec
