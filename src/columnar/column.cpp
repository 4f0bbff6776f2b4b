#include "columnar/column.h"

#include "base/check.h"

#include <algorithm>

namespace tidegate::columnar {

int64_t Column::integer_at(size_t row) const {
  switch (value_width(type)) {
    case 1: return values<uint8_t>()[row];
    case 4: return values<int32_t>()[row];
    default: return values<int64_t>()[row];
  }
}

size_t Column::memory_bytes() const {
  return fixed.capacity() + offsets.capacity() * sizeof(uint32_t) + text.capacity() +
         validity.words().capacity() * sizeof(uint64_t) + sizeof(Column);
}

namespace {

Column empty_like(const Column& source) {
  Column column;
  column.type = source.type;
  column.pool = source.pool;
  if (source.is_plain_text()) column.offsets.push_back(0);
  return column;
}

template <size_t kWidth>
void gather_fixed(const Column& source, std::span<const uint32_t> rows, Column& out) {
  out.fixed.resize(rows.size() * kWidth);
  const uint8_t* from = source.fixed.data();
  uint8_t* to = out.fixed.data();
  for (const uint32_t row : rows) {
    std::memcpy(to, from + row * kWidth, kWidth);
    to += kWidth;
  }
}

void gather_text(const Column& source, std::span<const uint32_t> rows, Column& out) {
  for (const uint32_t row : rows) {
    const uint32_t begin = source.offsets[row];
    out.text.append({source.text.data() + begin, source.offsets[row + 1] - begin});
    out.offsets.push_back(static_cast<uint32_t>(out.text.size()));
  }
}

void append_validity(const Column& source, size_t first, size_t rows, Column& out) {
  if (!source.has_nulls() && !out.has_nulls()) return;
  if (!out.has_nulls()) out.validity.resize(out.rows, true);
  for (size_t row = first; row < first + rows; ++row) out.validity.push_back(source.valid(row));
}

void append_text_rows(const Column& source, size_t first, size_t rows, Column& out) {
  if (rows == 0) return;
  const uint32_t begin = source.is_plain_text() ? source.offsets[first] : 0;
  if (!source.is_plain_text()) {
    for (size_t row = first; row < first + rows; ++row) {
      if (source.valid(row)) {
        const std::string_view text = source.string_at(row);
        out.text.append({text.data(), text.size()});
      }
      out.offsets.push_back(static_cast<uint32_t>(out.text.size()));
    }
    return;
  }
  const auto shift = static_cast<uint32_t>(out.text.size()) - begin;
  out.text.append({source.text.data() + begin, source.offsets[first + rows] - begin});
  for (size_t row = first + 1; row <= first + rows; ++row) out.offsets.push_back(source.offsets[row] + shift);
}

void append_rows(const Column& source, size_t first, size_t rows, Column& out) {
  append_validity(source, first, rows, out);
  if (out.is_plain_text()) {
    append_text_rows(source, first, rows, out);
  } else {
    const size_t width = value_width(source.type);
    out.fixed.append({source.fixed.data() + first * width, rows * width});
  }
  out.rows += rows;
}

}  // namespace

void ColumnBuilder::append_null() {
  if (column_.validity.empty()) column_.validity.resize(column_.rows, true);
  column_.validity.push_back(false);
  ++column_.rows;
  if (column_.is_plain_text()) {
    if (column_.offsets.empty()) column_.offsets.push_back(0);
    column_.offsets.push_back(static_cast<uint32_t>(column_.text.size()));
  } else {
    column_.fixed.resize(column_.fixed.size() + value_width(column_.type), 0);
  }
}

void ColumnBuilder::append_from(const Column& source, size_t row) {
  if (!source.valid(row)) return append_null();
  if (column_.is_plain_text()) return append_string(source.string_at(row));
  const size_t width = value_width(column_.type);
  column_.fixed.append({source.fixed.data() + row * width, width});
  append_valid();
}

void ColumnBuilder::reserve(size_t row_count) {
  if (column_.is_plain_text()) {
    column_.offsets.reserve(row_count + 1);
  } else {
    column_.fixed.reserve(row_count * value_width(column_.type));
  }
}

void ColumnBuilder::truncate(size_t row_count) {
  if (column_.rows <= row_count) return;
  column_.rows = row_count;
  if (!column_.validity.empty()) column_.validity.truncate(row_count);
  if (column_.is_plain_text()) {
    column_.offsets.resize(row_count + 1);
    column_.text.resize(column_.offsets[row_count]);
  } else {
    column_.fixed.resize(row_count * value_width(column_.type));
  }
}

ColumnPtr ColumnBuilder::finish() {
  if (column_.is_plain_text() && column_.offsets.empty()) column_.offsets.push_back(0);
  Column fresh;
  fresh.type = column_.type;
  fresh.pool = column_.pool;
  auto done = std::make_shared<const Column>(std::move(column_));
  column_ = std::move(fresh);
  return done;
}

ColumnPtr gather(const Column& source, std::span<const uint32_t> rows) {
  auto out = std::make_shared<Column>(empty_like(source));
  if (source.is_plain_text()) {
    gather_text(source, rows, *out);
  } else if (value_width(source.type) == 8) {
    gather_fixed<8>(source, rows, *out);
  } else if (value_width(source.type) == 16) {
    gather_fixed<16>(source, rows, *out);
  } else if (value_width(source.type) == 4) {
    gather_fixed<4>(source, rows, *out);
  } else {
    gather_fixed<1>(source, rows, *out);
  }
  if (source.has_nulls()) {
    for (const uint32_t row : rows) out->validity.push_back(source.valid(row));
  }
  out->rows = rows.size();
  return out;
}

ColumnPtr slice(const Column& source, size_t first, size_t rows) {
  CHECK(first + rows <= source.rows);
  auto out = std::make_shared<Column>(empty_like(source));
  append_rows(source, first, rows, *out);
  return out;
}

ColumnPtr concatenate(std::span<const ColumnPtr> parts) {
  CHECK(!parts.empty());
  if (parts.size() == 1) return parts.front();
  Column prototype = empty_like(*parts.front());
  const bool one_pool = std::ranges::all_of(parts, [&](const ColumnPtr& part) { return part->pool == prototype.pool; });
  if (!one_pool) {
    prototype.pool = nullptr;
    prototype.offsets.resize(1, 0);
  }
  auto out = std::make_shared<Column>(std::move(prototype));
  for (const ColumnPtr& part : parts) append_rows(*part, 0, part->rows, *out);
  return out;
}

}  // namespace tidegate::columnar
