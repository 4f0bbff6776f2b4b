#include "columnar/column.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace tidegate::columnar {

int64_t Column::integer_at(size_t row) const {
  switch (value_width(type)) {
    case 1: return values<uint8_t>()[row];
    case 4: return values<int32_t>()[row];
    default: return values<int64_t>()[row];
  }
}

size_t Column::memory_bytes() const {
  size_t bytes = fixed.capacity() + offsets.capacity() * sizeof(uint32_t) + text.capacity() +
                 validity.words().capacity() * sizeof(uint64_t) + sizeof(Column);
  for (const ColumnPtr& child : children) bytes += child->memory_bytes();
  return bytes;
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

void gather_nested(const Column& source, std::span<const uint32_t> rows, Column& out) {
  if (source.type == TypeKind::kRow) {
    for (const ColumnPtr& child : source.children) out.children.push_back(gather(*child, rows));
    return;
  }
  std::vector<uint32_t> elements;
  out.offsets.reserve(rows.size() + 1);
  out.offsets.push_back(0);
  for (const uint32_t row : rows) {
    if (source.valid(row)) {
      for (uint32_t at = source.offsets[row]; at < source.offsets[row + 1]; ++at) elements.push_back(at);
    }
    out.offsets.push_back(static_cast<uint32_t>(elements.size()));
  }
  out.children.push_back(gather(*source.children[0], elements));
}

// Rows of several columns one after the other: of parts[i] the `rows` ones from `first` on.
struct Part {
  const Column* column;
  size_t first;
  size_t rows;
};

ColumnPtr join_children(std::span<const Part> parts, size_t child) {
  std::vector<ColumnPtr> pieces;
  for (const Part& part : parts) {
    const ColumnPtr& column = part.column->children[child];
    const bool whole = part.first == 0 && part.rows == column->rows;
    pieces.push_back(whole ? column : slice(*column, part.first, part.rows));
  }
  return concatenate(pieces);
}

// The elements of the parts of an ARRAY; their ends go to `out`.
void append_arrays(std::span<const Part> parts, Column& out) {
  out.offsets.push_back(0);
  std::vector<Part> elements;
  for (const Part& part : parts) {
    const auto& offsets = part.column->offsets;
    const uint32_t begin = offsets[part.first];
    const uint32_t shift = out.offsets[out.offsets.size() - 1] - begin;
    for (size_t row = part.first + 1; row <= part.first + part.rows; ++row) out.offsets.push_back(offsets[row] + shift);
    elements.push_back({part.column, begin, offsets[part.first + part.rows] - begin});
  }
  out.children.push_back(join_children(elements, 0));
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

void append_parts(std::span<const Part> parts, Column& out) {
  if (!out.type.is_nested()) {
    for (const Part& part : parts) append_rows(*part.column, part.first, part.rows, out);
    return;
  }
  for (const Part& part : parts) {
    append_validity(*part.column, part.first, part.rows, out);
    out.rows += part.rows;
  }
  if (out.type == TypeKind::kArray) return append_arrays(parts, out);
  for (size_t child = 0; child < out.type.fields->size(); ++child) out.children.push_back(join_children(parts, child));
}

}  // namespace

ColumnBuilder::ColumnBuilder(Type type) {
  column_.type = std::move(type);
  if (!column_.type.is_nested()) return;
  for (const Field& field : *column_.type.fields) children_.emplace_back(field.type);
}

void ColumnBuilder::end_nested() {
  if (column_.type == TypeKind::kArray) {
    if (column_.offsets.empty()) column_.offsets.push_back(0);
    column_.offsets.push_back(static_cast<uint32_t>(children_[0].rows()));
  }
  append_valid();
}

void ColumnBuilder::append_null() {
  if (column_.validity.empty()) column_.validity.resize(column_.rows, true);
  column_.validity.push_back(false);
  ++column_.rows;
  if (column_.is_plain_text()) {
    if (column_.offsets.empty()) column_.offsets.push_back(0);
    column_.offsets.push_back(static_cast<uint32_t>(column_.text.size()));
  } else if (column_.type == TypeKind::kArray) {
    if (column_.offsets.empty()) column_.offsets.push_back(0);
    column_.offsets.push_back(static_cast<uint32_t>(children_[0].rows()));
  } else if (column_.type == TypeKind::kRow) {
    for (ColumnBuilder& field : children_) field.append_null();
  } else {
    column_.fixed.resize(column_.fixed.size() + value_width(column_.type), 0);
  }
}

void ColumnBuilder::append_from(const Column& source, size_t row) {
  if (!source.valid(row)) return append_null();
  if (column_.is_plain_text()) return append_string(source.string_at(row));
  if (column_.type == TypeKind::kArray) {
    for (uint32_t at = source.offsets[row]; at < source.offsets[row + 1]; ++at) {
      children_[0].append_from(*source.children[0], at);
    }
    return end_nested();
  }
  if (column_.type == TypeKind::kRow) {
    for (size_t at = 0; at < children_.size(); ++at) children_[at].append_from(*source.children[at], row);
    return end_nested();
  }
  const size_t width = value_width(column_.type);
  column_.fixed.append({source.fixed.data() + row * width, width});
  append_valid();
}

void ColumnBuilder::reserve(size_t row_count) {
  if (column_.is_plain_text() || column_.type == TypeKind::kArray) {
    column_.offsets.reserve(row_count + 1);
  } else {
    column_.fixed.reserve(row_count * value_width(column_.type));
  }
}

void ColumnBuilder::truncate(size_t row_count) {
  // Children may have values of a row that was never ended.
  if (column_.type.is_nested() && row_count <= column_.rows) {
    const bool array = column_.type == TypeKind::kArray;
    const size_t kept = !array ? row_count : column_.offsets.empty() ? 0 : column_.offsets[row_count];
    for (ColumnBuilder& child : children_) child.truncate(kept);
  }
  if (column_.rows <= row_count) return;
  column_.rows = row_count;
  if (!column_.validity.empty()) column_.validity.truncate(row_count);
  if (column_.type.is_nested()) {
    if (column_.type == TypeKind::kArray) column_.offsets.resize(row_count + 1);
  } else if (column_.is_plain_text()) {
    column_.offsets.resize(row_count + 1);
    column_.text.resize(column_.offsets[row_count]);
  } else {
    column_.fixed.resize(row_count * value_width(column_.type));
  }
}

size_t ColumnBuilder::memory_bytes() const {
  size_t bytes = column_.memory_bytes();
  for (const ColumnBuilder& child : children_) bytes += child.memory_bytes();
  return bytes;
}

ColumnPtr ColumnBuilder::copy(size_t first, size_t row_count) const {
  auto out = std::make_shared<Column>(empty_like(column_));
  if (!column_.type.is_nested()) {
    append_rows(column_, first, row_count, *out);
    return out;
  }
  append_validity(column_, first, row_count, *out);
  out->rows = row_count;
  if (column_.type == TypeKind::kRow) {
    for (const ColumnBuilder& field : children_) out->children.push_back(field.copy(first, row_count));
    return out;
  }
  const uint32_t begin = row_count == 0 ? 0 : column_.offsets[first];
  for (size_t row = 0; row <= row_count; ++row) {
    out->offsets.push_back(row_count == 0 ? 0 : column_.offsets[first + row] - begin);
  }
  out->children.push_back(children_[0].copy(begin, out->offsets[row_count]));
  return out;
}

Column ColumnBuilder::take() {
  const bool has_offsets = column_.is_plain_text() || column_.type == TypeKind::kArray;
  if (has_offsets && column_.offsets.empty()) column_.offsets.push_back(0);
  for (ColumnBuilder& child : children_) column_.children.push_back(child.finish());
  Column fresh;
  fresh.type = column_.type;
  fresh.pool = column_.pool;
  return std::exchange(column_, std::move(fresh));
}

ColumnPtr ColumnBuilder::finish() { return std::make_shared<const Column>(take()); }

ColumnPtr gather(const Column& source, std::span<const uint32_t> rows) {
  auto out = std::make_shared<Column>(empty_like(source));
  if (source.type.is_nested()) {
    gather_nested(source, rows, *out);
  } else if (source.is_plain_text()) {
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
  const Part part{&source, first, rows};
  append_parts({&part, 1}, *out);
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
  std::vector<Part> all;
  all.reserve(parts.size());
  for (const ColumnPtr& part : parts) all.push_back({part.get(), 0, part->rows});
  append_parts(all, *out);
  return out;
}

Column gather_or_null(const Column& source, std::span<const uint32_t> rows) {
  ColumnBuilder builder(source.type);
  builder.reserve(rows.size());
  for (const uint32_t row : rows) {
    if (row == kNoRow) {
      builder.append_null();
    } else {
      builder.append_from(source, row);
    }
  }
  return builder.take();
}

}  // namespace tidegate::columnar
