// Which of the expected readings came: a bit for every interval of event time. For COVERAGE.
#pragma once

#include <vector>

#include "engine/internal/cells.h"

namespace tidegate::engine {

class SlotSet {
 public:
  // 128 KB; a year of readings every half a minute. A session that spans more has no result: NULL, and counted.
  static constexpr int64_t kMaxSlots = 1 << 20;

  void add(const AggregateField& field, const CellRows& rows, size_t row);
  void merge(const AggregateField&, const SlotSet& other);
  bool emit(const AggregateField& field, const AggregateResult&, const WindowBounds& window,
            columnar::ColumnBuilder& out) const;
  void write(const AggregateField&, ByteWriter& out) const;
  bool read(const AggregateField&, ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return words_.capacity() * sizeof(uint64_t); }

 private:
  void set_bits(int64_t word, uint64_t bits);

  std::vector<uint64_t> words_;
  int64_t first_word_ = 0;
  bool overflowed_ = false;
};

}  // namespace tidegate::engine
