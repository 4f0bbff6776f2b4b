// Aggregate state without a fixed width (distinct values, sketches, readings in their order): cells by number, at most
// one per slot and field. A slot's row holds the number; 0 is no cell.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "columnar/batch.h"
#include "columnar/decimal.h"
#include "engine/internal/aggregate_layout.h"

namespace tidegate::engine {

// A row's place in the order that FIRST_VALUE and its like go by: (event time, key group of the device, arrival). Rows
// of one key group are always with one worker, so that arrival needs no number.
struct RowOrder {
  const int64_t* times = nullptr;  // by row; both null unless AggregateLayout::ordered()
  const uint16_t* key_groups = nullptr;
};

// Rows [first, last) of a batch, row i for slots[i]. Slot 0 is for rows that do not count.
struct CellRows {
  const columnar::Batch& input;
  const uint32_t* slots;
  RowOrder order;
  size_t first;
  size_t last;
  uint8_t* numbers;  // where slot 0 holds the number of its cell
  size_t stride;     // to that of the next slot
};

// Of the window that is emitted.
struct WindowBounds {
  int64_t start = 0;
  int64_t end = 0;
  int64_t expected_end = 0;  // readings are expected until here: the end, or the last reading of a session
};

// All cells of one field. One thread at a time.
class Cells {
 public:
  virtual ~Cells() = default;

  virtual void update(const CellRows& rows) = 0;
  // Adds cell `from` of `other`, the cells of the same field, to cell `into`, or to a new one if that is 0; its number.
  [[nodiscard]] virtual uint32_t merge(uint32_t into, const Cells& other, uint32_t from) = 0;
  virtual void release(uint32_t cell) = 0;
  // Appends the result of a cell. False: it needed more memory than its limit; NULL was appended.
  [[nodiscard]] virtual bool emit(uint32_t cell, const AggregateResult& result, const WindowBounds& window,
                                  columnar::ColumnBuilder& out) const = 0;
  virtual void write(uint32_t cell, ByteWriter& out) const = 0;
  // A new cell; 0: the bytes are none.
  [[nodiscard]] virtual uint32_t read(ByteReader& in) = 0;
  [[nodiscard]] virtual size_t memory_bytes() const = 0;
};

[[nodiscard]] std::unique_ptr<Cells> make_cells(const AggregateField& field);

// What a fixed-width value is in a cell: integers widened, numbers with a point by their bits as doubles.
[[nodiscard]] inline double number_at(const columnar::Column& column, size_t row) {
  switch (column.type) {
    case columnar::TypeKind::kDouble: return column.values<double>()[row];
    case columnar::TypeKind::kFloat: return double{column.values<float>()[row]};
    case columnar::TypeKind::kDecimal:
      return columnar::to_double({column.values<columnar::Int128>()[row]}, column.type.scale);
    default: return static_cast<double>(column.integer_at(row));
  }
}
[[nodiscard]] inline int64_t bits_at(const columnar::Column& column, size_t row) {
  if (columnar::is_approximate(column.type)) return std::bit_cast<int64_t>(number_at(column, row));
  return column.integer_at(row);
}
// SUM (no count) or AVG of decimals. False: NULL, it has too many digits.
bool append_total(const columnar::DecimalSum& sum, int64_t count, const AggregateField& field,
                  const AggregateResult& result, columnar::ColumnBuilder& out);
// To a FLOAT or DOUBLE column.
void append_real(double value, columnar::ColumnBuilder& out);
void append_bits(int64_t bits, const columnar::Type& type, columnar::ColumnBuilder& out);

}  // namespace tidegate::engine
