#include "engine/internal/detect_stage.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "engine/internal/detector_table.h"
#include "engine/internal/ordered_rows.h"
#include "engine/internal/over_values.h"

namespace tidegate::engine {

namespace {

// Partitions that are gone are looked for when there are so many, and twice as many as after the last look.
constexpr size_t kFirstPurge = 1024;
constexpr uint8_t kDeviceEntry = 1;
constexpr uint8_t kDetectorEntry = 5;  // kWaitingEntry is 3
constexpr uint8_t kHeardEntry = 6;

// A silent device's rows are let out as soon as none is to be expected before them: an alert cannot wait for a day.
OperatorPlace let_out_early(OperatorPlace place) {
  place.delay_us = std::clamp<int64_t>(place.delay_us, 0, kFarTime);
  place.close_after_us = std::min(std::clamp<int64_t>(place.close_after_us, 0, kFarTime), place.delay_us);
  place.idle_timeout_us = std::clamp<int64_t>(place.idle_timeout_us, 0, kFarTime);
  return place;
}

// Immutable.
struct DetectPlan {
  DetectPlan(const sql::Detect& detect, const sql::PlanNode& node, const OperatorPlace& where)
      : rule(detect),
        place(let_out_early(where)),
        ordered(node.inputs.front()->output, detect.keys, detect.time_column, place),
        value(*ordered.input, detect.value_column ? std::vector{*detect.value_column} : std::vector<size_t>{}),
        output(node.output) {}

  const sql::Detect& rule;
  OperatorPlace place;
  OrderedPlan ordered;
  ValuePicker value;
  columnar::SchemaPtr output;
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

class DetectStage final : public StatefulOperator, private OrderedSink {
 public:
  DetectStage(const DetectPlan& plan, DeviceTable& devices)
      : plan_(plan), devices_(devices), waiting_(plan.ordered, devices), results_(plan.output) {}

  void process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) override;
  void fire_due(const StageTime&) override {
    clock_bound_us_ = -kNever;
    waiting_.fire_due(*this);
  }
  void close_silent(int64_t clock_us) override;
  [[nodiscard]] int64_t close_bound_us() const override;
  void fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) override;
  void fire_silent(int64_t clock_us) override;
  [[nodiscard]] bool has_open() const override { return !waiting_.empty() || table_.deadlines() > 0; }

  [[nodiscard]] columnar::BatchBuilder& results() override { return results_; }
  [[nodiscard]] std::vector<columnar::Batch>& late() override { return waiting_.late(); }
  // Rows that were let out count too: they changed what is known, so that the epoch must be recorded.
  [[nodiscard]] uint64_t fired() const override { return waiting_.fired() + alerts_; }
  [[nodiscard]] uint64_t late_rows() const override { return waiting_.late_rows(); }

  [[nodiscard]] DirtyKeyGroups dirty() const override { return devices_.dirty() | waiting_.dirty(); }
  void mark_clean() override {
    devices_.dirty().reset();
    waiting_.dirty().reset();
  }
  void mark_dirty(uint16_t key_group) override { waiting_.dirty()[key_group] = true; }
  void write_state(const DirtyKeyGroups& which, const Entry& entry) const override;
  [[nodiscard]] bool read_state(ByteReader& in) override;
  void loaded() override;
  [[nodiscard]] size_t memory_bytes() const override {
    return devices_.memory_bytes() + waiting_.memory_bytes() + results_.memory_bytes() + table_.memory_bytes();
  }

