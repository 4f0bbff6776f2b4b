#include "engine/internal/reading_queue.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace tidegate::engine {

void ReadingQueue::take_in(const columnar::Batch& input, const RowTimes& times) {
  late_scratch_.clear();
  const columnar::Column& time_column = *input.columns[plan_.time_column];
  const int64_t* time = time_column.values<int64_t>().data();
  const columnar::Column* values = value_column_ ? input.columns[*value_column_].get() : nullptr;
  const double* value = values != nullptr ? values->values<double>().data() : nullptr;
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  for (size_t row = 0; row < input.rows; ++row) {
    if (!time_column.valid(row) || !usable_time(time[row]) || time[row] < times.watermark[row]) {
      late_scratch_.push_back(static_cast<uint32_t>(row));
      continue;
    }
    const double given = value == nullptr ? 0 : values->valid(row) ? value[row] : kNothing;
    add(times.device[row], {time[row], given});
  }
  if (late_scratch_.empty()) return;
  late_total_ += late_scratch_.size();
  late_.push_back(columnar::gather(input, late_scratch_));
}

void ReadingQueue::add(uint32_t device, Reading reading) {
  if (device >= pots_.size()) pots_.resize(device + size_t{1});
  std::vector<Reading>& readings = pots_[device].readings;
  const size_t before = readings.capacity();
  if (pots_[device].empty() || readings.back().time <= reading.time) {
    readings.push_back(reading);
  } else {
    const auto begin = readings.begin() + static_cast<std::ptrdiff_t>(pots_[device].first);
    readings.insert(std::ranges::upper_bound(begin, readings.end(), reading.time, {}, &Reading::time), reading);
  }
  bytes_ += (readings.capacity() - before) * sizeof(Reading);
  ++waiting_;
  dirty_[devices_.at(device).key_group] = true;
  expect(device, reading.time);
}

void ReadingQueue::expect(uint32_t index, int64_t time) {
  Device& device = devices_.at(index);
  device.fire_at = std::min(device.fire_at, time);
  if (device.watermark >= device.fire_at) devices_.mark_due(index);
  close_bound_us_ = std::min(close_bound_us_, device.last_seen_us + plan_.close_after_us);
}

void ReadingQueue::schedule(uint32_t index, const OrderedSink& sink) {
  devices_.at(index).fire_at = sink.wanted_at(index);
  if (index < pots_.size() && !pots_[index].empty()) expect(index, pots_[index].readings[pots_[index].first].time);
}

void ReadingQueue::fire_due(OrderedSink& sink) {
  std::vector<uint32_t>& due = devices_.due();
  for (const uint32_t index : due) {
    devices_.at(index).due = false;
    const int64_t watermark = devices_.at(index).watermark;
    if (index < pots_.size()) fire(index, watermark, sink);
    sink.time_passed(index, watermark);
    schedule(index, sink);
  }
  due.clear();
}

void ReadingQueue::fire(uint32_t index, int64_t watermark, OrderedSink& sink) {
  Pot& pot = pots_[index];
  const size_t before = pot.first;
  while (!pot.empty() && pot.readings[pot.first].time <= watermark) {
    const Reading reading = pot.readings[pot.first++];
    sink.reading_due(index, reading.time, reading.value);
  }
  waiting_ -= pot.first - before;
  fired_ += pot.first - before;
  if (pot.first * 2 < pot.readings.size()) return;
  pot.readings.erase(pot.readings.begin(), pot.readings.begin() + static_cast<std::ptrdiff_t>(pot.first));
  pot.first = 0;
}

// A device not heard of for close_after has its readings let out by the clock, and its watermark moved to the last.
void ReadingQueue::close_silent(int64_t clock_us, OrderedSink& sink) {
  if (clock_us < close_bound_us_) return;
  close_bound_us_ = kNever;
  for (uint32_t index = 0; index < pots_.size(); ++index) {
    if (pots_[index].empty()) continue;
    Device& device = devices_.at(index);
    const int64_t close_at_us = device.last_seen_us + plan_.close_after_us;
    if (close_at_us > clock_us) {
      close_bound_us_ = std::min(close_bound_us_, close_at_us);
      continue;
    }
    device.watermark = std::max(device.watermark, pots_[index].readings.back().time);
    dirty_[device.key_group] = true;
    fire(index, device.watermark, sink);
    sink.time_passed(index, device.watermark);
    schedule(index, sink);
  }
}

void ReadingQueue::write(const DirtyKeyGroups& which, const KeyedState::Entry& entry) const {
  std::string bytes;
  for (uint32_t index = 0; index < pots_.size(); ++index) {
    const uint16_t key_group = devices_.at(index).key_group;
    if (!which[key_group]) continue;
    for (size_t at = pots_[index].first; at < pots_[index].readings.size(); ++at) {
      const Reading& reading = pots_[index].readings[at];
      bytes.clear();
      ByteWriter out(bytes);
      out.fixed(kReadingEntry);
      devices_.write_name(index, out);
      out.zigzag(reading.time);
      out.fixed(std::bit_cast<uint64_t>(reading.value));
      entry(key_group, bytes);
    }
  }
}

bool ReadingQueue::read(ByteReader& in) {
  const uint32_t index = devices_.find_or_add(DeviceTable::read_name(in));
  const int64_t time = in.zigzag();
  const double value = std::bit_cast<double>(in.fixed<uint64_t>());
  if (!in.ok() || !usable_time(time)) return false;
  const uint16_t key_group = devices_.at(index).key_group;
  const bool was_dirty = dirty_[key_group];
  add(index, {time, value});
  dirty_[key_group] = was_dirty;
  return true;
}

}  // namespace tidegate::engine
