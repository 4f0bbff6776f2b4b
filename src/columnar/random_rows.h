// For tests: random types, and rows of random values of any type.
#pragma once

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "columnar/batch.h"
#include "columnar/decimal.h"
#include "io/random.h"

namespace tidegate::columnar {

// Of a column of a stream; ARRAY and ROW at most so many levels deep.
inline Type random_type(io::Random& random, int depth = 3) {
  if (depth > 0 && random.below(5) == 0) {
    if (random.below(2) == 0) return Type::array(random_type(random, depth - 1), random.below(4) != 0);
    std::vector<Field> fields;
    for (uint64_t left = 1 + random.below(3); left > 0; --left) {
      fields.push_back({"f" + std::to_string(left), random_type(random, depth - 1), random.below(4) != 0});
    }
    return Type::row(std::move(fields));
  }
  if (random.below(6) == 0) {
    const auto precision = static_cast<uint8_t>(1 + random.below(kMaxPrecision));
    return Type::decimal(precision, static_cast<uint8_t>(random.below(precision + 1)));
  }
  constexpr TypeKind kSimple[] = {TypeKind::kBoolean,      TypeKind::kInt,    TypeKind::kBigint,
                                  TypeKind::kFloat,        TypeKind::kDouble, TypeKind::kTimestamp,
                                  TypeKind::kTimestampLtz, TypeKind::kString, TypeKind::kBytes};
  return kSimple[random.below(std::size(kSimple))];
}

inline SchemaPtr random_schema(io::Random& random, size_t columns) {
  auto schema = std::make_shared<Schema>();
  for (size_t at = 0; at < columns; ++at) {
    schema->fields.push_back({"c" + std::to_string(at), random_type(random), random.below(4) != 0});
  }
  return schema;
}

// What the values must keep to.
struct RandomRules {
  bool finite = false;    // no infinities, NaN or -0
  bool readable = false;  // times of the years 1 to 9999 in whole milliseconds
};

inline std::string random_text(io::Random& random) {
  constexpr const char* kPieces[] = {"a", "\"", "\\", "\n", "\x01", "ä", "€", "😀", " ", "0"};
  std::string text;
  for (uint64_t left = random.below(6); left > 0; --left) text += kPieces[random.below(std::size(kPieces))];
  return text;
}

template <class Real, class Bits>
Real random_real(io::Random& random, const RandomRules& rules) {
  const uint64_t choice = random.below(8);
  if (choice == 0) return Real{0};
  if (choice == 1 && !rules.finite) return -Real{0};
  if (choice == 2) return static_cast<Real>(static_cast<double>(random.below(2000)) / 10 - 100);
  const auto any = std::bit_cast<Real>(static_cast<Bits>(random.next_u64()));
  return std::isfinite(any) || !rules.finite ? any : std::numeric_limits<Real>::lowest();
}

inline int64_t random_integer(io::Random& random, int64_t least, int64_t greatest) {
  switch (random.below(6)) {
    case 0: return least;
    case 1: return greatest;
    case 2: return static_cast<int64_t>(random.below(5)) - 2;
    default: break;
  }
  const uint64_t range = static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least);
  const uint64_t step = range == std::numeric_limits<uint64_t>::max() ? random.next_u64() : random.below(range + 1);
  return static_cast<int64_t>(static_cast<uint64_t>(least) + step);
}