 private:
  [[nodiscard]] bool own() const { return plan_.ordered.own_watermarks; }
  void rows_due(uint32_t device, int64_t time, std::vector<OrderedRow>& rows) override;
  void time_passed(uint32_t device, int64_t watermark) override { pass(device, watermark, watermark); }
  [[nodiscard]] int64_t wanted_at(uint32_t device) const override;
  void take_row(uint32_t pot, int64_t time, const OrderedRow& row);
  [[nodiscard]] std::optional<double> value_of(const OrderedRow& row) const;
  // All deadlines of a pot before `time_us`; event time itself has reached `reached_us`.
  void pass(uint32_t pot, int64_t time_us, int64_t reached_us);
  void settle(uint32_t pot, DetectorTable::Place place, int64_t reached_us);
  void emit(std::string_view key);
  void take_over(DetectStage& other);
  void purge(int64_t shared_watermark);
  [[nodiscard]] bool read_partition(ByteReader& in);
  // The clock reading by which a silent device's first deadline has passed; kNever: it has none.
  [[nodiscard]] int64_t silent_until_us(uint32_t device) const;

  const DetectPlan& plan_;
  DeviceTable& devices_;
  OrderedRows waiting_;
  DetectorTable table_;  // pots by device
  // With the shared watermark: as of the latest fire_shared().
  Heard heard_;
  int64_t watermark_ = -kNever;
  columnar::BatchBuilder results_;
  Alerts scratch_;
  // No deadline passes by the clock before this; rows move devices' times, so that it must be found anew after any.
  int64_t clock_bound_us_ = -kNever;
  size_t purge_at_ = kFirstPurge;
  uint64_t alerts_ = 0;
};

void DetectStage::process(const columnar::Batch& input, const RowTimes& times, const StageTime& now) {
  waiting_.take_in(input, times, now.shared_watermark, false);
  clock_bound_us_ = -kNever;
  if (own()) return waiting_.fire_due(*this);
  Heard heard{now.clock_us, heard_.newest_us};
  const columnar::Column& column = *input.columns[plan_.ordered.time_column];
  for (size_t row = 0; row < input.rows; ++row) {
    const int64_t time = column.values<int64_t>()[row];
    if (column.valid(row) && usable_time(time)) heard.newest_us = std::max(heard.newest_us, time);
  }
  heard_.add(heard);
  waiting_.dirty()[0] = true;
}

void DetectStage::rows_due(uint32_t device, int64_t time, std::vector<OrderedRow>& rows) {
  const uint32_t pot = own() ? device : 0;
  clock_bound_us_ = -kNever;
  for (const OrderedRow& row : rows) take_row(pot, time, row);
}

// Nothing: the row says nothing, since the value is NULL or no number.
std::optional<double> DetectStage::value_of(const OrderedRow& row) const {
  if (!plan_.rule.value_column) return 0;
  const Value value = plan_.value.pick(row.bytes).front();
  if (is_null(value)) return std::nullopt;
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return 0;
  return std::isfinite(*number) ? std::optional(*number) : std::nullopt;
}

void DetectStage::take_row(uint32_t pot, int64_t time, const OrderedRow& row) {
  const std::optional<double> value = value_of(row);
  if (!value) return;
  auto [place, is_there] = table_.find(pot, row.key);
  if (!is_there && leaves_blank(plan_.rule, *value)) return;
  if (!is_there) place = table_.add(pot, row.key, {{}, waiting_.key_group_of_row(pot, row.key)});
  table_.change(pot, place, [&](Detector& detector) { detector.reading(plan_.rule, time, *value, scratch_); });
  settle(pot, place, time);
}

// After a detector changed. One that the clock took further than event time must still know that.
void DetectStage::settle(uint32_t pot, DetectorTable::Place place, int64_t reached_us) {
  waiting_.dirty()[place->second.key_group] = true;
  emit(place->first);
  const Detector& detector = place->second.detector;
  if (detector.is_blank() && detector.time_us() <= reached_us) table_.forget(pot, place);
}

void DetectStage::emit(std::string_view key) {
  const size_t first = plan_.rule.keys.size();
  for (const Alert& alert : scratch_) {
    CHECK(plan_.ordered.keys.decode(key, results_));
    results_.column(first).append_string(alert.raised ? "raised" : "cleared");
    if (alert.value) {
      results_.column(first + 1).append<double>(*alert.value);
    } else {
      results_.column(first + 1).append_null();
    }
    results_.column(first + 2).append<int64_t>(alert.at_us);
    results_.column(first + 3).append<int64_t>(alert.raised_at_us);
    results_.column(first + 4).append<int64_t>((alert.at_us - alert.since_us) / kMicrosPerMilli);
    results_.end_row();
  }
  alerts_ += scratch_.size();
  scratch_.clear();
}

int64_t DetectStage::wanted_at(uint32_t device) const {
  const int64_t deadline_us = table_.next_deadline_us(device);
  return deadline_us < kNever ? deadline_us + 1 : kNever;
}

void DetectStage::pass(uint32_t pot, int64_t time_us, int64_t reached_us) {
  while (table_.next_deadline_us(pot) < std::min(time_us, kNever)) {
    const DetectorTable::Place place = table_.next(pot);
    table_.change(pot, place, [&](Detector& detector) { detector.pass(plan_.rule, time_us, scratch_); });
    settle(pot, place, reached_us);
  }
}

int64_t DetectStage::silent_until_us(uint32_t index) const {
  const int64_t deadline_us = table_.next_deadline_us(index);
  const Device& device = devices_.at(index);
  return deadline_us < kNever ? device.last_seen_us + (deadline_us - device.watermark) + 1 : kNever;
}

// A silent device's time goes on with the clock: its watermark and the time since it was last heard of.
void DetectStage::close_silent(int64_t clock_us) {
  waiting_.close_silent(clock_us, *this);
  purge(-kNever);
  if (clock_us < clock_bound_us_ || table_.deadlines() == 0) return;
  int64_t bound_us = kNever;
  for (uint32_t index = 0; index < table_.pots(); ++index) {
    const Device& device = devices_.at(index);
    pass(index, device.watermark + (clock_us - device.last_seen_us), device.watermark);
    bound_us = std::min(bound_us, silent_until_us(index));
  }
  clock_bound_us_ = bound_us;
}

int64_t DetectStage::close_bound_us() const {
  const int64_t rows_us = own() ? waiting_.close_bound_us() : kNever;
  return has_open() ? std::min(rows_us, clock_bound_us_) : rows_us;
}

void DetectStage::fire_shared(int64_t watermark, std::span<StatefulOperator* const> copies) {
  for (StatefulOperator* copy : copies.subspan(1)) take_over(*static_cast<DetectStage*>(copy));
  waiting_.fire_shared(watermark, *this);
  pass(0, watermark, watermark);
  watermark_ = watermark;
  purge(watermark);
}

// Once all devices are silent for longer than they may be, time goes on with the clock.
void DetectStage::fire_silent(int64_t clock_us) {
  if (clock_us < clock_bound_us_ || !has_open() || heard_.newest_us == -kNever) return;
  const int64_t idle_us = heard_.clock_us + plan_.place.idle_timeout_us + 1;
  const int64_t behind_us = heard_.clock_us - (heard_.newest_us - plan_.place.delay_us);  // clock minus event time
  if (clock_us >= idle_us) {
    waiting_.fire_shared(clock_us - behind_us, *this);
    pass(0, clock_us - behind_us, watermark_);
  }
  int64_t next_us = waiting_.empty() ? kNever : heard_.newest_us + behind_us;
  if (table_.deadlines() > 0) next_us = std::min(next_us, table_.next_deadline_us(0) + behind_us + 1);
  clock_bound_us_ = std::max(next_us, idle_us);
}

void DetectStage::take_over(DetectStage& other) {
  waiting_.take_over(other.waiting_);
  heard_.add(other.heard_);
  if (other.table_.pots() == 0) return;
  for (const auto& [key, partition] : other.table_.partitions(0)) {
    other.waiting_.dirty()[partition.key_group] = true;
    waiting_.dirty()[partition.key_group] = true;
    table_.add(0, key, partition);
  }
  other.table_.clear();
}

// Nothing that comes can still reach these: a row that is not late is further away than the TTL.
void DetectStage::purge(int64_t shared_watermark) {
  if (plan_.rule.ttl_us <= 0 || table_.size() < purge_at_) return;
  for (uint32_t index = 0; index < table_.pots(); ++index) {
    const int64_t watermark = own() ? devices_.at(index).watermark : shared_watermark;
    if (watermark <= -kFarTime) continue;
    table_.forget_if(index, [&](const DetectorTable::Partition& partition) {
      if (watermark - partition.detector.time_us() <= plan_.rule.ttl_us) return false;
      waiting_.dirty()[partition.key_group] = true;
      return true;
    });
  }
  purge_at_ = std::max(kFirstPurge, table_.size() * 2);
}

void DetectStage::write_state(const DirtyKeyGroups& which, const Entry& entry) const {
  std::string bytes;
  const auto write = [&](uint8_t kind, uint16_t key_group, const auto& fill) {
    bytes.clear();
    ByteWriter out(bytes);
    out.fixed(kind);
    fill(out);
    entry(key_group, bytes);
  };
  for (uint32_t index = 0; index < devices_.size(); ++index) {
    const uint16_t key_group = devices_.at(index).key_group;
    if (which[key_group]) write(kDeviceEntry, key_group, [&](ByteWriter& out) { devices_.write(index, out); });
  }
  waiting_.write(which, entry);
  for (uint32_t index = 0; index < table_.pots(); ++index) {
    for (const auto& each : table_.partitions(index)) {
      const DetectorTable::Partition& partition = each.second;
      if (!which[partition.key_group]) continue;
      write(kDetectorEntry, partition.key_group, [&](ByteWriter& out) {
        if (own()) devices_.write_name(index, out);
        out.text(each.first);
        partition.detector.write(out);
      });
    }
  }
  if (own() || !which[0] || heard_.newest_us == -kNever) return;
  write(kHeardEntry, 0, [&](ByteWriter& out) {
    out.zigzag(heard_.clock_us);
    out.zigzag(heard_.newest_us);
  });
}

bool DetectStage::read_state(ByteReader& in) {
  switch (in.fixed<uint8_t>()) {
    case kDeviceEntry: return devices_.read(in);
    case kWaitingEntry: return waiting_.read(in);
    case kDetectorEntry: return read_partition(in);
    case kHeardEntry: {
      const Heard heard{in.zigzag(), in.zigzag()};
      if (!in.ok() || !usable_time(heard.clock_us) || !usable_time(heard.newest_us)) return false;
      heard_.add(heard);
      return true;
    }
    default: return false;
  }
}

bool DetectStage::read_partition(ByteReader& in) {
  const uint32_t pot = own() ? devices_.find_or_add(DeviceTable::read_name(in)) : 0;
  const std::string key(in.text());
  Detector detector;
  if (!in.ok() || !plan_.ordered.keys.valid(key) || !detector.read(in)) return false;
  table_.add(pot, key, {detector, waiting_.key_group_of_row(pot, key)});
  return true;
}

// Deadlines wait for their devices.
void DetectStage::loaded() {
  devices_.loaded();
  if (!own()) return;
  for (uint32_t index = 0; index < devices_.size(); ++index) {
    Device& device = devices_.at(index);
    device.fire_at = std::min(device.fire_at, wanted_at(index));
  }
}

class DetectStagePlan final : public OperatorPlan {
 public:
  DetectStagePlan(const sql::PlanNode& node, const OperatorPlace& place)
      : plan_(std::get<sql::Detect>(node.node), node, place) {}
  [[nodiscard]] std::unique_ptr<StatefulOperator> make(DeviceTable& devices, int) const override {
    return std::make_unique<DetectStage>(plan_, devices);
  }

 private:
  const DetectPlan plan_;
};

}  // namespace

Result<std::unique_ptr<OperatorPlan>> plan_detect(const sql::PlanNode& node, const OperatorPlace& place) {
  return std::make_unique<DetectStagePlan>(node, place);
}

}  // namespace tidegate::engine
