// Cells that hold one value: MIN and MAX of texts, FIRST_VALUE and LAST_VALUE.
#pragma once

#include <string>

#include "engine/internal/cells.h"

namespace tidegate::engine {

class TextExtreme {
 public:
  void add(const AggregateField& field, const CellRows& rows, size_t row);
  void merge(const AggregateField& field, const TextExtreme& other);
  bool emit(const AggregateField&, const AggregateResult&, const WindowBounds&, columnar::ColumnBuilder& out) const;
  void write(const AggregateField&, ByteWriter& out) const { out.text(held_); }
  bool read(const AggregateField&, ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return held_.capacity(); }

 private:
  void offer(const AggregateField& field, std::string_view text);

  std::string held_;
  bool has_ = false;
};

// The value of the first or the last row by (event time, key group, arrival).
class EdgeValue {
 public:
  void add(const AggregateField& field, const CellRows& rows, size_t row);
  void merge(const AggregateField& field, const EdgeValue& other);
  bool emit(const AggregateField& field, const AggregateResult&, const WindowBounds&,
            columnar::ColumnBuilder& out) const;
  void write(const AggregateField& field, ByteWriter& out) const;
  bool read(const AggregateField& field, ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return text_.capacity(); }

 private:
  // Whether a row of this place, that came after what is held, takes over.
  [[nodiscard]] bool takes_over(const AggregateField& field, int64_t time, uint16_t key_group) const;

  int64_t time_ = 0;
  int64_t bits_ = 0;
  std::string text_;
  uint16_t key_group_ = 0;
  bool has_ = false;
};

}  // namespace tidegate::engine
