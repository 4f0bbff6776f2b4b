#include "columnar/value_bytes.h"

#include <optional>

namespace tidegate::columnar {

namespace {

void append_flagged(const Column& column, size_t row, std::string& out) {
  const bool valid = column.valid(row);
  ByteWriter(out).fixed(static_cast<uint8_t>(valid ? 1 : 0));
  if (valid) append_value_bytes(column, row, out);
}

bool read_flagged(ByteReader& in, ColumnBuilder& out) {
  if (in.fixed<uint8_t>() != 0) return read_value_bytes(in, out);
  out.append_null();
  return in.ok();
}

bool skip_flagged(ByteReader& in, const Type& type) {
  return in.fixed<uint8_t>() == 0 ? in.ok() : skip_value_bytes(in, type);
}

// How many elements an array has; nothing if so many cannot follow, each being a byte at least.
std::optional<uint64_t> read_length(ByteReader& in) {
  const uint64_t length = in.varint();
  return in.ok() && length <= in.remaining() ? std::optional(length) : std::nullopt;
}

bool read_array(ByteReader& in, ColumnBuilder& out) {
  const auto length = read_length(in);
  if (!length) return false;
  for (uint64_t at = 0; at < *length; ++at) {
    if (!read_flagged(in, out.child(0))) return false;
  }
  out.end_nested();
  return true;
}

bool read_row(ByteReader& in, ColumnBuilder& out) {
  for (size_t at = 0; at < out.type().fields->size(); ++at) {
    if (!read_flagged(in, out.child(at))) return false;
  }
  out.end_nested();
  return true;
}

bool skip_nested(ByteReader& in, const Type& type) {
  if (type == TypeKind::kRow) {
    for (const Field& field : *type.fields) {
      if (!skip_flagged(in, field.type)) return false;
    }
    return true;
  }
  const auto length = read_length(in);
  if (!length) return false;
  for (uint64_t at = 0; at < *length; ++at) {
    if (!skip_flagged(in, type.element().type)) return false;
  }
  return true;
}

}  // namespace

void append_value_bytes(const Column& column, size_t row, std::string& out) {
  ByteWriter writer(out);
  if (is_text(column.type)) return writer.text(column.string_at(row));
  if (column.type == TypeKind::kRow) {
    for (const ColumnPtr& child : column.children) append_flagged(*child, row, out);
    return;
  }
  if (column.type == TypeKind::kArray) {
    writer.varint(column.length_at(row));
    for (uint32_t at = column.offsets[row]; at < column.offsets[row + 1]; ++at) {
      append_flagged(*column.children[0], at, out);
    }
    return;
  }
  const size_t width = value_width(column.type);
  writer.raw(ByteSpan{column.fixed.data() + row * width, width});
}

bool read_value_bytes(ByteReader& in, ColumnBuilder& out) {
  if (out.type() == TypeKind::kArray) return read_array(in, out);
  if (out.type() == TypeKind::kRow) return read_row(in, out);
  if (is_text(out.type())) {
    out.append_string(in.text());
  } else {
    const std::string_view bytes = in.raw(value_width(out.type()));
    if (!in.ok()) return false;
    out.append_fixed(as_bytes(bytes));
  }
  return in.ok();
}

bool skip_value_bytes(ByteReader& in, const Type& type) {
  if (type.is_nested()) return skip_nested(in, type);
  if (is_text(type)) {
    (void)in.text();
  } else {
    (void)in.raw(value_width(type));
  }
  return in.ok();
}

}  // namespace tidegate::columnar
