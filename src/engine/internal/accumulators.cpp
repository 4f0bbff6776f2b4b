#include "engine/internal/accumulators.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace tidegate::engine {

using columnar::Column;
using columnar::TypeKind;

namespace {

__extension__ using Wide = __int128;

template <class T>
T load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void store(uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

bool is_text(FieldKind kind) { return kind == FieldKind::kMinText || kind == FieldKind::kMaxText; }

void write_fresh(const AggregateField& field, uint8_t* row) {
  uint8_t* at = row + field.offset;
  switch (field.kind) {
    case FieldKind::kMinInt: store(at, std::numeric_limits<int64_t>::max()); break;
    case FieldKind::kMaxInt: store(at, std::numeric_limits<int64_t>::min()); break;
    case FieldKind::kMinDouble:
    case FieldKind::kMaxDouble: store(at, std::numeric_limits<double>::quiet_NaN()); break;
    case FieldKind::kSumWide: store(at, Wide{0}); break;
    default: store(at, uint64_t{0}); break;
  }
}

// Each adds one value to a field. They do not depend on the order of values, save for rounding in sums of doubles.
struct AddOne {
  void operator()(uint8_t* at, uint64_t) const { store(at, load<uint64_t>(at) + 1); }
};
struct AddInt {
  void operator()(uint8_t* at, int64_t value) const { store(at, load<uint64_t>(at) + static_cast<uint64_t>(value)); }
};
struct AddWide {
  void operator()(uint8_t* at, int64_t value) const { store(at, load<Wide>(at) + value); }
};
struct AddDouble {
  void operator()(uint8_t* at, double value) const { store(at, load<double>(at) + value); }
};
struct Least {
  void operator()(uint8_t* at, int64_t value) const { store(at, std::min(load<int64_t>(at), value)); }
  void operator()(uint8_t* at, double value) const {
    const auto held = load<double>(at);
    store(at, value < held || held != held ? value : held);
  }
};
struct Greatest {
  void operator()(uint8_t* at, int64_t value) const { store(at, std::max(load<int64_t>(at), value)); }
  void operator()(uint8_t* at, double value) const {
    const auto held = load<double>(at);
    store(at, value > held || held != held ? value : held);
  }
};

struct Target {
  uint8_t* field;  // of slot 0
  size_t stride;
  std::span<const uint32_t> slots;
  size_t first;
  size_t last;
};

template <class Value, class Add>
void add_values(const Target& target, const Column& column, Add add) {
  const Value* values = column.values<Value>().data();
  const uint32_t* slots = target.slots.data();
  if (!column.has_nulls()) {
    for (size_t i = target.first; i < target.last; ++i) add(target.field + slots[i] * target.stride, values[i]);
    return;
  }
  for (size_t i = target.first; i < target.last; ++i) {
    if (column.valid(i)) add(target.field + slots[i] * target.stride, values[i]);
  }
}

template <class Add>
void add_integers(const Target& target, const Column& column, Add add) {
  switch (columnar::value_width(column.type)) {
    case 1: return add_values<uint8_t>(target, column, [add](uint8_t* at, uint8_t v) { add(at, int64_t{v}); });
    case 4: return add_values<int32_t>(target, column, [add](uint8_t* at, int32_t v) { add(at, int64_t{v}); });
    default: return add_values<int64_t>(target, column, add);
  }
}

void count_rows(const Target& target, const Column* column) {
  const uint32_t* slots = target.slots.data();
  const bool all = column == nullptr || !column->has_nulls();
  for (size_t i = target.first; i < target.last; ++i) {
    if (all || column->valid(i)) AddOne{}(target.field + slots[i] * target.stride, 0);
  }
}

}  // namespace

uint32_t TextCells::put(uint32_t cell, std::string_view text) {
  if (cell == 0) {
    if (free_.empty()) {
      cells_.emplace_back();
      free_.push_back(static_cast<uint32_t>(cells_.size()));
    }
    cell = free_.back();
    free_.pop_back();
  }
  std::string& held = cells_[cell - 1];
  bytes_ -= held.capacity();
  held.assign(text);
  bytes_ += held.capacity();
  return cell;
}

void TextCells::release(uint32_t cell) {
  if (cell != 0) free_.push_back(cell);
}

Accumulators::Accumulators(const AggregateLayout& layout) : layout_(layout), stride_(layout.stride()) {
  fresh_.resize(stride_, 0);
  for (const AggregateField& field : layout_.fields()) {
    write_fresh(field, fresh_.data());
    has_text_ = has_text_ || is_text(field.kind);
  }
  CHECK(take() == kDiscard);
}

uint32_t Accumulators::take() {
  if (!free_.empty()) {
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  memory_.append(fresh_.span());
  return static_cast<uint32_t>(slots_++);
}

void Accumulators::release(uint32_t slot) {
  reset(slot);
  free_.push_back(slot);
}

void Accumulators::reset(uint32_t slot) {
  if (has_text_) {
    for (const AggregateField& field : layout_.fields()) {
      if (is_text(field.kind)) texts_.release(static_cast<uint32_t>(load<uint64_t>(row(slot) + field.offset)));
    }
  }
  std::memcpy(row(slot), fresh_.data(), stride_);
}

void Accumulators::update(const columnar::Batch& input, std::span<const uint32_t> slots, size_t first, size_t last) {
  for (const AggregateField& field : layout_.fields()) {
    const bool has_argument = field.kind != FieldKind::kCountStar;
    update_field(field, has_argument ? input.columns[field.argument].get() : nullptr, slots, first, last);
  }
}

void Accumulators::update_field(const AggregateField& field, const Column* values, std::span<const uint32_t> slots,
                                size_t first, size_t last) {
  const Target target{memory_.data() + field.offset, stride_, slots, first, last};
  switch (field.kind) {
    case FieldKind::kCountStar: return count_rows(target, nullptr);
    case FieldKind::kCount: return count_rows(target, values);
    case FieldKind::kSumInt: return add_integers(target, *values, AddInt{});
    case FieldKind::kSumWide: return add_integers(target, *values, AddWide{});
    case FieldKind::kSumDouble: return add_values<double>(target, *values, AddDouble{});
    case FieldKind::kMinInt: return add_integers(target, *values, Least{});
    case FieldKind::kMaxInt: return add_integers(target, *values, Greatest{});
    case FieldKind::kMinDouble: return add_values<double>(target, *values, Least{});
    case FieldKind::kMaxDouble: return add_values<double>(target, *values, Greatest{});
    case FieldKind::kMinText:
    case FieldKind::kMaxText: return update_text(field, *values, slots, first, last);
  }
}

void Accumulators::update_text(const AggregateField& field, const Column& values, std::span<const uint32_t> slots,
                               size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    if (slots[i] != kDiscard && values.valid(i)) offer_text(field, slots[i], values.string_at(i));
  }
}

void Accumulators::offer_text(const AggregateField& field, uint32_t slot, std::string_view text) {
  uint8_t* at = row(slot) + field.offset;
  const auto cell = static_cast<uint32_t>(load<uint64_t>(at));
  const bool least = field.kind == FieldKind::kMinText;
  const bool better = cell == 0 || (least ? text < texts_.at(cell) : text > texts_.at(cell));
  if (better) store(at, uint64_t{texts_.put(cell, text)});
}

void Accumulators::merge(uint32_t into, const Accumulators& other, uint32_t from) {
  for (const AggregateField& field : layout_.fields()) merge_field(field, into, other, from);
}

void Accumulators::merge_field(const AggregateField& field, uint32_t into, const Accumulators& other, uint32_t from) {
  uint8_t* at = row(into) + field.offset;
  const uint8_t* source = other.row(from) + field.offset;
  switch (field.kind) {
    case FieldKind::kCountStar:
    case FieldKind::kCount:
    case FieldKind::kSumInt: return AddInt{}(at, load<int64_t>(source));
    case FieldKind::kSumWide: return store(at, load<Wide>(at) + load<Wide>(source));
    case FieldKind::kSumDouble: return AddDouble{}(at, load<double>(source));
    case FieldKind::kMinInt: return Least{}(at, load<int64_t>(source));
    case FieldKind::kMaxInt: return Greatest{}(at, load<int64_t>(source));
    case FieldKind::kMinDouble: return Least{}(at, load<double>(source));
    case FieldKind::kMaxDouble: return Greatest{}(at, load<double>(source));
    case FieldKind::kMinText:
    case FieldKind::kMaxText: {
      const auto cell = static_cast<uint32_t>(load<uint64_t>(source));
      if (cell != 0) offer_text(field, into, std::string(other.texts_.at(cell)));
    }
  }
}

uint64_t Accumulators::emit(uint32_t slot, columnar::BatchBuilder& out, size_t first_column) const {
  uint64_t overflows = 0;
  for (size_t at = 0; at < layout_.results().size(); ++at) {
    if (!emit_value(layout_.results()[at], slot, out.column(first_column + at))) ++overflows;
  }
  return overflows;
}

bool Accumulators::emit_value(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const {
  using enum sql::AggregateFunction;
  const auto count = load<int64_t>(row(slot) + layout_.fields()[result.count_field].offset);
  if (result.function == kCountStar || result.function == kCount) {
    out.append<int64_t>(count);
    return true;
  }
  if (count == 0) {
    out.append_null();
    return true;
  }
  if (result.function == kSum || result.function == kAvg) return emit_sum(result, slot, out);
  emit_extreme(result, slot, out);
  return true;
}

bool Accumulators::emit_sum(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const {
  const AggregateField& field = layout_.fields()[result.value_field];
  const uint8_t* at = row(slot) + field.offset;
  const auto count = load<int64_t>(row(slot) + layout_.fields()[result.count_field].offset);
  const bool average = result.function == sql::AggregateFunction::kAvg;
  if (field.kind == FieldKind::kSumDouble) {
    const auto sum = load<double>(at);
    out.append<double>(average ? sum / static_cast<double>(count) : sum);
    return true;
  }
  const Wide sum = field.kind == FieldKind::kSumInt ? Wide{load<int64_t>(at)} : load<Wide>(at);
  if (average) {
    out.append<double>(static_cast<double>(sum) / static_cast<double>(count));
    return true;
  }
  const bool fits = sum >= std::numeric_limits<int64_t>::min() && sum <= std::numeric_limits<int64_t>::max();
  if (fits) {
    out.append<int64_t>(static_cast<int64_t>(sum));
  } else {
    out.append_null();
  }
  return fits;
}

void Accumulators::emit_extreme(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const {
  const AggregateField& field = layout_.fields()[result.value_field];
  const uint8_t* at = row(slot) + field.offset;
  if (is_text(field.kind)) return out.append_string(texts_.at(static_cast<uint32_t>(load<uint64_t>(at))));
  if (field.argument_type == TypeKind::kDouble) return out.append<double>(load<double>(at));
  const auto value = load<int64_t>(at);
  switch (columnar::value_width(field.argument_type)) {
    case 1: return out.append<uint8_t>(static_cast<uint8_t>(value));
    case 4: return out.append<int32_t>(static_cast<int32_t>(value));
    default: return out.append<int64_t>(value);
  }
}

void Accumulators::write(uint32_t slot, ByteWriter& out) const {
  for (const AggregateField& field : layout_.fields()) {
    const uint8_t* at = row(slot) + field.offset;
    if (is_text(field.kind)) {
      const auto cell = static_cast<uint32_t>(load<uint64_t>(at));
      out.fixed<uint8_t>(cell != 0);
      if (cell != 0) out.text(texts_.at(cell));
    } else if (field.kind == FieldKind::kCount || field.kind == FieldKind::kCountStar) {
      out.varint(load<uint64_t>(at));
    } else {
      out.raw(ByteSpan{at, field.kind == FieldKind::kSumWide ? size_t{16} : size_t{8}});
    }
  }
}

bool Accumulators::read(uint32_t slot, ByteReader& in) {
  for (const AggregateField& field : layout_.fields()) {
    if (is_text(field.kind)) {
      if (in.fixed<uint8_t>() == 0) continue;
      const std::string_view text = in.text();
      store(row(slot) + field.offset, uint64_t{texts_.put(0, text)});
    } else if (field.kind == FieldKind::kCount || field.kind == FieldKind::kCountStar) {
      store(row(slot) + field.offset, in.varint());
    } else {
      const std::string_view bytes = in.raw(field.kind == FieldKind::kSumWide ? 16 : 8);
      if (in.ok()) std::memcpy(row(slot) + field.offset, bytes.data(), bytes.size());
    }
  }
  return in.ok();
}

}  // namespace tidegate::engine
