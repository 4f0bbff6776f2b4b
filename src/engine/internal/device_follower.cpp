#include "engine/internal/device_follower.h"

#include <algorithm>

namespace tidegate::engine {

namespace {

constexpr uint8_t kDeviceEntry = 1;

}  // namespace

DeviceFollower::DeviceFollower(DeviceTable& devices, std::vector<DeviceTable*> feeds, int64_t idle_timeout_us)
    : devices_(devices),
      feeds_(std::move(feeds)),
      idle_timeout_us_(std::clamp<int64_t>(idle_timeout_us, 0, kFarTime)),
      // With several feeds not known until all devices were looked at: at once, as after a restart.
      next_idle_us_(feeds_.size() > 1 ? -kNever : kNever) {
  for (DeviceTable* feed : feeds_) feed->track_touched();
}

bool DeviceFollower::follow(int64_t clock_us) {
  bool moved = false;
  const bool all = clock_us >= next_idle_us_;
  if (all) next_idle_us_ = kNever;
  for (DeviceTable* feed : feeds_) {
    for (const uint32_t index : feed->touched()) {
      feed->at(index).touched = false;
      if (!all) moved = settle(feed->at(index).code, clock_us) || moved;
    }
    feed->touched().clear();
    if (!all) continue;
    for (const Device& device : feed->all()) moved = settle(device.code, clock_us) || moved;
  }
  return moved;
}

bool DeviceFollower::settle(uint32_t code, int64_t clock_us) {
  size_t known = 0;
  int64_t only = -kNever;
  int64_t least = kNever;
  int64_t last_seen_us = 0;
  for (DeviceTable* feed : feeds_) {
    const auto index = feed->find(code);
    if (!index) continue;
    const Device& device = feed->at(*index);
    last_seen_us = std::max(last_seen_us, device.last_seen_us);
    if (device.watermark == -kNever) continue;
    ++known;
    only = device.watermark;
    if (clock_us - device.last_seen_us > idle_timeout_us_) continue;
    least = std::min(least, device.watermark);
    if (feeds_.size() > 1) next_idle_us_ = std::min(next_idle_us_, device.last_seen_us + idle_timeout_us_ + 1);
  }
  const int64_t stays = -kNever;
  const int64_t watermark = known == 1 ? only : (least == kNever ? stays : least);
  return devices_.raise(devices_.find_or_add_code(code), watermark, last_seen_us);
}

void InputDevices::write_state(const DirtyKeyGroups& which, const Entry& entry) const {
  std::string bytes;
  for (size_t at = 0; at < devices_.size(); ++at) {
    const auto index = static_cast<uint32_t>(at);
    if (!which[devices_.at(index).key_group]) continue;
    bytes.clear();
    ByteWriter out(bytes);
    out.fixed(kDeviceEntry);
    devices_.write(index, out);
    entry(devices_.at(index).key_group, bytes);
  }
}

bool InputDevices::read_state(ByteReader& in) { return in.fixed<uint8_t>() == kDeviceEntry && devices_.read(in); }

}  // namespace tidegate::engine
