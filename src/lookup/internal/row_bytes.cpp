#include "lookup/row_bytes.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"

namespace tidegate::lookup {

namespace {

void read_value(ByteReader& in, columnar::ColumnBuilder& column) {
  if (in.fixed<uint8_t>() == 0) return column.append_null();
  if (columnar::is_text(column.type())) return column.append_string(in.text());
  switch (columnar::value_width(column.type())) {
    case 1: return column.append(in.fixed<uint8_t>());
    case 4: return column.append(in.fixed<int32_t>());
    default: return column.append(in.fixed<int64_t>());
  }
}

}  // namespace

void append_value(const columnar::Column& column, size_t row, std::string& out) {
  ByteWriter writer(out);
  if (!column.valid(row)) return writer.fixed<uint8_t>(0);
  writer.fixed<uint8_t>(1);
  if (columnar::is_text(column.type)) return writer.text(column.string_at(row));
  const size_t width = columnar::value_width(column.type);
  writer.raw(ByteSpan{column.fixed.data() + row * width, width});
}

void append_row(const columnar::Batch& rows, std::span<const size_t> columns, size_t row, std::string& out) {
  for (const size_t column : columns) append_value(*rows.columns[column], row, out);
}

std::string encode_rows(const columnar::Batch& rows) {
  std::string out;
  for (size_t row = 0; row < rows.rows; ++row) {
    for (const columnar::ColumnPtr& column : rows.columns) append_value(*column, row, out);
  }
  return out;
}

std::optional<columnar::Batch> decode_rows(std::string_view bytes, const columnar::SchemaPtr& schema, size_t count) {
  ByteReader in(bytes);
  columnar::BatchBuilder rows(schema);
  for (size_t row = 0; row < count && in.ok(); ++row) {
    for (size_t column = 0; column < schema->fields.size(); ++column) read_value(in, rows.column(column));
    rows.end_row();
  }
  if (!in.finished() || rows.rows() != count) return std::nullopt;
  return rows.finish();
}

std::vector<uint32_t> key_order(const columnar::Batch& rows, std::span<const size_t> key,
                                std::optional<size_t> version_column) {
  std::vector<std::string> keys(rows.rows);
  for (size_t row = 0; row < rows.rows; ++row) append_row(rows, key, row, keys[row]);
  std::vector<uint32_t> order(rows.rows);
  std::iota(order.begin(), order.end(), uint32_t{0});
  const auto since = [&](uint32_t row) {
    return version_column ? rows.columns[*version_column]->values<int64_t>()[row] : 0;
  };
  std::ranges::stable_sort(order, [&](uint32_t left, uint32_t right) {
    const int compared = keys[left].compare(keys[right]);
    return compared != 0 ? compared < 0 : since(left) < since(right);
  });
  return order;
}

}  // namespace tidegate::lookup
