#include "engine/internal/edge_value.h"

#include <tuple>

#include "base/check.h"
#include "columnar/value_bytes.h"

namespace tidegate::engine {

namespace {

bool is_bytes(const AggregateField& field) {
  return columnar::is_text(field.argument_type) || columnar::is_wide(field.argument_type);
}

}  // namespace

void TextExtreme::add(const AggregateField& field, const CellRows& rows, size_t row) {
  offer(field, rows.input.columns[field.argument]->string_at(row));
}

void TextExtreme::merge(const AggregateField& field, const TextExtreme& other) {
  if (other.has_) offer(field, other.held_);
}

void TextExtreme::offer(const AggregateField& field, std::string_view text) {
  const bool better = !has_ || (field.kind == FieldKind::kMinText ? text < held_ : text > held_);
  if (better) held_.assign(text);
  has_ = true;
}

bool TextExtreme::emit(const AggregateField&, const AggregateResult&, const WindowBounds&,
                       columnar::ColumnBuilder& out) const {
  out.append_string(held_);
  return true;
}

bool TextExtreme::read(const AggregateField&, ByteReader& in) {
  held_.assign(in.text());
  has_ = true;
  return in.ok();
}

bool EdgeValue::takes_over(const AggregateField& field, int64_t time, uint16_t key_group) const {
  if (!has_) return true;
  const auto held = std::tie(time_, key_group_);
  return field.kind == FieldKind::kFirst ? std::tie(time, key_group) < held : std::tie(time, key_group) >= held;
}

void EdgeValue::add(const AggregateField& field, const CellRows& rows, size_t row) {
  const int64_t time = rows.order.times[row];
  const uint16_t key_group = rows.order.key_groups[row];
  if (!takes_over(field, time, key_group)) return;
  const columnar::Column& values = *rows.input.columns[field.argument];
  has_ = true;
  time_ = time;
  key_group_ = key_group;
  if (columnar::is_text(values.type)) {
    text_.assign(values.string_at(row));
  } else if (columnar::is_wide(values.type)) {
    text_.clear();
    columnar::append_value_bytes(values, row, text_);
  } else {
    bits_ = bits_at(values, row);
  }
}

void EdgeValue::merge(const AggregateField& field, const EdgeValue& other) {
  if (other.has_ && takes_over(field, other.time_, other.key_group_)) *this = other;
}

bool EdgeValue::emit(const AggregateField& field, const AggregateResult&, const WindowBounds&,
                     columnar::ColumnBuilder& out) const {
  if (columnar::is_text(field.argument_type)) {
    out.append_string(text_);
  } else if (columnar::is_wide(field.argument_type)) {
    ByteReader in(text_);
    CHECK(columnar::read_value_bytes(in, out));
  } else {
    append_bits(bits_, field.argument_type, out);
  }
  return true;
}

void EdgeValue::write(const AggregateField& field, ByteWriter& out) const {
  out.zigzag(time_);
  out.fixed(key_group_);
  if (is_bytes(field)) {
    out.text(text_);
  } else {
    out.fixed(bits_);
  }
}

bool EdgeValue::read(const AggregateField& field, ByteReader& in) {
  time_ = in.zigzag();
  key_group_ = in.fixed<uint16_t>();
  if (is_bytes(field)) {
    text_.assign(in.text());
    ByteReader value(text_);
    const bool wide = columnar::is_wide(field.argument_type);
    if (wide && (!columnar::skip_value_bytes(value, field.argument_type) || !value.finished())) return false;
  } else {
    bits_ = in.fixed<int64_t>();
  }
  has_ = true;
  return in.ok();
}

}  // namespace tidegate::engine
