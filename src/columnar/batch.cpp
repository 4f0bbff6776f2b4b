#include "columnar/batch.h"

#include "base/check.h"

namespace tidegate::columnar {

std::optional<size_t> Schema::index_of(std::string_view name) const {
  for (size_t at = 0; at < fields.size(); ++at) {
    if (fields[at].name == name) return at;
  }
  return std::nullopt;
}

size_t Batch::memory_bytes() const {
  size_t bytes = sizeof(Batch) + kinds.capacity();
  for (const ColumnPtr& column : columns) bytes += column->memory_bytes();
  return bytes;
}

Batch gather(const Batch& source, std::span<const uint32_t> rows) {
  Batch out{source.schema, {}, {}, rows.size()};
  for (const ColumnPtr& column : source.columns) out.columns.push_back(gather(*column, rows));
  if (!source.kinds.empty()) {
    for (const uint32_t row : rows) out.kinds.push_back(source.kinds[row]);
  }
  return out;
}

Batch slice(const Batch& source, size_t first, size_t rows) {
  if (first == 0 && rows == source.rows) return source;
  Batch out{source.schema, {}, {}, rows};
  for (const ColumnPtr& column : source.columns) out.columns.push_back(slice(*column, first, rows));
  if (!source.kinds.empty()) {
    const auto begin = source.kinds.begin() + static_cast<ptrdiff_t>(first);
    out.kinds.assign(begin, begin + static_cast<ptrdiff_t>(rows));
  }
  return out;
}

Batch concatenate(std::span<const Batch> parts) {
  CHECK(!parts.empty());
  if (parts.size() == 1) return parts.front();
  Batch out{parts.front().schema, {}, {}, 0};
  bool any_kinds = false;
  for (const Batch& part : parts) {
    out.rows += part.rows;
    any_kinds = any_kinds || !part.kinds.empty();
  }
  std::vector<ColumnPtr> pieces(parts.size());
  for (size_t column = 0; column < parts.front().columns.size(); ++column) {
    for (size_t part = 0; part < parts.size(); ++part) pieces[part] = parts[part].columns[column];
    out.columns.push_back(concatenate(pieces));
  }
  if (!any_kinds) return out;
  for (const Batch& part : parts) {
    for (size_t row = 0; row < part.rows; ++row) out.kinds.push_back(part.kind(row));
  }
  return out;
}

BatchBuilder::BatchBuilder(SchemaPtr schema, std::optional<size_t> device_column, const StringPool* devices)
    : schema_(std::move(schema)) {
  columns_.reserve(schema_->fields.size());
  for (size_t at = 0; at < schema_->fields.size(); ++at) {
    if (device_column == at && devices != nullptr) {
      columns_.emplace_back(*devices);
    } else {
      columns_.emplace_back(schema_->fields[at].type);
    }
  }
}

void BatchBuilder::cancel_row() {
  for (ColumnBuilder& column : columns_) column.truncate(rows_);
}

void BatchBuilder::reserve(size_t row_count) {
  for (ColumnBuilder& column : columns_) column.reserve(row_count);
}

size_t BatchBuilder::memory_bytes() const {
  size_t bytes = 0;
  for (const ColumnBuilder& column : columns_) bytes += column.memory_bytes();
  return bytes;
}

Batch BatchBuilder::finish() {
  Batch out{schema_, {}, {}, rows_};
  for (ColumnBuilder& column : columns_) {
    CHECK(column.rows() == rows_);
    out.columns.push_back(column.finish());
  }
  rows_ = 0;
  return out;
}

}  // namespace tidegate::columnar
