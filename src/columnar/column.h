// Column: one column of a batch. Buffers are laid out as Arrow's (BOOLEAN as arrow.bool8, strings and bytes with
// 32-bit offsets, strings also dictionary-encoded), without Arrow.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

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
//   ARRAY         `offsets` holds rows + 1 ends into the only one of `children`; row i has its elements
//                 [offsets[i], offsets[i+1]), a NULL row any or none
//   ROW           `children` holds a column of `rows` values per field; the values below a NULL row are unspecified
struct Column {
  Type type = TypeKind::kNull;
  size_t rows = 0;
  Bitmap validity;  // empty: no row is NULL
  Buffer<uint8_t> fixed;
  Buffer<uint32_t> offsets;
  Buffer<char> text;
  const StringPool* pool = nullptr;  // lives as long as the process's batches
  // Shared because a field of a ROW, and the elements of an ARRAY, are passed on as columns of their own.
  std::vector<std::shared_ptr<const Column>> children;

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
  // ARRAY: how many elements the row has; 0 if it is NULL.
  [[nodiscard]] size_t length_at(size_t row) const { return valid(row) ? offsets[row + 1] - offsets[row] : 0; }
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
  explicit ColumnBuilder(Type type);
  // A dictionary-encoded STRING column whose codes are from `pool`.
  explicit ColumnBuilder(const StringPool& pool) {
    column_.type = TypeKind::kString;
    column_.pool = &pool;
  }

  [[nodiscard]] const Type& type() const { return column_.type; }
  [[nodiscard]] size_t rows() const { return column_.rows; }
  [[nodiscard]] bool is_dictionary() const { return column_.pool != nullptr; }
  // What was appended so far; changes with the next value. Of an ARRAY or ROW without the children.
  [[nodiscard]] const Column& so_far() const { return column_; }

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
  // ARRAY and ROW: append to the children, then end the value. The elements that came to child(0) since the last end
  // are an array; each child of a ROW got one value.
  [[nodiscard]] ColumnBuilder& child(size_t at) { return children_[at]; }
  void end_nested();
  void append_null();
  // Row `row` of `source`, which has the same type (and the same pool, if this is a dictionary).
  void append_from(const Column& source, size_t row);
  void reserve(size_t row_count);
  // Takes the newest rows back until `row_count` are left: a record that turned out not to fit.
  void truncate(size_t row_count);
  [[nodiscard]] size_t memory_bytes() const;

  // `row_count` of the rows so far, from `first` on.
  [[nodiscard]] ColumnPtr copy(size_t first, size_t row_count) const;
  [[nodiscard]] ColumnPtr finish();
  [[nodiscard]] Column take();

 private:
  void append_valid() {
    ++column_.rows;
    if (!column_.validity.empty()) column_.validity.push_back(true);
  }

  Column column_;
  std::vector<ColumnBuilder> children_;  // of an ARRAY or ROW; their columns stand in column_ when it is finished
};

// Stands for no row: what is gathered from there is NULL.
inline constexpr uint32_t kNoRow = UINT32_MAX;

// Rows of `source` at `rows`, in that order.
[[nodiscard]] ColumnPtr gather(const Column& source, std::span<const uint32_t> rows);
// The same, where a row may be kNoRow. A dictionary comes out plain.
[[nodiscard]] Column gather_or_null(const Column& source, std::span<const uint32_t> rows);
// `rows` rows from `first` on.
[[nodiscard]] ColumnPtr slice(const Column& source, size_t first, size_t rows);
// One after the other; all of one type. Dictionary columns stay so if they share one pool.
[[nodiscard]] ColumnPtr concatenate(std::span<const ColumnPtr> parts);

}  // namespace tidegate::columnar
