// Readings that wait for their time, where there is nothing to a row but its device, its time and a number: what
// OrderedRows does, without rows as bytes, for the many rules that go by the device alone.
#pragma once

#include <optional>
#include <vector>

#include "engine/internal/ordered_rows.h"

namespace tidegate::engine {

// The byte that a waiting reading's entry in a snapshot begins with.
inline constexpr uint8_t kReadingEntry = 7;

// Devices go by their own watermarks, right above an input. One thread at a time.
class ReadingQueue {
 public:
  // `value_column`: a DOUBLE; none: every row counts.
  ReadingQueue(const OrderedPlan& plan, std::optional<size_t> value_column, DeviceTable& devices)
      : plan_(plan), value_column_(value_column), devices_(devices) {}

  // As those of OrderedRows; sinks get reading_due().
  void take_in(const columnar::Batch& input, const RowTimes& times);
  void fire_due(OrderedSink& sink);
  void close_silent(int64_t clock_us, OrderedSink& sink);

  [[nodiscard]] int64_t close_bound_us() const { return close_bound_us_; }
  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  [[nodiscard]] std::vector<columnar::Batch>& late() { return late_; }
  [[nodiscard]] uint64_t late_rows() const { return late_total_; }
  [[nodiscard]] uint64_t fired() const { return fired_; }

  [[nodiscard]] DirtyKeyGroups& dirty() { return dirty_; }
  [[nodiscard]] const DirtyKeyGroups& dirty() const { return dirty_; }
  void write(const DirtyKeyGroups& which, const KeyedState::Entry& entry) const;
  // After the byte that says that it is a waiting reading.
  [[nodiscard]] bool read(ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return pots_.capacity() * sizeof(Pot) + bytes_; }

 private:
  struct Reading {
    int64_t time;
    double value;  // NaN or infinite: it says nothing
  };
  // By time, of one time in the order they came; those before `first` are out.
  struct Pot {
    std::vector<Reading> readings;
    size_t first = 0;
    [[nodiscard]] bool empty() const { return first == readings.size(); }
  };

  void add(uint32_t device, Reading reading);
  void expect(uint32_t device, int64_t time);
  void schedule(uint32_t device, const OrderedSink& sink);
  void fire(uint32_t device, int64_t watermark, OrderedSink& sink);

  const OrderedPlan& plan_;
  const std::optional<size_t> value_column_;
  DeviceTable& devices_;
  std::vector<Pot> pots_;  // by device
  std::vector<columnar::Batch> late_;
  std::vector<uint32_t> late_scratch_;
  DirtyKeyGroups dirty_;
  int64_t close_bound_us_ = kNever;
  size_t waiting_ = 0;
  size_t bytes_ = 0;
  uint64_t late_total_ = 0;
  uint64_t fired_ = 0;
};

}  // namespace tidegate::engine
