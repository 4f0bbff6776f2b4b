#include "engine/internal/detect_stage.h"

#include <algorithm>
#include <cmath>

#include "engine/internal/detect_core.h"
#include "engine/internal/reading_queue.h"

namespace tidegate::engine {

namespace {

constexpr uint8_t kDeviceEntry = 1;
constexpr uint8_t kHeardEntry = 6;

void write_devices(const DeviceTable& devices, const DirtyKeyGroups& which, const KeyedState::Entry& entry) {
  std::string bytes;
  for (uint32_t index = 0; index < devices.size(); ++index) {
    const uint16_t key_group = devices.at(index).key_group;
    if (!which[key_group]) continue;
    bytes.clear();
    ByteWriter out(bytes);
    out.fixed(kDeviceEntry);
    devices.write(index, out);
    entry(key_group, bytes);
  }
}

// What both stages do alike; `Waiting` is OrderedRows or ReadingQueue.
template <class Waiting>
class DetectStage : public StatefulOperator, protected OrderedSink {
 public:
  DetectStage(const DetectPlan& plan, DeviceTable& devices, Waiting waiting)
      : plan_(plan), devices_(devices), waiting_(std::move(waiting)), core_(plan, devices) {}

  void fire_due(const StageTime&) override {
    clock_bound_us_ = -kNever;
    waiting_.fire_due(*this);
  }
  void close_silent(int64_t clock_us) override {
    waiting_.close_silent(clock_us, *this);
    core_.purge(-kNever);
    if (clock_us >= clock_bound_us_) clock_bound_us_ = core_.pass_silent(clock_us);
  }
  [[nodiscard]] int64_t close_bound_us() const override {
    const int64_t rows_us = own() ? waiting_.close_bound_us() : kNever;
    return has_open() ? std::min(rows_us, clock_bound_us_) : rows_us;
  }
  [[nodiscard]] bool has_open() const override { return !waiting_.empty() || core_.deadlines() > 0; }

  [[nodiscard]] columnar::BatchBuilder& results() override { return core_.results(); }
  [[nodiscard]] std::vector<columnar::Batch>& late() override { return waiting_.late(); }
  // Rows that were let out count too: they changed what is known, so that the epoch must be recorded.
  [[nodiscard]] uint64_t fired() const override { return waiting_.fired() + core_.alerts(); }
  [[nodiscard]] uint64_t late_rows() const override { return waiting_.late_rows(); }

  [[nodiscard]] DirtyKeyGroups dirty() const override { return devices_.dirty() | waiting_.dirty() | core_.dirty(); }
  void mark_clean() override {
    devices_.dirty().reset();
    waiting_.dirty().reset();
    core_.dirty().reset();
  }
  void mark_dirty(uint16_t key_group) override { core_.dirty()[key_group] = true; }
  void write_state(const DirtyKeyGroups& which, const Entry& entry) const override {
    write_devices(devices_, which, entry);
    waiting_.write(which, entry);
    core_.write(which, entry);
  }
  // Deadlines wait for their devices.
  void loaded(int64_t /*shared_watermark*/) override {
    devices_.loaded();
    if (!own()) return;
    for (uint32_t index = 0; index < devices_.size(); ++index) {
      Device& device = devices_.at(index);
      device.fire_at = std::min(device.fire_at, core_.wanted_at(index));
    }
  }
  [[nodiscard]] size_t memory_bytes() const override {
    return devices_.memory_bytes() + waiting_.memory_bytes() + core_.memory_bytes();
  }

 protected:
  [[nodiscard]] bool own() const { return plan_.ordered.own_watermarks; }
  // Behind the last of stored records time is not known to have passed.
  void time_passed(uint32_t device, int64_t watermark) override {
    if (watermark < kFarTime) core_.pass(device, watermark, watermark);
  }
  [[nodiscard]] int64_t wanted_at(uint32_t device) const override { return core_.wanted_at(device); }

  const DetectPlan& plan_;
  DeviceTable& devices_;
  Waiting waiting_;
  DetectCore core_;
  // No deadline passes by the clock before this; rows move devices' times, so that it must be found anew after any.
  int64_t clock_bound_us_ = -kNever;
};

// By the device alone, right above an input.
class DeviceDetectStage final : public DetectStage<ReadingQueue> {
 public:
  DeviceDetectStage(const DetectPlan& plan, DeviceTable& devices)
      : DetectStage(plan, devices, ReadingQueue(plan.ordered, plan.rule.value_column, devices)) {}

  void process(const columnar::Batch& input, const RowTimes& times, const StageTime&) override {
    clock_bound_us_ = -kNever;
    waiting_.take_in(input, times);
    waiting_.fire_due(*this);
  }
  void fire_shared(int64_t, std::span<StatefulOperator* const>) override {}  // each device has its own watermark
  [[nodiscard]] bool read_state(ByteReader& in) override {
    switch (in.fixed<uint8_t>()) {
      case kDeviceEntry: return devices_.read(in);
      case kReadingEntry: return waiting_.read(in);
      case kDetectorEntry: return core_.read(in);
      default: return false;
    }
  }

 private:
  void rows_due(uint32_t, int64_t, std::vector<OrderedRow>&) override {}  // there are readings only
  void reading_due(uint32_t device, int64_t time, double value) override {
    clock_bound_us_ = -kNever;
    if (std::isfinite(value)) core_.take(device, time, value);
  }
};

// When rows of any device came last, and the newest event time among all so far: what the clock goes by once all are
// silent, where devices share a watermark.
struct Heard {
  int64_t clock_us = -kNever;
  int64_t newest_us = -kNever;

