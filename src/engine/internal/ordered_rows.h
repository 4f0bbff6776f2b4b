// Rows that wait for their time: the part that operators in event-time order share.
//
// Rows go in as they come and wait until the watermark reaches them; then they come out in the order of their event
// times. Rows of one time come out in the order they came in where that is certain (right above an input, within a
// device), else in the order of their bytes, which depends on nothing but the rows. A row behind the watermark is late.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/internal/group_keys.h"
#include "engine/internal/operator_plan.h"

namespace tidegate::engine {

// The byte that a waiting row's entry in a snapshot begins with.
inline constexpr uint8_t kWaitingEntry = 3;

// What all workers' copies share. Immutable.
struct OrderedPlan {
  OrderedPlan(const columnar::SchemaPtr& input_schema, std::vector<size_t> key_columns, size_t time,
              const OperatorPlace& place);

  columnar::SchemaPtr input;
  KeyCodec rows;  // a whole row as bytes
  KeyCodec keys;  // the partition
  size_t time_column;
  bool own_watermarks;
  bool keeps_arrival;  // rows of one device come in an order that is always the same
  int64_t close_after_us;
};

// A row in waiting, or one that a partition remembers.
struct OrderedRow {
  std::string key;
  std::string bytes;  // by OrderedPlan::rows
};

// Where rows come to when their time has come.
class OrderedSink {
 public:
  OrderedSink() = default;
  virtual ~OrderedSink() = default;
  OrderedSink(const OrderedSink&) = delete;
  OrderedSink& operator=(const OrderedSink&) = delete;

  // All rows of a device (own watermarks) or of all (shared; kNone) that are due at `time`, in order.
  virtual void rows_due(uint32_t device, int64_t time, std::vector<OrderedRow>& rows) = 0;
  // The same of one reading of a ReadingQueue.
  virtual void reading_due(uint32_t /*device*/, int64_t /*time*/, double /*value*/) {}
  // Rows at `time` itself, which the watermark has reached already, are late too.
  [[nodiscard]] virtual bool closes_time() const { return false; }
  // After all rows of a device that are due at its watermark.
  virtual void time_passed(uint32_t /*device*/, int64_t /*watermark*/) {}
  // time_passed() is wanted once the device's watermark gets here, even without a row; kNever: not.
  [[nodiscard]] virtual int64_t wanted_at(uint32_t /*device*/) const { return kNever; }
};

// One worker's waiting rows. With the shared watermark, the first worker's copy takes over what the others have.
// One thread at a time.
class OrderedRows {
 public:
  OrderedRows(const OrderedPlan& plan, DeviceTable& devices) : plan_(plan), devices_(devices) {}

  // Takes rows in; late ones go to late().
  void take_in(const columnar::Batch& input, const RowTimes& times, int64_t shared_watermark, bool closes_time);
  void fire_due(OrderedSink& sink);
  void close_silent(int64_t clock_us, OrderedSink& sink);
  void fire_shared(int64_t watermark, OrderedSink& sink);
  void take_over(OrderedRows& other);

  [[nodiscard]] int64_t close_bound_us() const { return close_bound_us_; }
  [[nodiscard]] bool empty() const { return waiting_ == 0; }
  [[nodiscard]] std::vector<columnar::Batch>& late() { return late_; }
  [[nodiscard]] uint64_t late_rows() const { return late_total_; }
  [[nodiscard]] uint64_t fired() const { return fired_; }
  // Where a row's partition is stored.
  [[nodiscard]] uint16_t key_group_of_row(uint32_t device, std::string_view key) const;

  [[nodiscard]] DirtyKeyGroups& dirty() { return dirty_; }
  [[nodiscard]] const DirtyKeyGroups& dirty() const { return dirty_; }
  void write(const DirtyKeyGroups& which, const KeyedState::Entry& entry) const;
  // After the byte that says that it is a waiting row.
  [[nodiscard]] bool read(ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return bytes_; }

 private:
  using Pot = std::map<int64_t, std::vector<OrderedRow>>;  // by event time

  void add(uint32_t pot, int64_t time, OrderedRow row);
  void expect_row(uint32_t device, int64_t time);
  void schedule(uint32_t device, const OrderedSink& sink);
  // Everything at or before `watermark`.
  void fire(uint32_t pot, int64_t watermark, OrderedSink& sink);

  const OrderedPlan& plan_;
  DeviceTable& devices_;
  std::vector<Pot> pots_;  // by device; with the shared watermark one for all
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
