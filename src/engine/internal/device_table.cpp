#include "engine/internal/device_table.h"

#include <algorithm>

namespace tidegate::engine {

using columnar::Column;

void DeviceTable::observe(const Column* devices, const Column& times, int64_t delay_us, int64_t clock_us,
                          RowTimes& out) {
  const size_t rows = times.rows;
  out.resize(rows);
  resolve(devices, rows, out.device);
  const int64_t* time = times.values<int64_t>().data();
  const bool has_nulls = times.has_nulls();
  int64_t greatest = greatest_;
  for (size_t i = 0; i < rows; ++i) {
    const uint32_t index = out.device[i];
    Device& device = devices_[index];
    out.watermark[i] = device.watermark;
    device.last_seen_us = clock_us;
    dirty_[device.key_group] = true;
    if (has_nulls && !times.valid(i)) continue;
    if (!usable_time(time[i])) continue;
    const int64_t watermark = time[i] - delay_us;
    if (watermark <= device.watermark) continue;
    device.watermark = watermark;
    greatest = std::max(greatest, watermark);
    if (watermark >= device.fire_at) mark_due(index);
  }
  greatest_ = greatest;
  if (!tracks_) return;
  for (size_t i = 0; i < rows; ++i) touch(out.device[i]);
}

void DeviceTable::locate(const Column* devices, size_t rows, RowTimes& out) {
  out.resize(rows);
  resolve(devices, rows, out.device);
  for (size_t i = 0; i < rows; ++i) out.watermark[i] = devices_[out.device[i]].watermark;
}

bool DeviceTable::raise(uint32_t index, int64_t watermark, int64_t last_seen_us) {
  Device& device = devices_[index];
  dirty_[device.key_group] = true;
  device.last_seen_us = std::max(device.last_seen_us, last_seen_us);
  if (tracks_) touch(index);
  if (watermark <= device.watermark) return false;
  device.watermark = watermark;
  greatest_ = std::max(greatest_, watermark);
  if (watermark >= device.fire_at) mark_due(index);
  return true;
}

void DeviceTable::resolve(const Column* devices, size_t rows, std::vector<uint32_t>& out) {
  if (devices == nullptr) {
    std::fill_n(out.begin(), rows, index_of(0));
    return;
  }
  if (devices->pool == &names_ && !devices->has_nulls()) {
    const uint32_t* codes = devices->values<uint32_t>().data();
    const size_t known = index_of_code_.size();
    const uint32_t* index_of_code = index_of_code_.data();
    size_t i = 0;
    for (; i < rows && codes[i] + size_t{1} < known && index_of_code[codes[i] + 1] != kNone; ++i) {
      out[i] = index_of_code[codes[i] + 1];
    }
    for (; i < rows; ++i) out[i] = index_of(codes[i] + 1);
    return;
  }
  for (size_t i = 0; i < rows; ++i) {
    out[i] = index_of(devices->valid(i) ? intern(devices->string_at(i)) : 0);
  }
}

uint32_t DeviceTable::intern(std::string_view name) {
  const auto code = names_.intern(name);
  return code ? code->value + 1 : 0;
}

uint32_t DeviceTable::index_of(uint32_t code_plus_one) {
  if (code_plus_one < index_of_code_.size() && index_of_code_[code_plus_one] != kNone) {
    return index_of_code_[code_plus_one];
  }
  return add(code_plus_one);
}

uint32_t DeviceTable::add(uint32_t code_plus_one) {
  if (code_plus_one >= index_of_code_.size()) {
    const size_t wanted = std::max<size_t>(size_t{code_plus_one} + 1, names_.size() + size_t{1});
    index_of_code_.resize(wanted, kNone);
  }
  const auto index = static_cast<uint32_t>(devices_.size());
  index_of_code_[code_plus_one] = index;
  Device device;
  device.code = code_plus_one;
  if (code_plus_one != 0) device.key_group = names_.key_group(StringCode{code_plus_one - 1}).value;
  devices_.push_back(device);
  return index;
}

uint32_t DeviceTable::find_or_add(std::optional<std::string_view> name) { return index_of(name ? intern(*name) : 0); }

std::optional<uint32_t> DeviceTable::find(uint32_t code) const {
  if (code >= index_of_code_.size() || index_of_code_[code] == kNone) return std::nullopt;
  return index_of_code_[code];
}

std::optional<std::string_view> DeviceTable::name(uint32_t index) const {
  const uint32_t code = devices_[index].code;
  if (code == 0) return std::nullopt;
  return names_.view(StringCode{code - 1});
}

void DeviceTable::write_name(uint32_t index, ByteWriter& out) const {
  const auto text = name(index);
  out.fixed<uint8_t>(text.has_value());
  if (text) out.text(*text);
}

std::optional<std::string_view> DeviceTable::read_name(ByteReader& in) {
  if (in.fixed<uint8_t>() == 0) return std::nullopt;
  return in.text();
}

void DeviceTable::write(uint32_t index, ByteWriter& out) const {
  write_name(index, out);
  out.zigzag(devices_[index].watermark);
  out.zigzag(devices_[index].last_seen_us);
}

bool DeviceTable::read(ByteReader& in) {
  const auto text = read_name(in);
  const int64_t watermark = in.zigzag();
  const int64_t last_seen_us = in.zigzag();
  if (!in.ok() || watermark < -kNever || watermark > kNever || !usable_time(last_seen_us)) return false;
  Device& device = devices_[find_or_add(text)];
  device.watermark = std::max(device.watermark, watermark);
  device.last_seen_us = std::max(device.last_seen_us, last_seen_us);
  return true;
}

void DeviceTable::loaded() {
  due_.clear();
  for (Device& device : devices_) {
    device.due = false;
    greatest_ = std::max(greatest_, device.watermark);
  }
}

size_t DeviceTable::memory_bytes() const {
  return devices_.capacity() * sizeof(Device) + index_of_code_.capacity() * sizeof(uint32_t) +
         due_.capacity() * sizeof(uint32_t);
}

}  // namespace tidegate::engine
