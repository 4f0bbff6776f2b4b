// Scalar: one value of a record, before it is known to fit a column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::codec {

struct Scalar {
  enum class Kind : uint8_t {
    kNull,
    kBoolean,  // flag
    kInteger,  // integer
    kReal,     // real; whole numbers beyond 64 bits too; text: as it was written, where that is known
    kText,     // text
    kBytes,    // text: the bytes themselves, of a format that has them
    kWord,     // text of a format without types (CSV): read as the column's type wants it
    kInstant,  // integer: microseconds since 1970-01-01T00:00:00Z
    kOther,    // text says what it is ("an object"); fits no column
  };
  Kind kind = Kind::kNull;
  bool flag = false;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;

  static Scalar boolean(bool value) { return {Kind::kBoolean, value, 0, 0, {}}; }
  static Scalar of(int64_t value) { return {Kind::kInteger, false, value, 0, {}}; }
  static Scalar of(double value) { return {Kind::kReal, false, 0, value, {}}; }
  static Scalar of(double value, std::string_view written) { return {Kind::kReal, false, 0, value, written}; }
  static Scalar of(std::string_view value) { return {Kind::kText, false, 0, 0, value}; }
  static Scalar bytes(std::string_view value) { return {Kind::kBytes, false, 0, 0, value}; }
  static Scalar word(std::string_view value) { return {Kind::kWord, false, 0, 0, value}; }
  static Scalar instant(int64_t time_us) { return {Kind::kInstant, false, time_us, 0, {}}; }
  static Scalar other(std::string_view what) { return {Kind::kOther, false, 0, 0, what}; }
};

// For messages: 21.5, "text" (cut when it is long), null, an object.
[[nodiscard]] std::string describe(const Scalar& value);

}  // namespace tidegate::codec
