#include "engine/internal/window_operator.h"

#include <algorithm>

#include "base/hash.h"

namespace tidegate::engine {

namespace {

std::optional<size_t> device_key_column(const WindowPlan& plan) {
  return plan.mode == KeyMode::kDevice ? std::optional<size_t>(0) : std::nullopt;
}

}  // namespace

WindowOperator::WindowOperator(const WindowPlan& plan, DeviceTable& devices)
    : plan_(plan),
      math_(plan.math),
      devices_(devices),
      accumulators_(plan.layout),
      scratch_(accumulators_.take()),
      slices_(2),
      results_(plan.output, device_key_column(plan), &devices.names()) {
  if (plan.sliding) suffixes_.emplace(plan.layout);
}

void WindowOperator::process(const columnar::Batch& input, const RowTimes& times, int64_t shared_watermark) {
  slots_.resize(input.rows);
  if (plan_.layout.ordered()) key_groups_.resize(input.rows);
  late_scratch_.clear();
  Pass pass{input, times};
  if (plan_.mode == KeyMode::kDevice) {
    prepare_device_groups();
    const auto of_device = [&](size_t row) { return times.device[row]; };
    assign(pass, shared_watermark, of_device);
  } else {
    const auto of_key = [&](size_t row) { return general_group(input, row, times.device[row]); };
    assign(pass, shared_watermark, of_key);
  }
  add_rows(pass, input.rows);
  if (plan_.own_watermarks) fire_due_devices();
  if (late_scratch_.empty()) return;
  late_total_ += late_scratch_.size();
  late_.push_back(columnar::gather(input, late_scratch_));
}

template <class GroupOf>
void WindowOperator::assign(Pass& pass, int64_t shared_watermark, GroupOf group_of) {
  if (math_.sessions()) {
    plan_.own_watermarks ? assign_sessions<true>(pass, shared_watermark, group_of)
                         : assign_sessions<false>(pass, shared_watermark, group_of);
  } else {
    plan_.own_watermarks ? assign_slots<true>(pass, shared_watermark, group_of)
                         : assign_slots<false>(pass, shared_watermark, group_of);
  }
}

template <bool kOwn, class GroupOf>
void WindowOperator::assign_sessions(Pass& pass, int64_t shared_watermark, GroupOf group_of) {
  const columnar::Column& times = *pass.input.columns[plan_.time_column];
  const int64_t* time = times.values<int64_t>().data();
  for (size_t i = 0; i < pass.input.rows; ++i) {
    if (!times.valid(i)) {
      slots_[i] = reject(i);
      continue;
    }
    const int64_t watermark = kOwn ? pass.times.watermark[i] : shared_watermark;
    slots_[i] = session_slot(pass, i, group_of(i), time[i], watermark);
  }
}

// The loop every row goes through; the window start is compared, not computed.
template <bool kOwn, class GroupOf>
void WindowOperator::assign_slots(Pass& pass, int64_t shared_watermark, GroupOf group_of) {
  const columnar::Column& times = *pass.input.columns[plan_.time_column];
  const int64_t* time = times.values<int64_t>().data();
  const int64_t* own_watermark = pass.times.watermark.data();
  const bool has_nulls = times.has_nulls();
  const auto slice = static_cast<uint64_t>(math_.slice());
  // While the watermark has not come this far into a slice, no window of the slice can be closed.
  const int64_t untouched = math_.slice() - kMicrosPerMilli;
  for (size_t i = 0; i < pass.input.rows; ++i) {
    const int64_t watermark = kOwn ? own_watermark[i] : shared_watermark;
    if (has_nulls && !times.valid(i)) [[unlikely]] {
      slots_[i] = math_.whole() ? slot_off_path(pass, i, group_of(i), 0, watermark) : reject(i);
      continue;
    }
    const uint32_t group_id = group_of(i);
    const Group& group = groups_[group_id];
    if (static_cast<uint64_t>(time[i] - group.newest_start) < slice && watermark - group.newest_start < untouched) {
      slots_[i] = group.newest_slot;
    } else if (static_cast<uint64_t>(time[i] - group.second_start) < slice &&
               watermark - group.second_start < untouched) {
      slots_[i] = group.second_slot;
    } else {
      slots_[i] = slot_off_path(pass, i, group_id, time[i], watermark);
    }
  }
}

uint32_t WindowOperator::slot_off_path(Pass& pass, size_t row, uint32_t group_id, int64_t time, int64_t watermark) {
  if (math_.whole()) {
    time = std::clamp(time, -kFarTime, kFarTime - 1);
  } else if (!math_.usable(time)) {
    release_group(group_id);
    return reject(row);
  }
  const int64_t start = math_.slice_start(time);
  if (WindowMath::closed(math_.last_end(start), watermark)) {
    release_group(group_id);
    return reject(row);
  }
  // Overlapping windows: part of the row's windows are closed already, and must be emitted without it.
  if (spilled_.devices > 0 && WindowMath::closed(math_.first_end(start), watermark)) [[unlikely]] {
    const Device& device = devices_.at(groups_[group_id].device);
    if (device.spilled && device.fire_at <= watermark) {
      add_rows(pass, row);
      const uint32_t index = groups_[group_id].device;
      fire_spilled_now(index, watermark);
      if (plan_.mode == KeyMode::kGeneral) group_id = group_of_key(index);  // it may have been forgotten meanwhile
    }
  }
  if (WindowMath::closed(math_.first_end(start), watermark) &&
      WindowMath::closed(groups_[group_id].next_end, watermark)) {
    add_rows(pass, row);
    fire_group(group_id, watermark, {});
  }
  if (plan_.sliding) forget_sums(group_id, start);
  const uint32_t slot = find_or_insert(group_id, start, watermark);
  Group& group = groups_[group_id];
  if (slot != group.newest_slot) {
    group.second_slot = slot;
    group.second_start = start;
  }
  return slot;
}

uint32_t WindowOperator::reject(size_t row) {
  late_scratch_.push_back(static_cast<uint32_t>(row));
  return Accumulators::kDiscard;
}

void WindowOperator::add_rows(Pass& pass, size_t last) {
  RowOrder order;
  if (plan_.layout.ordered()) {
    order = {pass.input.columns[plan_.time_column]->values<int64_t>().data(), key_groups_.data()};
    for (size_t row = pass.added; row < last; ++row) key_groups_[row] = devices_.at(pass.times.device[row]).key_group;
  }
  accumulators_.update(pass.input, slots_, order, pass.added, last);
  pass.added = last;
}

void WindowOperator::prepare_device_groups() {
  const size_t before = groups_.size();
  if (before == devices_.size()) return;
  groups_.resize(devices_.size());
  for (size_t at = before; at < groups_.size(); ++at) {
    const auto id = static_cast<uint32_t>(at);
    groups_[at].device = id;
    groups_[at].key_group = devices_.at(id).key_group;
    devices_.at(id).first_group = id;
  }
}

uint32_t WindowOperator::general_group(const columnar::Batch& input, size_t row, uint32_t device) {
  plan_.keys.encode(input, row, key_scratch_);
  return group_of_key(device);
}

uint32_t WindowOperator::group_of_key(uint32_t device) {
  bool added = false;
  const uint32_t id = keys_.find_or_add(key_scratch_, added);
  if (added) {
    if (id >= groups_.size()) groups_.resize(id + size_t{1});
    groups_[id] = Group{};
    if (plan_.own_watermarks) groups_[id].device = device;
    groups_[id].key_group = plan_.own_watermarks ? devices_.at(device).key_group : key_group_of(key_scratch_).value;
  }
  dirty_[groups_[id].key_group] = true;
  return id;
}

uint32_t WindowOperator::find_or_insert(uint32_t group_id, int64_t start, int64_t watermark) {
  uint32_t newer = 0;
  uint32_t at = groups_[group_id].newest_slot;
  while (at != 0 && slices_[at].start > start) {
    newer = at;
    at = slices_[at].older;
  }
  if (at != 0 && slices_[at].start == start) return at;
  const uint32_t slot = insert_slice(group_id, start, newer, at);
  schedule(group_id, math_.open_end(math_.first_end(start), watermark));
  return slot;
}

uint32_t WindowOperator::insert_slice(uint32_t group_id, int64_t start, uint32_t newer, uint32_t older) {
  const uint32_t slot = take_slot(group_id);
  if (slot >= slices_.size()) slices_.resize(slot + size_t{1});
  slices_[slot] = {start, newer, older};
  Group& group = groups_[group_id];
  if (group.oldest_slot == 0) {
    ++open_groups_;
    if (plan_.mode == KeyMode::kGeneral && plan_.own_watermarks) link_group(group_id);
  }
  if (older == 0) {
    group.oldest_slot = slot;
  } else {
    slices_[older].newer = slot;
  }
  if (newer != 0) {
    slices_[newer].older = slot;
    return slot;
  }
  group.second_slot = group.newest_slot;
  group.second_start = group.newest_start;
  group.newest_slot = slot;
  group.newest_start = start;
  return slot;
}

void WindowOperator::schedule(uint32_t group_id, int64_t end) {
  Group& group = groups_[group_id];
  group.next_end = std::min(group.next_end, end);
  if (!plan_.own_watermarks) {
    least_end_ = std::min(least_end_, group.next_end);
    return;
  }
  Device& device = devices_.at(group.device);
  device.fire_at = std::min(device.fire_at, group.next_end - kMicrosPerMilli);
  if (device.watermark >= device.fire_at) devices_.mark_due(group.device);
  close_bound_us_ = std::min(close_bound_us_, device.last_seen_us + plan_.close_after_us);
}

void WindowOperator::link_group(uint32_t group_id) {
  if (groups_[group_id].linked) return;
  groups_[group_id].linked = true;
  Device& device = devices_.at(groups_[group_id].device);
  groups_[group_id].next_group = device.first_group;
  device.first_group = group_id;
}

// A group without open slices is forgotten; a device's own group stays with the device.
void WindowOperator::release_group(uint32_t group_id) {
  if (plan_.mode == KeyMode::kDevice || groups_[group_id].oldest_slot != 0) return;
  if (plan_.sliding) release_sums(group_id);
  keys_.erase(group_id);
}

size_t WindowOperator::memory_bytes() const {
  return accumulators_.memory_bytes() + keys_.memory_bytes() + groups_.capacity() * sizeof(Group) +
         (suffixes_ ? suffixes_->memory_bytes() : size_t{0}) + sliding_.capacity() * sizeof(Sliding) +
         slices_.capacity() * sizeof(Slice) + slots_.capacity() * sizeof(uint32_t) + results_.memory_bytes();
}

}  // namespace tidegate::engine
