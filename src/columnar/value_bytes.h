// One value as bytes: what keys of groups, rows in waiting and cells of aggregates hold of it, in memory and on disk
// (docs/formats/state.md). Equal values have equal bytes, whatever the encoding of their columns.
#pragma once

#include <string>

#include "base/bytes.h"
#include "columnar/column.h"

namespace tidegate::columnar {

// The value of a row that is not NULL.
void append_value_bytes(const Column& column, size_t row, std::string& out);
// Appends it to a column of the same type. False if the bytes are none; nothing useful was appended then.
[[nodiscard]] bool read_value_bytes(ByteReader& in, ColumnBuilder& out);
// Passes over it. False if the bytes are none.
[[nodiscard]] bool skip_value_bytes(ByteReader& in, const Type& type);

// Too wide for 64 bits, and no text: kept as bytes where others are kept as numbers.
[[nodiscard]] constexpr bool is_wide(TypeKind type) {
  return type == TypeKind::kDecimal || type == TypeKind::kArray || type == TypeKind::kRow;
}

}  // namespace tidegate::columnar
