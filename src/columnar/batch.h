// Schema and Batch: a run of rows of one schema, with a row kind each.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/column.h"

namespace tidegate::columnar {

struct Schema {
  std::vector<Field> fields;

  [[nodiscard]] std::optional<size_t> index_of(std::string_view name) const;
  bool operator==(const Schema&) const = default;
};
// Shared because every batch of a stream points at the same one.
using SchemaPtr = std::shared_ptr<const Schema>;

// What a row does to the result it belongs to. The numbers are Flink's RowKind and are written to disk.
enum class RowKind : uint8_t { kInsert = 0, kUpdateBefore = 1, kUpdateAfter = 2, kDelete = 3 };

// Immutable by convention once passed on; copying is cheap (columns are shared).
struct Batch {
  SchemaPtr schema;
  std::vector<ColumnPtr> columns;  // one per field of the schema, each of `rows` rows
  std::vector<RowKind> kinds;      // empty: all rows are inserts
  size_t rows = 0;

  [[nodiscard]] RowKind kind(size_t row) const { return kinds.empty() ? RowKind::kInsert : kinds[row]; }
  [[nodiscard]] size_t memory_bytes() const;
};

// The named rows, in that order.
[[nodiscard]] Batch gather(const Batch& source, std::span<const uint32_t> rows);
[[nodiscard]] Batch slice(const Batch& source, size_t first, size_t rows);
// All of one schema; at least one.
[[nodiscard]] Batch concatenate(std::span<const Batch> parts);

// Builds a batch row by row: append one value to every column, then end_row().
class BatchBuilder {
 public:
  // `device_column`, if given, is dictionary-encoded with `devices`.
  BatchBuilder(SchemaPtr schema, std::optional<size_t> device_column, const StringPool* devices);
  explicit BatchBuilder(SchemaPtr schema) : BatchBuilder(std::move(schema), std::nullopt, nullptr) {}

  [[nodiscard]] ColumnBuilder& column(size_t index) { return columns_[index]; }
  [[nodiscard]] const ColumnBuilder& column(size_t index) const { return columns_[index]; }
  [[nodiscard]] size_t column_count() const { return columns_.size(); }
  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  [[nodiscard]] size_t rows() const { return rows_; }
  void end_row() { ++rows_; }
  // Takes back what was appended since the last end_row().
  void cancel_row();
  void reserve(size_t row_count);
  [[nodiscard]] size_t memory_bytes() const;
  // Hands the rows over and starts anew.
  [[nodiscard]] Batch finish();

 private:
  SchemaPtr schema_;
  std::vector<ColumnBuilder> columns_;
  size_t rows_ = 0;
};

}  // namespace tidegate::columnar
