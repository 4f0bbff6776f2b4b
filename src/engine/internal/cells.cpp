#include "engine/internal/cells.h"

#include <utility>

#include "engine/internal/distinct_set.h"
#include "engine/internal/edge_value.h"
#include "engine/internal/quantile_sketch.h"
#include "engine/internal/slot_set.h"
#include "engine/internal/time_series.h"

namespace tidegate::engine {

namespace {

// Keeps the states of one kind; the numbers of those given back are given out again.
template <class State>
class CellPool final : public Cells {
 public:
  explicit CellPool(const AggregateField& field) : field_(field) {}

  void update(const CellRows& rows) override {
    const columnar::Column& values = *rows.input.columns[field_.argument];
    for (size_t row = rows.first; row < rows.last; ++row) {
      const uint32_t slot = rows.slots[row];
      if (slot == 0 || !values.valid(row)) continue;
      uint8_t* at = rows.numbers + slot * rows.stride;
      uint64_t cell = 0;
      std::memcpy(&cell, at, sizeof cell);
      if (cell == 0) {
        cell = take();
        std::memcpy(at, &cell, sizeof cell);
      }
      change(static_cast<uint32_t>(cell), [&](State& state) { state.add(field_, rows, row); });
    }
  }

  uint32_t merge(uint32_t into, const Cells& other, uint32_t from) override {
    if (into == 0) into = take();
    const auto& source = static_cast<const CellPool&>(other);
    if (&source == this) {
      change(into, [&](State& state) { state.merge(field_, cells_[from - 1]); });
    } else {
      change(into, [&](State& state) { state.merge(field_, source.cells_[from - 1]); });
    }
    return into;
  }

  void release(uint32_t cell) override {
    if (cell == 0) return;
    change(cell, [](State& state) { state = State(); });
    free_.push_back(cell);
  }

  bool emit(uint32_t cell, const AggregateResult& result, const WindowBounds& window,
            columnar::ColumnBuilder& out) const override {
    return cells_[cell - 1].emit(field_, result, window, out);
  }

  void write(uint32_t cell, ByteWriter& out) const override { cells_[cell - 1].write(field_, out); }

  uint32_t read(ByteReader& in) override {
    const uint32_t cell = take();
    bool fine = false;
    change(cell, [&](State& state) { fine = state.read(field_, in); });
    if (fine && in.ok()) return cell;
    release(cell);
    return 0;
  }

  [[nodiscard]] size_t memory_bytes() const override { return bytes_ + cells_.capacity() * sizeof(State); }

 private:
  uint32_t take() {
    if (free_.empty()) {
      cells_.emplace_back();
      free_.push_back(static_cast<uint32_t>(cells_.size()));
    }
    const uint32_t cell = free_.back();
    free_.pop_back();
    return cell;
  }

  template <class Change>
  void change(uint32_t cell, Change apply) {
    State& state = cells_[cell - 1];
    bytes_ -= state.memory_bytes();
    apply(state);
    bytes_ += state.memory_bytes();
  }

  const AggregateField field_;
  std::vector<State> cells_;  // cell n is at n - 1
  std::vector<uint32_t> free_;
  size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Cells> make_cells(const AggregateField& field) {
  switch (field.kind) {
    case FieldKind::kMinText:
    case FieldKind::kMaxText: return std::make_unique<CellPool<TextExtreme>>(field);
    case FieldKind::kFirst:
    case FieldKind::kLast: return std::make_unique<CellPool<EdgeValue>>(field);
    case FieldKind::kDistinct: return std::make_unique<CellPool<DistinctSet>>(field);
    case FieldKind::kSketch: return std::make_unique<CellPool<QuantileSketch>>(field);
    case FieldKind::kSeries: return std::make_unique<CellPool<TimeSeries>>(field);
    default: return std::make_unique<CellPool<SlotSet>>(field);
  }
}

bool append_total(const columnar::DecimalSum& sum, int64_t count, const AggregateField& field,
                  const AggregateResult& result, columnar::ColumnBuilder& out) {
  const int more_digits = result.type.scale - field.argument_type.scale;
  const auto value = count == 0 ? sum.total() : sum.average(static_cast<uint64_t>(count), more_digits);
  if (value) {
    out.append(value->unscaled);
  } else {
    out.append_null();
  }
  return value.has_value();
}

void append_real(double value, columnar::ColumnBuilder& out) {
  if (out.type() == columnar::TypeKind::kDouble) return out.append<double>(value);
  out.append<float>(static_cast<float>(value));
}

void append_bits(int64_t bits, const columnar::Type& type, columnar::ColumnBuilder& out) {
  if (columnar::is_approximate(type)) return append_real(std::bit_cast<double>(bits), out);
  switch (columnar::value_width(type)) {
    case 1: return out.append<uint8_t>(static_cast<uint8_t>(bits));
    case 4: return out.append<int32_t>(static_cast<int32_t>(bits));
    default: return out.append<int64_t>(bits);
  }
}

}  // namespace tidegate::engine
