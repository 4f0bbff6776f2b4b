// WindowOperator: closing windows and emitting their results.
#include <algorithm>

#include "base/check.h"
#include "engine/internal/window_operator.h"

namespace tidegate::engine {

void WindowOperator::fire_due_devices() {
  std::vector<uint32_t>& due = devices_.due();
  for (const uint32_t device : due) {
    Device& state = devices_.at(device);
    state.due = false;
    if (state.spilled) [[unlikely]] {
      spilled_.due.push_back({device, state.key_group, false, state.watermark});
    } else {
      fire_device(device, state.watermark, {});
    }
  }
  due.clear();
}

void WindowOperator::fire_device(uint32_t device_index, int64_t watermark, const Sink& sink) {
  Device& device = devices_.at(device_index);
  int64_t next_end = kNever;
  uint32_t* link = &device.first_group;
  while (*link != kNone) {
    const uint32_t id = *link;
    fire_group(id, watermark, sink);
    next_end = std::min(next_end, groups_[id].next_end);
    if (plan_.mode == KeyMode::kGeneral && groups_[id].oldest_slot == 0) {
      *link = groups_[id].next_group;
      release_group(id);
    } else {
      link = &groups_[id].next_group;
    }
  }
  device.fire_at = next_end == kNever ? kNever : next_end - kMicrosPerMilli;
}

void WindowOperator::fire_shared(int64_t watermark, WindowMerger* merger) {
  fired_to_ = std::max(fired_to_, watermark);
  if (!shared_window_due(watermark)) return;
  least_end_ = kNever;
  for (size_t at = 0; at < groups_.size(); ++at) {
    const auto id = static_cast<uint32_t>(at);
    if (groups_[id].oldest_slot == 0) continue;
    fire_group(id, watermark, {merger});
    least_end_ = std::min(least_end_, groups_[id].next_end);
    release_group(id);
  }
}

void WindowOperator::close_empty() {
  if (!math_.whole() || !plan_.keys.columns().empty() || fired_ > 0 || open_groups_ > 0) return;
  key_scratch_.clear();
  find_or_insert(group_of_key(kNone), math_.slice_start(0), -kNever);
}

Pace WindowOperator::pace(size_t results) const {
  Pace pace;
  if (!math_.overlaps()) return pace;
  for (const Group& group : groups_) {
    if (group.oldest_slot != 0) pace.due = std::min(pace.due, group.next_end - kMicrosPerMilli);
  }
  const auto slides = static_cast<int64_t>(results / std::max<size_t>(open_groups_, 1));
  if (__builtin_mul_overflow(math_.slide(), slides, &pace.step_us)) pace.step_us = kFarTime;
  pace.step_us = std::min(pace.step_us, kFarTime);
  return pace;
}

void WindowOperator::fire_group(uint32_t group_id, int64_t watermark, const Sink& sink) {
  if (math_.sessions()) return fire_sessions(group_id, watermark);
  Group& group = groups_[group_id];
  while (WindowMath::closed(group.next_end, watermark)) {
    const int64_t end = group.next_end;
    if (math_.growing()) join_slices(group_id, end);
    if (!sink.nowhere) emit(group_id, end, sink);
    drop_slices(group_id, math_.kept_from(end));
    if (group.oldest_slot == 0) {
      group.next_end = kNever;
    } else {
      const int64_t first = math_.first_end(slices_[group.oldest_slot].start);
      group.next_end = std::max(math_.next_end(end), first);
    }
    dirty_[group.key_group] = true;
  }
}

void WindowOperator::emit(uint32_t group_id, int64_t end, const Sink& sink) {
  ++fired_;
  const Group& group = groups_[group_id];
  const uint32_t second = slices_[group.oldest_slot].newer;
  const bool one_slice = second == 0 || slices_[second].start >= end;
  const uint32_t slot = one_slice ? group.oldest_slot : merged_slices(group_id, end);
  if (sink.merger != nullptr) {
    sink.merger->add(key_bytes(group_id), end, accumulators_, slot);
  } else {
    append_key(group_id);
    overflows_ += append_window(plan_, {math_.start_of(end), end, end}, accumulators_, slot, results_);
  }
  if (!one_slice) accumulators_.reset(scratch_);
}

uint32_t WindowOperator::merged_slices(uint32_t group_id, int64_t end) {
  if (plan_.sliding) return slid_slices(group_id, end);
  const Group& group = groups_[group_id];
  for (uint32_t at = group.oldest_slot; at != 0 && slices_[at].start < end; at = slices_[at].newer) {
    accumulators_.merge(scratch_, accumulators_, at);
  }
  return scratch_;
}

void WindowOperator::append_key(uint32_t group_id) {
  if (plan_.mode == KeyMode::kGeneral) {
    CHECK(plan_.keys.decode(keys_.key(group_id), results_));
    return;
  }
  const uint32_t code = devices_.at(groups_[group_id].device).code;
  if (code == 0) {
    results_.column(0).append_null();
  } else {
    results_.column(0).append<uint32_t>(code - 1);
  }
}

std::string WindowOperator::key_bytes(uint32_t group_id) const {
  if (plan_.mode == KeyMode::kGeneral) return std::string(keys_.key(group_id));
  std::string bytes;
  ByteWriter out(bytes);
  const auto name = devices_.name(groups_[group_id].device);
  out.fixed<uint8_t>(name.has_value());
  if (name) out.text(*name);
  return bytes;
}

// All slices before `end` become one: they are in the same windows from now on. Rows that come late make new ones,
// until the next window is emitted.
void WindowOperator::join_slices(uint32_t group_id, int64_t end) {
  Group& group = groups_[group_id];
  const uint32_t oldest = group.oldest_slot;
  for (uint32_t at = slices_[oldest].newer; at != 0 && slices_[at].start < end; at = slices_[oldest].newer) {
    accumulators_.merge(oldest, accumulators_, at);
    const uint32_t newer = slices_[at].newer;
    slices_[oldest].newer = newer;
    if (newer != 0) slices_[newer].older = oldest;
    if (at == group.newest_slot) {
      group.newest_slot = oldest;
      group.newest_start = slices_[oldest].start;
    }
    forget_second(group, at);
    accumulators_.release(at);
  }
}

void WindowOperator::forget_second(Group& group, uint32_t slot) {
  if (slot != group.second_slot) return;
  group.second_slot = 0;
  group.second_start = kNever;
}

// Slices that start before `before` are in no window to come.
void WindowOperator::drop_slices(uint32_t group_id, int64_t before) {
  Group& group = groups_[group_id];
  while (group.oldest_slot != 0 && slices_[group.oldest_slot].start < before) {
    const uint32_t slot = group.oldest_slot;
    group.oldest_slot = slices_[slot].newer;
    forget_second(group, slot);
    release_slot(group_id, slot);
  }
  if (group.oldest_slot != 0) {
    slices_[group.oldest_slot].older = 0;
    return;
  }
  group.newest_slot = 0;
  group.newest_start = kNever;
  --open_groups_;
}

int64_t WindowOperator::silent_watermark(const Device& device) const {
  int64_t watermark = device.watermark;
  for (uint32_t id = device.first_group; id != kNone; id = groups_[id].next_group) {
    if (groups_[id].newest_slot == 0) continue;
    const int64_t end =
        math_.sessions() ? session_ends_[groups_[id].newest_slot] : math_.last_end(groups_[id].newest_start);
    watermark = std::max(watermark, end - kMicrosPerMilli);
  }
  return watermark;
}

void WindowOperator::close_silent(int64_t clock_us) {
  if (clock_us < close_bound_us_) return;
  close_bound_us_ = kNever;
  for (size_t at = 0; at < devices_.size(); ++at) {
    const auto index = static_cast<uint32_t>(at);
    Device& device = devices_.at(index);
    if (device.fire_at == kNever) continue;
    const int64_t close_at_us = device.last_seen_us + plan_.close_after_us;
    if (close_at_us > clock_us) {
      close_bound_us_ = std::min(close_bound_us_, close_at_us);
      continue;
    }
    if (device.spilled) {
      spilled_.due.push_back({index, device.key_group, true, device.watermark});
      continue;
    }
    device.watermark = silent_watermark(device);
    dirty_[device.key_group] = true;
    fire_device(index, device.watermark, {});
  }
}

}  // namespace tidegate::engine
