// Rows as bytes, for storing versions of tables and for telling whether two are the same (docs/formats/lookup.md).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/batch.h"

namespace tidegate::lookup {

// 0 for NULL, or 1 and the value: fixed width, or varint length and text.
void append_value(const columnar::Column& column, size_t row, std::string& out);

// Some columns of one row: one value after the other. Equal values have equal bytes.
void append_row(const columnar::Batch& rows, std::span<const size_t> columns, size_t row, std::string& out);

// All columns of all rows, one after the other.
[[nodiscard]] std::string encode_rows(const columnar::Batch& rows);
// Nothing if the bytes are not `count` such rows.
[[nodiscard]] std::optional<columnar::Batch> decode_rows(std::string_view bytes, const columnar::SchemaPtr& schema,
                                                         size_t count);

// The rows in the order of a table version: by the bytes of the key columns, then by the version column.
[[nodiscard]] std::vector<uint32_t> key_order(const columnar::Batch& rows, std::span<const size_t> key,
                                              std::optional<size_t> version_column);

}  // namespace tidegate::lookup
