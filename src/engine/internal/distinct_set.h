// The distinct values of a column: for COUNT, SUM and AVG with DISTINCT. Exact.
#pragma once

#include <memory>
#include <vector>

#include "engine/internal/cells.h"
#include "engine/internal/group_keys.h"

namespace tidegate::engine {

class DistinctSet {
 public:
  // Of one window of one group: 16 MB of numbers in a table half full. A result that needs more is NULL, and counted.
  static constexpr size_t kMaxValues = 1'000'000;
  static constexpr size_t kMaxTextBytes = 64 << 20;

  void add(const AggregateField& field, const CellRows& rows, size_t row);
  void merge(const AggregateField& field, const DistinctSet& other);
  bool emit(const AggregateField& field, const AggregateResult& result, const WindowBounds&,
            columnar::ColumnBuilder& out) const;
  void write(const AggregateField& field, ByteWriter& out) const;
  bool read(const AggregateField& field, ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const;

 private:
  void insert_number(uint64_t bits);
  void insert_text(std::string_view text);
  [[nodiscard]] size_t place_of(uint64_t bits) const;  // where it is, or the free place it belongs
  void grow();
  void overflow();
  [[nodiscard]] size_t size() const;
  [[nodiscard]] std::vector<uint64_t> sorted_numbers() const;
  bool emit_total(const AggregateField& field, const AggregateResult& result, columnar::ColumnBuilder& out) const;
  bool emit_sum(const AggregateField& field, bool average, columnar::ColumnBuilder& out) const;

  std::vector<uint64_t> table_;  // open addressing; 0 is a free place
  size_t numbers_ = 0;           // in table_
  bool has_zero_ = false;
  bool overflowed_ = false;  // more than the limit; nothing is held any more
  size_t text_bytes_ = 0;
  std::unique_ptr<KeyTable> texts_;  // on the heap: most columns are no texts
};

}  // namespace tidegate::engine
