// What a worker knows of each device of a stream: how far its time has come and when it was last heard of.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "columnar/batch.h"
#include "columnar/string_pool.h"
#include "engine/internal/window_math.h"

namespace tidegate::engine {

inline constexpr uint32_t kNone = 0xffffffff;

struct Device {
  int64_t watermark = -kNever;  // greatest event time so far minus the stream's delay
  int64_t fire_at = kNever;     // when `watermark` gets here, a window of this device is due
  int64_t last_seen_us = 0;     // clock reading of the epoch of its last record
  uint32_t first_group = kNone;
  uint32_t code = 0;  // its string's code + 1; 0: records without device
  uint16_t key_group = 0;
  bool due = false;      // is in the list of due devices
  bool touched = false;  // is in the list of touched devices
  bool spilled = false;  // has windows in the store only
};

using DirtyKeyGroups = std::bitset<kKeyGroups>;

// What the rows of a batch carry with them through filters.
struct RowTimes {
  std::vector<uint32_t> device;    // index into the table
  std::vector<int64_t> watermark;  // the device's, as of the rows before

  void resize(size_t rows) {
    device.resize(rows);
    watermark.resize(rows);
  }
};

// One thread at a time.
class DeviceTable {
 public:
  explicit DeviceTable(columnar::StringPool& names) : names_(names) {}

  // Takes note of rows in their order. `devices` may be null (a stream without device column), `times` not.
  void observe(const columnar::Column* devices, const columnar::Column& times, int64_t delay_us, int64_t clock_us,
               RowTimes& out);
  // The same for rows whose times move nothing: their devices, with the watermarks as they are.
  void locate(const columnar::Column* devices, size_t rows, RowTimes& out);
  // Moves a device on; true if its watermark moved.
  bool raise(uint32_t index, int64_t watermark, int64_t last_seen_us);

  [[nodiscard]] size_t size() const { return devices_.size(); }
  [[nodiscard]] Device& at(uint32_t index) { return devices_[index]; }
  [[nodiscard]] const Device& at(uint32_t index) const { return devices_[index]; }
  [[nodiscard]] std::span<Device> all() { return devices_; }
  // Nothing for records without device.
  [[nodiscard]] std::optional<std::string_view> name(uint32_t index) const;
  [[nodiscard]] columnar::StringPool& names() { return names_; }
  // The device of that name, new if need be; nothing: the one of records without device.
  uint32_t find_or_add(std::optional<std::string_view> name);
  // By Device::code; codes mean the same in all tables over one pool.
  [[nodiscard]] std::optional<uint32_t> find(uint32_t code) const;
  uint32_t find_or_add_code(uint32_t code) { return index_of(code); }

  // Devices with a window due since the last clear; the caller clears their `due`.
  [[nodiscard]] std::vector<uint32_t>& due() { return due_; }
  void mark_due(uint32_t index) {
    if (devices_[index].due) return;
    devices_[index].due = true;
    due_.push_back(index);
  }

  // Devices observed or raised since the last clear, once track_touched() was called; the caller clears their
  // `touched`.
  [[nodiscard]] std::vector<uint32_t>& touched() { return touched_; }
  void track_touched() { tracks_ = true; }

  // A device's name as bytes: 0 for records without device, or 1 and a text.
  void write_name(uint32_t index, ByteWriter& out) const;
  [[nodiscard]] static std::optional<std::string_view> read_name(ByteReader& in);
  // One device's state as bytes (docs/formats/state.md), without the byte that says what it is.
  void write(uint32_t index, ByteWriter& out) const;
  [[nodiscard]] bool read(ByteReader& in);
  // After the last device was read.
  void loaded();

  // The greatest watermark of any row.
  [[nodiscard]] int64_t greatest_watermark() const { return greatest_; }
  [[nodiscard]] DirtyKeyGroups& dirty() { return dirty_; }
  [[nodiscard]] const DirtyKeyGroups& dirty() const { return dirty_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  uint32_t index_of(uint32_t code_plus_one);
  uint32_t add(uint32_t code_plus_one);
  void resolve(const columnar::Column* devices, size_t rows, std::vector<uint32_t>& out);
  uint32_t intern(std::string_view name);
  void touch(uint32_t index) {
    if (devices_[index].touched) return;
    devices_[index].touched = true;
    touched_.push_back(index);
  }

  columnar::StringPool& names_;
  std::vector<Device> devices_;
  std::vector<uint32_t> index_of_code_;  // by code + 1; kNone: not seen
  std::vector<uint32_t> due_;
  std::vector<uint32_t> touched_;
  bool tracks_ = false;
  DirtyKeyGroups dirty_;
  int64_t greatest_ = -kNever;
};

}  // namespace tidegate::engine
