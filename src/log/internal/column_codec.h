// One column <-> bytes, before compression. Layout in docs/formats/log.md, "Columns".
#pragma once

#include <bitset>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "columnar/column.h"

namespace tidegate::log::internal {

using KeyGroupSet = std::bitset<kKeyGroups>;

// `groups`, if given, receives the key groups of a dictionary column's values (the device column).
void encode_column(const columnar::Column& column, KeyGroupSet* groups, std::string& out);

// `type` is what the schema says. With `pool` a STRING column comes back dictionary-encoded, else plain, whatever it
// was. LogCorrupted for malformed bytes, LimitReached when the pool is full.
[[nodiscard]] Result<columnar::ColumnPtr> decode_column(ByteReader& in, const columnar::Type& type, size_t rows,
                                                        columnar::StringPool* pool);
// A column of NULLs: what older records hold for a column that was added later.
[[nodiscard]] columnar::ColumnPtr null_column(const columnar::Type& type, size_t rows,
                                              const columnar::StringPool* pool);

// `column` with its values in `pool`; nothing when the pool is full.
[[nodiscard]] columnar::ColumnPtr to_dictionary(const columnar::Column& column, columnar::StringPool& pool);

}  // namespace tidegate::log::internal
