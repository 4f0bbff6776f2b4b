#include "engine/internal/detect_core.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"

namespace tidegate::engine {

namespace {

// A silent device's rows are let out as soon as none is to be expected before them: an alert cannot wait for a day.
OperatorPlace let_out_early(OperatorPlace place) {
  place.delay_us = std::clamp<int64_t>(place.delay_us, 0, kFarTime);
  place.close_after_us = std::min(std::clamp<int64_t>(place.close_after_us, 0, kFarTime), place.delay_us);
  place.idle_timeout_us = std::clamp<int64_t>(place.idle_timeout_us, 0, kFarTime);
  return place;
}

}  // namespace

DetectPlan::DetectPlan(const sql::Detect& detect, const sql::PlanNode& node, const OperatorPlace& where)
    : rule(detect),
      place(let_out_early(where)),
      ordered(node.inputs.front()->output, detect.keys, detect.time_column, place),
      value(*ordered.input, detect.value_column ? std::vector{*detect.value_column} : std::vector<size_t>{}),
      output(node.output) {}

bool DetectPlan::only_readings() const {
  const auto& fields = ordered.input->fields;
  const bool number = !rule.value_column || fields[*rule.value_column].type == columnar::TypeKind::kDouble;
  return ordered.keeps_arrival && number && rule.keys.size() == 1 && rule.keys.front() == rule.device_column;
}

void DetectCore::take(uint32_t pot, int64_t time_us, std::string_view key, uint16_t key_group, double value,
                      int64_t reached_us) {
  auto [place, is_there] = table_.find(pot, key);
  if (!is_there && time_us <= reached_us && leaves_blank(plan_.rule, value)) return;
  if (!is_there) place = table_.add(pot, key, {{}, key_group});
  table_.change(pot, place, [&](Detector& detector) { detector.reading(plan_.rule, time_us, value, scratch_); });
  settle(pot, place, reached_us);
}

void DetectCore::take(uint32_t device, int64_t time_us, double value) {
  const bool is_there = device < table_.pots() && !table_.partitions(device).empty();
  if (!is_there && leaves_blank(plan_.rule, value)) return;  // nearly all readings of nearly all rules
  std::string key;                                           // as KeyCodec writes it
  ByteWriter out(key);
  devices_.write_name(device, out);
  take(device, time_us, key, devices_.at(device).key_group, value, time_us);
}

// After a detector changed. One that the clock took further than event time must still know that.
void DetectCore::settle(uint32_t pot, DetectorTable::Place place, int64_t reached_us) {
  dirty_[place->second.key_group] = true;
  emit(place->first);
  const Detector& detector = place->second.detector;
  if (detector.is_blank() && detector.time_us() <= reached_us) table_.forget(pot, place);
}

void DetectCore::emit(std::string_view key) {
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

int64_t DetectCore::wanted_at(uint32_t device) const {
  const int64_t deadline_us = table_.next_deadline_us(device);
  return deadline_us < kNever ? deadline_us + 1 : kNever;
}

void DetectCore::pass(uint32_t pot, int64_t time_us, int64_t reached_us) {
  while (table_.next_deadline_us(pot) < std::min(time_us, kNever)) {
    const DetectorTable::Place place = table_.next(pot);
    table_.change(pot, place, [&](Detector& detector) { detector.pass(plan_.rule, time_us, scratch_); });
    settle(pot, place, reached_us);
  }
}

// Its time is its watermark and the time since it was last heard of.
int64_t DetectCore::pass_silent(int64_t clock_us) {
  int64_t again_us = kNever;
  if (table_.deadlines() == 0) return again_us;
  for (uint32_t index = 0; index < table_.pots(); ++index) {
    if (table_.next_deadline_us(index) == kNever) continue;
    const Device& device = devices_.at(index);
    pass(index, device.watermark + (clock_us - device.last_seen_us), device.watermark);
    const int64_t deadline_us = table_.next_deadline_us(index);
    if (deadline_us == kNever) continue;
    again_us = std::min(again_us, device.last_seen_us + (deadline_us - device.watermark) + 1);
  }
  return again_us;
}

void DetectCore::take_over(DetectCore& other) {
  if (other.table_.pots() == 0) return;
  for (const auto& [key, partition] : other.table_.partitions(0)) {
    other.dirty_[partition.key_group] = true;
    dirty_[partition.key_group] = true;
    table_.add(0, key, partition);
  }
  other.table_.clear();
}

// A row that is not late is further away than the TTL. Looked for when there are so many partitions, and twice as many
// as after the last look.
void DetectCore::purge(int64_t shared_watermark) {
  if (plan_.rule.ttl_us <= 0 || table_.size() < purge_at_) return;
  for (uint32_t index = 0; index < table_.pots(); ++index) {
    const int64_t watermark = own() ? devices_.at(index).watermark : shared_watermark;
    if (watermark <= -kFarTime) continue;
    table_.forget_if(index, [&](const DetectorTable::Partition& partition) {
      if (watermark - partition.detector.time_us() <= plan_.rule.ttl_us) return false;
      dirty_[partition.key_group] = true;
      return true;
    });
  }
  purge_at_ = std::max(kFirstPurge, table_.size() * 2);
}

void DetectCore::write(const DirtyKeyGroups& which, const KeyedState::Entry& entry) const {
  std::string bytes;
  for (uint32_t pot = 0; pot < table_.pots(); ++pot) {
    for (const auto& [key, partition] : table_.partitions(pot)) {
      if (!which[partition.key_group]) continue;
      bytes.clear();
      ByteWriter out(bytes);
      out.fixed(kDetectorEntry);
      if (own()) devices_.write_name(pot, out);
      out.text(key);
      partition.detector.write(out);
      entry(partition.key_group, bytes);
    }
  }
}

bool DetectCore::read(ByteReader& in) {
  const uint32_t pot = own() ? devices_.find_or_add(DeviceTable::read_name(in)) : 0;
  const std::string_view key = in.text();
  Detector detector;
  if (!in.ok() || !plan_.ordered.keys.valid(key) || !detector.read(in)) return false;
  table_.add(pot, key, {detector, own() ? devices_.at(pot).key_group : key_group_of(key).value});
  return true;
}

}  // namespace tidegate::engine
