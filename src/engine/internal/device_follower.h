// Devices whose time comes from more than the rows at hand: those of a stage over other stages or over a union, and
// the devices of an input that no stage keeps for it.
#pragma once

#include <vector>

#include "engine/internal/device_table.h"
#include "engine/internal/stateful_operator.h"

namespace tidegate::engine {

// Moves the devices of a stage by those of its feeds, between epochs: a device's watermark is the least over the feeds
// it was heard of in, but for those in which it is idle; if all are, it stays. What is heard of in one feed only goes
// by that one. One thread at a time.
class DeviceFollower {
 public:
  // The tables must outlive it; those of the feeds track what is touched.
  DeviceFollower(DeviceTable& devices, std::vector<DeviceTable*> feeds, int64_t idle_timeout_us);

  // True if a watermark moved.
  bool follow(int64_t clock_us);
  // The clock reading at which the next device becomes idle in a feed; kNever: none.
  [[nodiscard]] int64_t next_idle_us() const { return next_idle_us_; }

 private:
  bool settle(uint32_t code, int64_t clock_us);

  DeviceTable& devices_;
  const std::vector<DeviceTable*> feeds_;
  const int64_t idle_timeout_us_;
  int64_t next_idle_us_;
};

// The devices of an input as state of their own.
class InputDevices final : public KeyedState {
 public:
  explicit InputDevices(DeviceTable& devices) : devices_(devices) {}

  [[nodiscard]] DirtyKeyGroups dirty() const override { return devices_.dirty(); }
  void mark_clean() override { devices_.dirty().reset(); }
  void mark_dirty(uint16_t key_group) override { devices_.dirty()[key_group] = true; }
  void write_state(const DirtyKeyGroups& which, const Entry& entry) const override;
  [[nodiscard]] bool read_state(ByteReader& in) override;
  void loaded(int64_t /*shared_watermark*/) override { devices_.loaded(); }
  [[nodiscard]] size_t memory_bytes() const override { return devices_.memory_bytes(); }

 private:
  DeviceTable& devices_;
};

}  // namespace tidegate::engine
