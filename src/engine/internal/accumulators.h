// Accumulators: the running aggregates of one worker's open window slices, one fixed-width row per slot.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "columnar/batch.h"
#include "engine/internal/aggregate_layout.h"
#include "engine/internal/cells.h"

namespace tidegate::engine {

// One thread at a time. `layout` must outlive it.
class Accumulators {
 public:
  // Rows that count for nothing (late ones) are given this slot, so that update() needs no branch.
  static constexpr uint32_t kDiscard = 0;

  explicit Accumulators(const AggregateLayout& layout);

  [[nodiscard]] const AggregateLayout& layout() const { return layout_; }
  // A slot without rows.
  uint32_t take();
  void release(uint32_t slot);
  // Back to no rows.
  void reset(uint32_t slot);
  // As when it was made: no slot is taken, and the memory is given back.
  void clear();
  // Adds rows [first, last) of `input`, row i to slots[i]. `order` must be given if the layout is ordered().
  void update(const columnar::Batch& input, std::span<const uint32_t> slots, const RowOrder& order, size_t first,
              size_t last);
  void merge(uint32_t into, const Accumulators& other, uint32_t from);

  // Only for layouts without cells: slots [first, first + count) without rows, first a multiple of `count`, which is
  // always the same; they are given back together, each reset before.
  uint32_t take_run(uint32_t count);
  void release_run(uint32_t first) { free_runs_.push_back(first); }
  // Makes slots [0, count) usable without taking them.
  void reserve(size_t count);
  // `from` in place of what is there.
  void copy(uint32_t into, const Accumulators& other, uint32_t from) {
    std::memcpy(row(into), other.row(from), stride_);
  }

  // Appends the results, one per aggregate, to columns [first_column, ...) of `out`. Returns how many could not be
  // represented or kept within their limits, and are NULL.
  uint64_t emit(uint32_t slot, const WindowBounds& window, columnar::BatchBuilder& out, size_t first_column) const;

  void write(uint32_t slot, ByteWriter& out) const;
  // False: the bytes are not a slot of this layout.
  [[nodiscard]] bool read(uint32_t slot, ByteReader& in);

  // One past the highest slot ever taken.
  [[nodiscard]] size_t slot_count() const { return slots_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  [[nodiscard]] uint8_t* row(uint32_t slot) { return memory_.data() + slot * stride_; }
  [[nodiscard]] const uint8_t* row(uint32_t slot) const { return memory_.data() + slot * stride_; }
  void write_fixed(uint32_t slot, ByteWriter& out) const;
  [[nodiscard]] uint32_t cell_at(uint32_t slot, size_t field) const;
  void update_field(const AggregateField& field, const columnar::Column* values, std::span<const uint32_t> slots,
                    size_t first, size_t last);
  void merge_field(size_t field, uint32_t into, const Accumulators& other, uint32_t from);
  bool emit_value(const AggregateResult& result, uint32_t slot, const WindowBounds& window,
                  columnar::ColumnBuilder& out) const;
  bool emit_cell(const AggregateResult& result, uint32_t slot, const WindowBounds& window,
                 columnar::ColumnBuilder& out) const;
  bool emit_sum(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const;
  void emit_moments(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const;
  void emit_extreme(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const;

  const AggregateLayout& layout_;
  const size_t stride_;
  columnar::Buffer<uint8_t> fresh_;  // a row without input
  columnar::Buffer<uint8_t> memory_;
  size_t slots_ = 0;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> free_runs_;
  std::vector<std::unique_ptr<Cells>> cells_;  // by field; null for those of fixed width
  bool has_cells_ = false;
};

}  // namespace tidegate::engine
