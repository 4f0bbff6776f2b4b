// All readings of a window, to be gone through in the order of their event times: for aggregates in which each reading
// counts until the next one. Rows may come late and out of order, so that no reading can be given up before the window
// closes.
#pragma once

#include <vector>

#include "engine/internal/cells.h"

namespace tidegate::engine {

class TimeSeries {
 public:
  // Of one window of one group: 24 MB. A result that needs more is NULL, and counted.
  static constexpr size_t kMaxReadings = 1'000'000;

  void add(const AggregateField& field, const CellRows& rows, size_t row);
  void merge(const AggregateField&, const TimeSeries& other);
  bool emit(const AggregateField&, const AggregateResult& result, const WindowBounds& window,
            columnar::ColumnBuilder& out) const;
  void write(const AggregateField&, ByteWriter& out) const;
  bool read(const AggregateField&, ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return readings_.capacity() * sizeof(Reading); }

 private:
  struct Reading {
    int64_t time;
    double value;
    uint16_t key_group;
    uint32_t meter;  // hash of the meter's name; 0: none given
  };

  void push(const Reading& reading);
  void overflow();
  [[nodiscard]] static bool before(const Reading& left, const Reading& right);

  std::vector<Reading> readings_;
  bool sorted_ = true;  // by (time, key group, arrival)
  bool overflowed_ = false;
};

}  // namespace tidegate::engine
