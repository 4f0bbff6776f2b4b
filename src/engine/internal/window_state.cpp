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
    case kGroupEntry: return read_group(in);
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
  device.last_seen_us = last_seen_us;
  return true;
}

bool WindowOperator::read_group(ByteReader& in) {
  const bool of_device = plan_.own_watermarks || plan_.mode == KeyMode::kDevice;
  uint32_t id = of_device ? devices_.find_or_add(read_name(in)) : kNone;
  if (plan_.mode == KeyMode::kDevice) {
    prepare_device_groups();
  } else {
    const std::string_view key = in.text();
    if (!in.ok() || !plan_.keys.valid(key)) return false;
    const uint32_t device = id;
    bool added = false;
    id = keys_.find_or_add(key, added);
    if (id >= groups_.size()) groups_.resize(id + size_t{1});
    if (added) groups_[id] = Group{};
    groups_[id].device = device;
    groups_[id].key_group = of_device ? devices_.at(device).key_group : key_group_of(key).value;
  }
  const int64_t next_end = in.zigzag();
  if (!in.ok() || !(math_.sessions() ? read_sessions(in, id) : read_slices(in, id, next_end))) return false;
  schedule(id, math_.sessions() ? session_ends_[groups_[id].oldest_slot] : next_end);
  return true;
}

// Two workers of an earlier run with more threads may each have left a part of a shared group: they add up.
bool WindowOperator::read_slices(ByteReader& in, uint32_t group_id, int64_t next_end) {
  const uint64_t count = in.varint();
  if (count == 0 || count > in.remaining()) return false;
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
  return fine;
}

}  // namespace tidegate::engine