  void add(const Heard& other) {
    clock_us = std::max(clock_us, other.clock_us);
    newest_us = std::max(newest_us, other.newest_us);
  }
};

// By any keys, anywhere.
class RowsDetectStage final : public DetectStage<OrderedRows> {
 public:
  RowsDetectStage(const DetectPlan& plan, DeviceTable& devices)
      : DetectStage(plan, devices, OrderedRows(plan.ordered, devices)) {}

  void process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) override;
  void fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) override;
  void fire_silent(int64_t clock_us) override;
  void write_state(const DirtyKeyGroups& which, const Entry& entry) const override;
  [[nodiscard]] bool read_state(ByteReader& in) override;

 private:
  void rows_due(uint32_t device, int64_t time, std::vector<OrderedRow>& rows) override;
  [[nodiscard]] std::optional<double> value_of(const OrderedRow& row) const;

  // With the shared watermark: as of the latest fire_shared().
  Heard heard_;
  int64_t watermark_ = -kNever;
};

void RowsDetectStage::process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) {
  clock_bound_us_ = -kNever;
  waiting_.take_in(input, times, now.shared_watermark, false);
  if (own()) return waiting_.fire_due(*this);
  Heard heard{now.clock_us, heard_.newest_us};
  const columnar::Column& column = *input.columns[plan_.ordered.time_column];
  for (size_t row = 0; row < input.rows; ++row) {
    const int64_t time = column.values<int64_t>()[row];
    if (column.valid(row) && usable_time(time)) heard.newest_us = std::max(heard.newest_us, time);
  }
  heard_.add(heard);
  core_.dirty()[0] = true;
}

void RowsDetectStage::rows_due(uint32_t device, int64_t time, std::vector<OrderedRow>& rows) {
  const uint32_t pot = own() ? device : 0;
  const int64_t reached_us = own() ? time : std::min(time, watermark_);
  clock_bound_us_ = -kNever;
  for (const OrderedRow& row : rows) {
    const std::optional<double> value = value_of(row);
    if (value) core_.take(pot, time, row.key, waiting_.key_group_of_row(pot, row.key), *value, reached_us);
  }
}

// Nothing: the row says nothing, since the value is NULL or no number.
std::optional<double> RowsDetectStage::value_of(const OrderedRow& row) const {
  if (!plan_.rule.value_column) return 0;
  const Value value = plan_.value.pick(row.bytes).front();
  if (is_null(value)) return std::nullopt;
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return 0;
  return std::isfinite(*number) ? std::optional(*number) : std::nullopt;
}

void RowsDetectStage::fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) {
  for (StatefulOperator* copy : copies.subspan(1)) {
    auto& other = *static_cast<RowsDetectStage*>(copy);
    waiting_.take_over(other.waiting_);
    core_.take_over(other.core_);
    heard_.add(other.heard_);
  }
  watermark_ = watermark;
  waiting_.fire_shared(watermark, *this);
  time_passed(0, watermark);
  core_.purge(watermark);
}

// Once all devices are silent for longer than they may be, time goes on with the clock.
void RowsDetectStage::fire_silent(int64_t clock_us) {
  if (clock_us < clock_bound_us_ || !has_open() || heard_.newest_us == -kNever) return;
  const int64_t idle_us = heard_.clock_us + plan_.place.idle_timeout_us + 1;
  const int64_t behind_us = heard_.clock_us - (heard_.newest_us - plan_.place.delay_us);  // clock minus event time
  if (clock_us >= idle_us) {
    waiting_.fire_shared(clock_us - behind_us, *this);
    core_.pass(0, clock_us - behind_us, watermark_);
  }
  int64_t next_us = waiting_.empty() ? kNever : heard_.newest_us + behind_us;
  if (core_.deadlines() > 0) next_us = std::min(next_us, core_.next_deadline_us(0) + behind_us + 1);
  clock_bound_us_ = std::max(next_us, idle_us);
}

void RowsDetectStage::write_state(const DirtyKeyGroups& which, const Entry& entry) const {
  DetectStage::write_state(which, entry);
  if (own() || !which[0] || heard_.newest_us == -kNever) return;
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kHeardEntry);
  out.zigzag(heard_.clock_us);
  out.zigzag(heard_.newest_us);
  entry(0, bytes);
}

bool RowsDetectStage::read_state(ByteReader& in) {
  switch (in.fixed<uint8_t>()) {
    case kDeviceEntry: return devices_.read(in);
    case kWaitingEntry: return waiting_.read(in);
    case kDetectorEntry: return core_.read(in);
    case kHeardEntry: {
      const Heard heard{in.zigzag(), in.zigzag()};
      if (!in.ok() || !usable_time(heard.clock_us) || !usable_time(heard.newest_us)) return false;
      heard_.add(heard);
      return true;
    }
    default: return false;
  }
}

class DetectStagePlan final : public OperatorPlan {
 public:
  DetectStagePlan(const sql::PlanNode& node, const OperatorPlace& place)
      : plan_(std::get<sql::Detect>(node.node), node, place) {}
  [[nodiscard]] std::unique_ptr<StatefulOperator> make(DeviceTable& devices, int) const override {
    if (plan_.only_readings()) return std::make_unique<DeviceDetectStage>(plan_, devices);
    return std::make_unique<RowsDetectStage>(plan_, devices);
  }

 private:
  const DetectPlan plan_;
};

}  // namespace

Result<std::unique_ptr<OperatorPlan>> plan_detect(const sql::PlanNode& node, const OperatorPlace& place) {
  return std::make_unique<DetectStagePlan>(node, place);
}

}  // namespace tidegate::engine
