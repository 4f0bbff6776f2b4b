// Column: one column of a batch. Buffers are laid out as Arrow's (BOOLEAN as arrow.bool8, strings and bytes with
// 32-bit offsets, strings also dictionary-encoded), without Arrow.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/ids.h"
#include "columnar/bitmap.h"
#include "columnar/buffer.h"
#include "columnar/string_pool.h"
#include "columnar/types.h"

namespace tidegate::columnar {

// Immutable once it is reachable through a ColumnPtr. Encodings:
//   fixed width   `fixed` holds rows * value_width(type) bytes; the value of a NULL row is unspecified
//   plain text    (STRING, BYTES) `offsets` holds rows + 1 ends into `text`; row i is text[offsets[i], offsets[i+1])
//   dictionary    (STRING) `pool` is set: `fixed` holds one uint32 code per row
struct Column {
  Type type = TypeKind::kNull;
  size_t rows = 0;
  Bitmap validity;  // empty: no row is NULL
  Buffer<uint8_t> fixed;
  Buffer<uint32_t> offsets;
  Buffer<char> text;
  const StringPool* pool = nullptr;  // lives as long as the process's batches

  [[nodiscard]] bool has_nulls() const { return !validity.empty(); }
  [[nodiscard]] bool valid(size_t row) const { return validity.empty() || validity.test(row); }
  [[nodiscard]] bool is_dictionary() const { return pool != nullptr; }
  // Has offsets and text.
  [[nodiscard]] bool is_plain_text() const { return is_text(type) && pool == nullptr; }

  // T: uint8_t for BOOLEAN, int32_t INT, int64_t BIGINT, timestamps, intervals, float FLOAT,
  // double DOUBLE, Int128 (decimal.h) DECIMAL, uint32_t for dictionary codes.
  template <class T>
  [[nodiscard]] std::span<const T> values() const {
    return {reinterpret_cast<const T*>(fixed.data()), rows};
  }
  // A STRING or BYTES row that is not NULL, in either encoding.
  [[nodiscard]] std::string_view string_at(size_t row) const {
    if (pool != nullptr) return pool->view(StringCode{values<uint32_t>()[row]});
    return {text.data() + offsets[row], offsets[row + 1] - offsets[row]};
  }
  // Any integer-like type (BOOLEAN, INT, BIGINT, timestamps, interval) widened.
  [[nodiscard]] int64_t integer_at(size_t row) const;
  // Bytes of memory held.
  [[nodiscard]] size_t memory_bytes() const;
};

// Shared because projections and pipelines pass the same immutable column on.
using ColumnPtr = std::shared_ptr<const Column>;

// Appends values of one type; finish() hands the column over and starts anew.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(Type type) { column_.type = std::move(type); }
  // A dictionary-encoded STRING column whose codes are from `pool`.
  explicit ColumnBuilder(const StringPool& pool) {
    column_.type = TypeKind::kString;
    column_.pool = &pool;
  }

  [[nodiscard]] const Type& type() const { return column_.type; }
  [[nodiscard]] size_t rows() const { return column_.rows; }
  [[nodiscard]] bool is_dictionary() const { return column_.pool != nullptr; }

  // T as in Column::values.
  template <class T>
  void append(T value) {
    const size_t at = column_.fixed.size();
    column_.fixed.resize(at + sizeof(T));
    std::memcpy(column_.fixed.data() + at, &value, sizeof(T));
    append_valid();
  }
  // The bytes of one value of fixed width.
  void append_fixed(std::span<const uint8_t> value) {
    column_.fixed.append(value);
    append_valid();
  }
  void append_string(std::string_view value) {
    if (column_.offsets.empty()) column_.offsets.push_back(0);
    column_.text.append({value.data(), value.size()});
    column_.offsets.push_back(static_cast<uint32_t>(column_.text.size()));
    append_valid();
  }
  void append_null();
  // Row `row` of `source`, which has the same type (and the same pool, if this is a dictionary).
  void append_from(const Column& source, size_t row);
  void reserve(size_t row_count);
  // Takes the newest rows back until `row_count` are left: a record that turned out not to fit.
  void truncate(size_t row_count);
  [[nodiscard]] size_t memory_bytes() const { return column_.memory_bytes(); }

  [[nodiscard]] ColumnPtr finish();

 private:
  void append_valid() {
    ++column_.rows;
    if (!column_.validity.empty()) column_.validity.push_back(true);
  }

  Column column_;
};

// Rows of `source` at `rows`, in that order.
[[nodiscard]] ColumnPtr gather(const Column& source, std::span<const uint32_t> rows);
// `rows` rows from `first` on.
[[nodiscard]] ColumnPtr slice(const Column& source, size_t first, size_t rows);
// One after the other; all of one type. Dictionary columns stay so if they share one pool.
[[nodiscard]] ColumnPtr concatenate(std::span<const ColumnPtr> parts);

}  // namespace tidegate::columnar
