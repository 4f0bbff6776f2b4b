#include "engine/internal/accumulators.h"

#include <cmath>
#include <limits>

#include "base/check.h"
#include "engine/internal/slot_fields.h"

namespace tidegate::engine {

using columnar::Column;
using columnar::TypeKind;

namespace {

constexpr Wide kGreatestWide = static_cast<Wide>(~columnar::UInt128{0} >> 1);

void write_fresh(const AggregateField& field, uint8_t* row) {
  uint8_t* at = row + field.offset;
  switch (field.kind) {
    case FieldKind::kMinInt: store(at, std::numeric_limits<int64_t>::max()); break;
    case FieldKind::kMaxInt: store(at, std::numeric_limits<int64_t>::min()); break;
    case FieldKind::kMinDouble:
    case FieldKind::kMaxDouble: store(at, std::numeric_limits<double>::quiet_NaN()); break;
    case FieldKind::kSumWide: store(at, Wide{0}); break;
    case FieldKind::kSumDecimal: store_sum(at, {}); break;
    // More digits than any DECIMAL has.
    case FieldKind::kMinDecimal: store(at, kGreatestWide); break;
    case FieldKind::kMaxDecimal: store(at, -kGreatestWide); break;
    case FieldKind::kMoments: store(at, Moments{}); break;
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
struct AddDecimal {
  void operator()(uint8_t* at, Wide value) const {
    auto sum = load_sum(at);
    sum.add(columnar::Decimal{value});
    store_sum(at, sum);
  }
};
struct AddDouble {
  void operator()(uint8_t* at, double value) const { store(at, load<double>(at) + value); }
};
struct AddMoments {
  template <class Value>
  void operator()(uint8_t* at, Value value) const {
    auto moments = load<Moments>(at);
    moments.add(static_cast<double>(value));
    store(at, moments);
  }
};
struct Least {
  void operator()(uint8_t* at, int64_t value) const { store(at, std::min(load<int64_t>(at), value)); }
  void operator()(uint8_t* at, double value) const {
    const auto held = load<double>(at);
    store(at, value < held || held != held ? value : held);
  }
};
struct LeastDecimal {
  void operator()(uint8_t* at, Wide value) const { store(at, std::min(load<Wide>(at), value)); }
};
struct GreatestDecimal {
  void operator()(uint8_t* at, Wide value) const { store(at, std::max(load<Wide>(at), value)); }
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

template <class Add>
void add_reals(const Target& target, const Column& column, Add add) {
  if (column.type == TypeKind::kDouble) return add_values<double>(target, column, add);
  return add_values<float>(target, column, [add](uint8_t* at, float v) { add(at, double{v}); });
}

void add_moments(const Target& target, const Column& column) {
  if (columnar::is_approximate(column.type)) return add_reals(target, column, AddMoments{});
  if (column.type != TypeKind::kDecimal) return add_integers(target, column, AddMoments{});
  const int scale = column.type.scale;
  add_values<Wide>(target, column, [scale](uint8_t* at, Wide v) { AddMoments{}(at, columnar::to_double({v}, scale)); });
}

void count_rows(const Target& target, const Column* column) {
  const uint32_t* slots = target.slots.data();
  const bool all = column == nullptr || !column->has_nulls();
  for (size_t i = target.first; i < target.last; ++i) {
    if (all || column->valid(i)) AddOne{}(target.field + slots[i] * target.stride, 0);
  }
}

}  // namespace

Accumulators::Accumulators(const AggregateLayout& layout) : layout_(layout), stride_(layout.stride()) {
  fresh_.resize(stride_, 0);
  for (const AggregateField& field : layout_.fields()) {
    write_fresh(field, fresh_.data());
    cells_.push_back(is_cell(field.kind) ? make_cells(field) : nullptr);
    has_cells_ = has_cells_ || is_cell(field.kind);
  }
  CHECK(take() == kDiscard);
}

void Accumulators::clear() {
  memory_ = columnar::Buffer<uint8_t>();
  slots_ = 0;
  free_ = {};
  free_runs_ = {};
  for (size_t at = 0; at < cells_.size(); ++at) {
    if (cells_[at] != nullptr) cells_[at] = make_cells(layout_.fields()[at]);
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

uint32_t Accumulators::take_run(uint32_t count) {
  if (!free_runs_.empty()) {
    const uint32_t first = free_runs_.back();
    free_runs_.pop_back();
    return first;
  }
  while (slots_ % count != 0) {
    memory_.append(fresh_.span());
    free_.push_back(static_cast<uint32_t>(slots_++));
  }
  const auto first = static_cast<uint32_t>(slots_);
  reserve(slots_ + count);
  return first;
}

void Accumulators::reserve(size_t count) {
  while (slots_ < count) {
    memory_.append(fresh_.span());
    ++slots_;
  }
}

void Accumulators::release(uint32_t slot) {
  reset(slot);
  free_.push_back(slot);
}

void Accumulators::reset(uint32_t slot) {
  if (has_cells_) {
    for (size_t field = 0; field < cells_.size(); ++field) {
      if (cells_[field] != nullptr) cells_[field]->release(cell_at(slot, field));
    }
  }
  std::memcpy(row(slot), fresh_.data(), stride_);
}

uint32_t Accumulators::cell_at(uint32_t slot, size_t field) const {
  return static_cast<uint32_t>(load<uint64_t>(row(slot) + layout_.fields()[field].offset));
}

void Accumulators::update(const columnar::Batch& input, std::span<const uint32_t> slots, const RowOrder& order,
                          size_t first, size_t last) {
  for (size_t at = 0; at < layout_.fields().size(); ++at) {
    const AggregateField& field = layout_.fields()[at];
    if (cells_[at] != nullptr) {
      cells_[at]->update({input, slots.data(), order, first, last, memory_.data() + field.offset, stride_});
      continue;
    }
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
    case FieldKind::kSumDouble: return add_reals(target, *values, AddDouble{});
    case FieldKind::kMinInt: return add_integers(target, *values, Least{});
    case FieldKind::kMaxInt: return add_integers(target, *values, Greatest{});
    case FieldKind::kMinDouble: return add_reals(target, *values, Least{});
    case FieldKind::kMaxDouble: return add_reals(target, *values, Greatest{});
    case FieldKind::kSumDecimal: return add_values<Wide>(target, *values, AddDecimal{});
    case FieldKind::kMinDecimal: return add_values<Wide>(target, *values, LeastDecimal{});
    case FieldKind::kMaxDecimal: return add_values<Wide>(target, *values, GreatestDecimal{});
    case FieldKind::kMoments: return add_moments(target, *values);
    default: return;  // cells
  }
}

void Accumulators::merge(uint32_t into, const Accumulators& other, uint32_t from) {
  for (size_t field = 0; field < layout_.fields().size(); ++field) merge_field(field, into, other, from);
}

void Accumulators::merge_field(size_t index, uint32_t into, const Accumulators& other, uint32_t from) {
  const AggregateField& field = layout_.fields()[index];
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
    case FieldKind::kSumDecimal: {
      auto sum = load_sum(at);
      sum.add(load_sum(source));
      return store_sum(at, sum);
    }
    case FieldKind::kMinDecimal: return LeastDecimal{}(at, load<Wide>(source));
    case FieldKind::kMaxDecimal: return GreatestDecimal{}(at, load<Wide>(source));
    case FieldKind::kMoments: {
      auto moments = load<Moments>(at);
      moments.add(load<Moments>(source));
      return store(at, moments);
    }
    default: {
      const auto cell = static_cast<uint32_t>(load<uint64_t>(source));
      if (cell == 0) return;
      const auto own = static_cast<uint32_t>(load<uint64_t>(at));
      return store(at, uint64_t{cells_[index]->merge(own, *other.cells_[index], cell)});
    }
  }
}

// A snapshot writes millions of slots: the fields of one are put together here and appended at once.
void Accumulators::write_fixed(uint32_t slot, ByteWriter& out) const {
  constexpr size_t kStage = 256;
  constexpr size_t kLongestField = 32;
  uint8_t stage[kStage];
  size_t used = 0;
  for (const AggregateField& field : layout_.fields()) {
    if (used + kLongestField > kStage) {
      out.raw(ByteSpan{stage, used});
      used = 0;
    }
    const uint8_t* at = row(slot) + field.offset;
    if (field.kind == FieldKind::kCount || field.kind == FieldKind::kCountStar) {
      auto count = load<uint64_t>(at);
      for (; count >= 0x80; count >>= 7) stage[used++] = static_cast<uint8_t>(count | 0x80);
      stage[used++] = static_cast<uint8_t>(count);
    } else {
      const size_t width = AggregateLayout::width_of(field.kind);
      std::memcpy(stage + used, at, width);
      used += width;
    }
  }
  out.raw(ByteSpan{stage, used});
}

void Accumulators::write(uint32_t slot, ByteWriter& out) const {
  if (!has_cells_) return write_fixed(slot, out);
  for (size_t index = 0; index < layout_.fields().size(); ++index) {
    const AggregateField& field = layout_.fields()[index];
    const uint8_t* at = row(slot) + field.offset;
    if (is_cell(field.kind)) {
      const uint32_t cell = cell_at(slot, index);
      out.fixed<uint8_t>(cell != 0);
      if (cell != 0) cells_[index]->write(cell, out);
    } else if (field.kind == FieldKind::kCount || field.kind == FieldKind::kCountStar) {
      out.varint(load<uint64_t>(at));
    } else {
      out.raw(ByteSpan{at, AggregateLayout::width_of(field.kind)});
    }
  }
}

bool Accumulators::read(uint32_t slot, ByteReader& in) {
  for (size_t index = 0; index < layout_.fields().size(); ++index) {
    const AggregateField& field = layout_.fields()[index];
    uint8_t* at = row(slot) + field.offset;
    if (is_cell(field.kind)) {
      if (in.fixed<uint8_t>() == 0) continue;
      const uint32_t cell = cells_[index]->read(in);
      if (cell == 0) return false;
      store(at, uint64_t{cell});
    } else if (field.kind == FieldKind::kCount || field.kind == FieldKind::kCountStar) {
      store(at, in.varint());
    } else {
      const std::string_view bytes = in.raw(AggregateLayout::width_of(field.kind));
      if (in.ok()) std::memcpy(at, bytes.data(), bytes.size());
    }
  }
  return in.ok();
}

size_t Accumulators::memory_bytes() const {
  size_t bytes = memory_.capacity();
  for (const auto& cells : cells_) bytes += cells == nullptr ? size_t{0} : cells->memory_bytes();
  return bytes;
}

}  // namespace tidegate::engine
