// The types of columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

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
};

// As SQL writes it: "BIGINT", "TIMESTAMP_LTZ(3)".
[[nodiscard]] std::string_view type_name(TypeKind type);

[[nodiscard]] constexpr bool is_numeric(TypeKind type) {
  return type == TypeKind::kInt || type == TypeKind::kBigint || type == TypeKind::kDouble;
}
[[nodiscard]] constexpr bool is_timestamp(TypeKind type) {
  return type == TypeKind::kTimestamp || type == TypeKind::kTimestampLtz;
}

// Bytes of one value in Column::values; 4 for strings (their codes or offsets).
[[nodiscard]] constexpr size_t value_width(TypeKind type) {
  switch (type) {
    case TypeKind::kNull:
    case TypeKind::kBoolean: return 1;
    case TypeKind::kInt:
    case TypeKind::kString: return 4;
    default: return 8;
  }
}

}  // namespace tidegate::columnar
