#include "columnar/value_bytes.h"

namespace tidegate::columnar {

void append_value_bytes(const Column& column, size_t row, std::string& out) {
  ByteWriter writer(out);
  if (is_text(column.type)) return writer.text(column.string_at(row));
  const size_t width = value_width(column.type);
  writer.raw(ByteSpan{column.fixed.data() + row * width, width});
}

bool read_value_bytes(ByteReader& in, ColumnBuilder& out) {
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
  if (is_text(type)) {
    (void)in.text();
  } else {
    (void)in.raw(value_width(type));
  }
  return in.ok();
}

}  // namespace tidegate::columnar
