// The types of columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::columnar {

// The numbers are written to disk: never change or reuse them.
enum class TypeKind : uint8_t {
  kNull = 0,  // the type of a bare NULL; never a column of a stream
  kBoolean = 1,
  kInt = 2,     // 32 bit, signed
  kBigint = 3,  // 64 bit, signed
  kDouble = 4,
  kString = 5,        // UTF-8
  kTimestamp = 6,     // TIMESTAMP(3): wall-clock time without zone, microseconds since 1970-01-01T00:00:00
  kTimestampLtz = 7,  // TIMESTAMP_LTZ(3): an instant, microseconds since 1970-01-01T00:00:00Z
  kInterval = 8,      // day-time interval in microseconds; in expressions only, never a column of a stream
  kFloat = 9,         // IEEE 754, 32 bit
  kBytes = 10,        // any bytes
  kDecimal = 11,      // `precision` digits, `scale` of them behind the point; 128-bit multiples of 10^-scale
  kArray = 12,        // elements of one type, the only one of `fields`
  kRow = 13,          // named fields, each of its type
};

struct Field;

inline constexpr uint8_t kMaxPrecision = 38;  // of DECIMAL, as in Flink; what fits 127 bits
// ARRAY and ROW inside each other: every codec and kernel recurses so far. Objects of devices have a handful of levels.
inline constexpr int kMaxTypeDepth = 16;

// A type with its parameters. Stands wherever a TypeKind can, and compares with one by the kind alone.
struct Type {
  TypeKind kind = TypeKind::kNull;
  uint8_t precision = 0;  // kDecimal: 1 to kMaxPrecision
  uint8_t scale = 0;      // kDecimal: 0 to precision
  // kArray: the element; kRow: its fields. Null for all others. Shared because types are copied with every column,
  // expression and schema, and never change. Nothing that runs per row copies a Type.
  std::shared_ptr<const std::vector<Field>> fields = nullptr;

  Type() = default;
  Type(TypeKind simple) : kind(simple) {}     // NOLINT(google-explicit-constructor): most types are only a kind
  operator TypeKind() const { return kind; }  // NOLINT(google-explicit-constructor)

  [[nodiscard]] static Type decimal(uint8_t precision, uint8_t scale);
  [[nodiscard]] static Type array(Type element, bool nullable = true);
  [[nodiscard]] static Type row(std::vector<Field> fields);

  [[nodiscard]] bool is_nested() const { return kind == TypeKind::kArray || kind == TypeKind::kRow; }
  // Of a kArray.
  [[nodiscard]] const Field& element() const;
  // Levels of ARRAY and ROW; 0 of a type that is not nested.
  [[nodiscard]] int depth() const;
};
[[nodiscard]] bool operator==(const Type& left, const Type& right);
[[nodiscard]] inline bool operator==(const Type& left, TypeKind right) { return left.kind == right; }

struct Field {
  std::string name;
  Type type = TypeKind::kNull;
  bool nullable = true;
  bool operator==(const Field&) const = default;
};

// As SQL writes it: "BIGINT", "TIMESTAMP_LTZ(3)", "DECIMAL(10, 2)", "ARRAY<ROW<`a` INT, `b` STRING NOT NULL>>".
[[nodiscard]] std::string_view type_name(TypeKind type);
[[nodiscard]] std::string type_name(const Type& type);

[[nodiscard]] constexpr bool is_integer(TypeKind type) { return type == TypeKind::kInt || type == TypeKind::kBigint; }
// FLOAT and DOUBLE.
[[nodiscard]] constexpr bool is_approximate(TypeKind type) {
  return type == TypeKind::kFloat || type == TypeKind::kDouble;
}
[[nodiscard]] constexpr bool is_numeric(TypeKind type) {
  return is_integer(type) || is_approximate(type) || type == TypeKind::kDecimal;
}
[[nodiscard]] constexpr bool is_timestamp(TypeKind type) {
  return type == TypeKind::kTimestamp || type == TypeKind::kTimestampLtz;
}
// Values of any length, held as offsets into text: STRING and BYTES.
[[nodiscard]] constexpr bool is_text(TypeKind type) { return type == TypeKind::kString || type == TypeKind::kBytes; }

// Bytes of one value in Column::fixed; 4 for strings (their codes); 0 for ARRAY and ROW, which have none.
[[nodiscard]] constexpr size_t value_width(TypeKind type) {
  switch (type) {
    case TypeKind::kNull:
    case TypeKind::kBoolean: return 1;
    case TypeKind::kInt:
    case TypeKind::kFloat:
    case TypeKind::kString:
    case TypeKind::kBytes: return 4;
    case TypeKind::kDecimal: return 16;
    case TypeKind::kArray:
    case TypeKind::kRow: return 0;
    default: return 8;
  }
}

}  // namespace tidegate::columnar