inline int64_t random_time(io::Random& random, const RandomRules& rules) {
  if (!rules.readable) {
    return random_integer(random, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  }
  constexpr int64_t kLeastMs = -62'135'596'800'000;
  constexpr int64_t kGreatestMs = 253'402'300'799'999;
  return random_integer(random, kLeastMs, kGreatestMs) * 1000;
}

// Of few digits as often as of many.
inline Int128 random_decimal(io::Random& random, const Type& type) {
  const int digits = static_cast<int>(1 + random.below(type.precision));
  const auto any = static_cast<Int128>((static_cast<UInt128>(random.next_u64()) << 63 | random.next_u64()) >> 1);
  const Int128 value = random.below(8) == 0 ? power_of_ten(digits) - 1 : any % power_of_ten(digits);
  return random.below(2) == 0 ? value : -value;
}

inline void append_random(ColumnBuilder& out, bool nullable, io::Random& random, const RandomRules& rules);

// Arrays are empty as often as not.
inline void append_random_nested(ColumnBuilder& out, io::Random& random, const RandomRules& rules) {
  const std::vector<Field>& fields = *out.type().fields;
  const bool array = out.type() == TypeKind::kArray;
  const uint64_t rounds = !array ? 1 : random.below(2) == 0 ? 0 : random.below(9);
  for (uint64_t left = rounds; left > 0; --left) {
    for (size_t at = 0; at < fields.size(); ++at) append_random(out.child(at), fields[at].nullable, random, rules);
  }
  out.end_nested();
}

inline void append_random(ColumnBuilder& out, bool nullable, io::Random& random, const RandomRules& rules) {
  if (nullable && random.below(4) == 0) return out.append_null();
  if (out.type().is_nested()) return append_random_nested(out, random, rules);
  switch (out.type()) {
    case TypeKind::kBoolean: return out.append(static_cast<uint8_t>(random.below(2)));
    case TypeKind::kInt: return out.append(static_cast<int32_t>(random_integer(random, INT32_MIN, INT32_MAX)));
    case TypeKind::kDecimal: return out.append(random_decimal(random, out.type()));
    case TypeKind::kFloat: return out.append(random_real<float, uint32_t>(random, rules));
    case TypeKind::kDouble: return out.append(random_real<double, uint64_t>(random, rules));
    case TypeKind::kString: return out.append_string(random_text(random));
    case TypeKind::kBytes: return out.append_string(random.bytes(random.below(40)));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: return out.append(random_time(random, rules));
    default: return out.append(random_integer(random, INT64_MIN, INT64_MAX));
  }
}

inline Batch random_batch(const SchemaPtr& schema, size_t rows, io::Random& random, const RandomRules& rules = {}) {
  BatchBuilder builder(schema);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t at = 0; at < schema->fields.size(); ++at) {
      append_random(builder.column(at), schema->fields[at].nullable, random, rules);
    }
    builder.end_row();
  }
  return builder.finish();
}

// Bit by bit: NaN equals itself, and -0 is not 0.
inline bool same_value(const Column& left, size_t left_row, const Column& right, size_t right_row) {
  if (!(left.type == right.type) || left.valid(left_row) != right.valid(right_row)) return false;
  if (!left.valid(left_row)) return true;
  if (is_text(left.type)) return left.string_at(left_row) == right.string_at(right_row);
  if (left.type == TypeKind::kArray) {
    const size_t length = left.length_at(left_row);
    bool same = length == right.length_at(right_row);
    for (size_t at = 0; same && at < length; ++at) {
      same =
          same_value(*left.children[0], left.offsets[left_row] + at, *right.children[0], right.offsets[right_row] + at);
    }
    return same;
  }
  if (left.type == TypeKind::kRow) {
    for (size_t at = 0; at < left.children.size(); ++at) {
      if (!same_value(*left.children[at], left_row, *right.children[at], right_row)) return false;
    }
    return true;
  }
  const size_t width = value_width(left.type);
  return std::memcmp(left.fixed.data() + left_row * width, right.fixed.data() + right_row * width, width) == 0;
}

inline bool same_rows(const Batch& left, const Batch& right) {
  if (left.rows != right.rows || left.columns.size() != right.columns.size()) return false;
  for (size_t column = 0; column < left.columns.size(); ++column) {
    for (size_t row = 0; row < left.rows; ++row) {
      if (!same_value(*left.columns[column], row, *right.columns[column], row)) return false;
    }
  }
  return true;
}

}  // namespace tidegate::columnar
