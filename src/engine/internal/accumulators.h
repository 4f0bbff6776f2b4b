// Accumulators: the running aggregates of one worker's open window slices, one fixed-width row per slot.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "columnar/batch.h"
#include "engine/internal/aggregate_layout.h"

namespace tidegate::engine {

// Strings that MIN and MAX hold; cells are reused, and so is their memory.
class TextCells {
 public:
  [[nodiscard]] std::string_view at(uint32_t cell) const { return cells_[cell - 1]; }
  // The cell that now holds `text`: `cell` itself, or a new one if it is 0.
  uint32_t put(uint32_t cell, std::string_view text);
  void release(uint32_t cell);
  [[nodiscard]] size_t memory_bytes() const { return bytes_ + cells_.capacity() * sizeof(std::string); }

 private:
  std::vector<std::string> cells_;
  std::vector<uint32_t> free_;
  size_t bytes_ = 0;
};

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
  // Adds rows [first, last) of `input`, row i to slots[i].
  void update(const columnar::Batch& input, std::span<const uint32_t> slots, size_t first, size_t last);
  void merge(uint32_t into, const Accumulators& other, uint32_t from);
  // Appends the results, one per aggregate, to columns [first_column, ...) of `out`. Returns how many sums overflowed.
  uint64_t emit(uint32_t slot, columnar::BatchBuilder& out, size_t first_column) const;

  void write(uint32_t slot, ByteWriter& out) const;
  // False: the bytes are not a slot of this layout.
  [[nodiscard]] bool read(uint32_t slot, ByteReader& in);

  // One past the highest slot ever taken.
  [[nodiscard]] size_t slot_count() const { return slots_; }
  [[nodiscard]] size_t memory_bytes() const { return memory_.capacity() + texts_.memory_bytes(); }

 private:
  [[nodiscard]] uint8_t* row(uint32_t slot) { return memory_.data() + slot * stride_; }
  [[nodiscard]] const uint8_t* row(uint32_t slot) const { return memory_.data() + slot * stride_; }
  void update_field(const AggregateField& field, const columnar::Column* values, std::span<const uint32_t> slots,
                    size_t first, size_t last);
  void update_text(const AggregateField& field, const columnar::Column& values, std::span<const uint32_t> slots,
                   size_t first, size_t last);
  void offer_text(const AggregateField& field, uint32_t slot, std::string_view text);
  void merge_field(const AggregateField& field, uint32_t into, const Accumulators& other, uint32_t from);
  bool emit_value(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const;
  bool emit_sum(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const;
  void emit_extreme(const AggregateResult& result, uint32_t slot, columnar::ColumnBuilder& out) const;

  const AggregateLayout& layout_;
  const size_t stride_;
  bool has_text_ = false;
  columnar::Buffer<uint8_t> fresh_;  // a row without input
  columnar::Buffer<uint8_t> memory_;
  size_t slots_ = 0;
  std::vector<uint32_t> free_;
  TextCells texts_;
};

}  // namespace tidegate::engine
