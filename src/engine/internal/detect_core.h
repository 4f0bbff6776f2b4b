// What all stages of a detection share, however its rows wait for their time: partitions, deadlines, alerts.
#pragma once

#include "engine/internal/detector_table.h"
#include "engine/internal/ordered_rows.h"
#include "engine/internal/over_values.h"

namespace tidegate::engine {

// The byte that a partition's entry in a snapshot begins with.
inline constexpr uint8_t kDetectorEntry = 5;

// Immutable.
struct DetectPlan {
  DetectPlan(const sql::Detect& detect, const sql::PlanNode& node, const OperatorPlace& where);

  const sql::Detect& rule;
  OperatorPlace place;
  OrderedPlan ordered;
  ValuePicker value;
  columnar::SchemaPtr output;

  // There is nothing to a row but what a ReadingQueue keeps.
  [[nodiscard]] bool only_readings() const;
};

// Pots are devices, or with the shared watermark the first one only. One thread at a time.
class DetectCore {
 public:
  DetectCore(const DetectPlan& plan, DeviceTable& devices) : plan_(plan), devices_(devices), results_(plan.output) {}

  // A reading whose time has come.
  // `reached_us`: how far event time has come; less than the row's where the clock let it out.
  void take(uint32_t pot, int64_t time_us, std::string_view key, uint16_t key_group, double value, int64_t reached_us);
  // Of a detection by the device alone.
  void take(uint32_t device, int64_t time_us, double value);
  // All deadlines of a pot before `time_us`; event time itself has reached `reached_us`.
  void pass(uint32_t pot, int64_t time_us, int64_t reached_us);
  // Own watermarks: the deadlines of silent devices, whose time goes on with the clock. The clock reading at which
  // there is something to do again; kNever: none.
  [[nodiscard]] int64_t pass_silent(int64_t clock_us);
  // The watermark at which a device's next deadline has passed; kNever: none.
  [[nodiscard]] int64_t wanted_at(uint32_t device) const;
  // Forgets what no row can reach any more.
  void purge(int64_t shared_watermark);
  // With the shared watermark: all that the other one knows.
  void take_over(DetectCore& other);

  [[nodiscard]] size_t deadlines() const { return table_.deadlines(); }
  [[nodiscard]] int64_t next_deadline_us(uint32_t pot) const { return table_.next_deadline_us(pot); }
  [[nodiscard]] columnar::BatchBuilder& results() { return results_; }
  [[nodiscard]] uint64_t alerts() const { return alerts_; }

  [[nodiscard]] DirtyKeyGroups& dirty() { return dirty_; }
  [[nodiscard]] const DirtyKeyGroups& dirty() const { return dirty_; }
  void write(const DirtyKeyGroups& which, const KeyedState::Entry& entry) const;
  // After the byte that says that it is a partition.
  [[nodiscard]] bool read(ByteReader& in);
  [[nodiscard]] size_t memory_bytes() const { return table_.memory_bytes() + results_.memory_bytes(); }

 private:
  static constexpr size_t kFirstPurge = 1024;  // partitions before the first look for those that are gone

  [[nodiscard]] bool own() const { return plan_.ordered.own_watermarks; }
  void settle(uint32_t pot, DetectorTable::Place place, int64_t reached_us);
  void emit(std::string_view key);

  const DetectPlan& plan_;
  DeviceTable& devices_;
  DetectorTable table_;
  columnar::BatchBuilder results_;
  Alerts scratch_;
  DirtyKeyGroups dirty_;
  size_t purge_at_ = kFirstPurge;
  uint64_t alerts_ = 0;
};

}  // namespace tidegate::engine
