// WindowOperator: its state as bytes (docs/formats/state.md) and back.
#include "base/hash.h"
#include "engine/internal/window_operator.h"

namespace tidegate::engine {

namespace {

constexpr uint8_t kDeviceEntry = 1;
constexpr uint8_t kGroupEntry = 2;

void write_name(ByteWriter& out, std::optional<std::string_view> name) {
  out.fixed<uint8_t>(name.has_value());
  if (name) out.text(*name);
}

std::optional<std::string_view> read_name(ByteReader& in) {
  if (in.fixed<uint8_t>() == 0) return std::nullopt;
  return in.text();
}

}  // namespace

void WindowOperator::write_state(const DirtyKeyGroups& which,
                                 const std::function<void(uint16_t, std::string_view)>& entry) const {
  std::string bytes;
  for (size_t at = 0; at < devices_.size(); ++at) {
    const auto index = static_cast<uint32_t>(at);
    const Device& device = devices_.at(index);
    if (!which[device.key_group]) continue;
    bytes.clear();
    ByteWriter out(bytes);
    out.fixed(kDeviceEntry);
    write_name(out, devices_.name(index));
    out.zigzag(device.watermark);
    out.zigzag(device.last_seen_us);
    entry(device.key_group, bytes);
  }
  for (size_t at = 0; at < groups_.size(); ++at) {
    const Group& group = groups_[at];
    if (group.oldest_slot == 0 || !which[group.key_group]) continue;
    bytes.clear();
    ByteWriter out(bytes);
    write_group(static_cast<uint32_t>(at), out);
    entry(group.key_group, bytes);
  }
}

void WindowOperator::write_group(uint32_t group_id, ByteWriter& out) const {
  const Group& group = groups_[group_id];
  out.fixed(kGroupEntry);
  if (group.device != kNone) write_name(out, devices_.name(group.device));
  if (plan_.mode == KeyMode::kGeneral) out.text(keys_.key(group_id));
  out.zigzag(group.next_end);
  size_t count = 0;
  for (uint32_t at = group.oldest_slot; at != 0; at = slices_[at].newer) ++count;
  out.varint(count);
  for (uint32_t at = group.oldest_slot; at != 0; at = slices_[at].newer) {
    out.zigzag(slices_[at].start);
    if (math_.sessions()) out.zigzag(session_ends_[at]);
    accumulators_.write(at, out);
  }
}

bool WindowOperator::read_state(ByteReader& in) {
  switch (in.fixed<uint8_t>()) {
    case kDeviceEntry: return read_device(in);
    case kGroupEntry: {
      GroupHead head;
      return read_head(in, head) && read_group(in, head);
    }
    default: return false;
  }
}

bool WindowOperator::read_device(ByteReader& in) {
  const auto name = read_name(in);
  const int64_t watermark = in.zigzag();
  const int64_t last_seen_us = in.zigzag();
  if (!in.ok() || watermark < -kNever || watermark > kNever || !usable_time(last_seen_us)) return false;
  Device& device = devices_.at(devices_.find_or_add(name));
  device.watermark = std::max(device.watermark, watermark);
  device.last_seen_us = std::max(device.last_seen_us, last_seen_us);
  return true;
}

bool WindowOperator::read_head(ByteReader& in, GroupHead& head) const {
  if (plan_.own_watermarks || plan_.mode == KeyMode::kDevice) head.device = read_name(in);
  if (plan_.mode == KeyMode::kGeneral) head.key = in.text();
  head.next_end = in.zigzag();
  return in.ok() && (plan_.mode == KeyMode::kDevice || plan_.keys.valid(head.key));
}

uint32_t WindowOperator::group_of(const GroupHead& head) {
  const bool of_device = plan_.own_watermarks || plan_.mode == KeyMode::kDevice;
  const uint32_t device = of_device ? devices_.find_or_add(head.device) : kNone;
  if (plan_.mode == KeyMode::kDevice) {
    prepare_device_groups();
    return device;
  }
  bool added = false;
  const uint32_t id = keys_.find_or_add(head.key, added);
  if (id >= groups_.size()) groups_.resize(id + size_t{1});
  if (added) groups_[id] = Group{};
  groups_[id].device = device;
  groups_[id].key_group = of_device ? devices_.at(device).key_group : key_group_of(head.key).value;
  return id;
}

bool WindowOperator::read_group(ByteReader& in, const GroupHead& head) {
  if (!math_.sessions()) return read_sliced(in, head).has_value();
  const uint32_t id = group_of(head);
  if (!read_sessions(in, id)) return false;
  schedule(id, session_ends_[groups_[id].oldest_slot]);
  return true;
}

std::optional<int64_t> WindowOperator::read_sliced(ByteReader& in, const GroupHead& head) {
  const uint32_t id = group_of(head);
  const auto newest = read_slices(in, id, head.next_end);
  if (newest) schedule(id, head.next_end);
  return newest;
}

// Two workers of an earlier run with more threads may each have left a part of a shared group, and so may have several
// runs of pages: they add up.
std::optional<int64_t> WindowOperator::read_slices(ByteReader& in, uint32_t group_id, int64_t next_end) {
  const uint64_t count = in.varint();
  if (count == 0 || count > in.remaining()) return std::nullopt;
  const uint32_t part = accumulators_.take();
  bool fine = true;
  int64_t last = -kNever;
  for (uint64_t i = 0; fine && i < count; ++i) {
    const int64_t start = in.zigzag();
    fine = accumulators_.read(part, in) && math_.usable(start) && start > last && math_.is_slice_start(start);
    if (fine && i == 0) fine = math_.is_end_of(start, next_end);
    if (!fine) break;
    last = start;
    uint32_t newer = 0;
    uint32_t at = groups_[group_id].newest_slot;
    while (at != 0 && slices_[at].start > start) {
      newer = at;
      at = slices_[at].older;
    }
    if (at == 0 || slices_[at].start != start) at = insert_slice(group_id, start, newer, at);
    accumulators_.merge(at, accumulators_, part);
    accumulators_.reset(part);
  }
  accumulators_.release(part);
  return fine ? std::optional(last) : std::nullopt;
}

bool WindowOperator::read_spilled(ByteReader& in, const std::function<bool(const GroupHead&)>& slices) const {
  GroupHead head;
  switch (in.fixed<uint8_t>()) {
    case kDeviceEntry:  // in memory as well
      (void)read_name(in);
      (void)in.zigzag();
      (void)in.zigzag();
      return in.ok();
    case kGroupEntry: return read_head(in, head) && slices(head);
    default: return false;
  }
}

std::optional<int64_t> WindowOperator::skip_slices(ByteReader& in) {
  const uint64_t count = in.varint();
  if (count == 0 || count > in.remaining()) return std::nullopt;
  const uint32_t part = accumulators_.take();
  int64_t newest = 0;
  bool fine = true;
  for (uint64_t i = 0; fine && i < count; ++i) {
    newest = in.zigzag();
    fine = accumulators_.read(part, in) && math_.usable(newest);
    accumulators_.reset(part);
  }
  accumulators_.release(part);
  return fine ? std::optional(newest) : std::nullopt;
}

}  // namespace tidegate::engine
