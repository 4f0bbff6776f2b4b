#include "engine/internal/ordered_rows.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/hash.h"

namespace tidegate::engine {

namespace {

constexpr size_t kRowOverhead = 96;  // of a waiting row's containers, about

std::vector<size_t> all_columns(const columnar::Schema& schema) {
  std::vector<size_t> all(schema.fields.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

}  // namespace

OrderedPlan::OrderedPlan(const columnar::SchemaPtr& input_schema, std::vector<size_t> key_columns, size_t time,
                         const OperatorPlace& place)
    : input(input_schema),
      rows(all_columns(*input_schema), *input_schema),
      keys(std::move(key_columns), *input_schema),
      time_column(time),
      own_watermarks(place.own_watermarks),
      keeps_arrival(place.own_watermarks && place.adopts_input),
      close_after_us(std::clamp<int64_t>(place.close_after_us, 0, kFarTime)) {}

void OrderedRows::take_in(const columnar::Batch& input, const RowTimes& times, int64_t shared_watermark,
                          bool closes_time) {
  late_scratch_.clear();
  const columnar::Column& time_column = *input.columns[plan_.time_column];
  const int64_t* time = time_column.values<int64_t>().data();
  for (size_t row = 0; row < input.rows; ++row) {
    const int64_t watermark = plan_.own_watermarks ? times.watermark[row] : shared_watermark;
    const bool timed = time_column.valid(row) && usable_time(time[row]);
    if (!timed || time[row] < watermark || (closes_time && time[row] == watermark)) {
      late_scratch_.push_back(static_cast<uint32_t>(row));
      continue;
    }
    OrderedRow waiting;
    plan_.keys.encode(input, row, waiting.key);
    plan_.rows.encode(input, row, waiting.bytes);
    add(plan_.own_watermarks ? times.device[row] : 0, time[row], std::move(waiting));
  }
  if (late_scratch_.empty()) return;
  late_total_ += late_scratch_.size();
  late_.push_back(columnar::gather(input, late_scratch_));
}

void OrderedRows::add(uint32_t pot, int64_t time, OrderedRow row) {
  if (pot >= pots_.size()) pots_.resize(pot + size_t{1});
  dirty_[key_group_of_row(pot, row.key)] = true;
  bytes_ += row.key.capacity() + row.bytes.capacity() + kRowOverhead;
  ++waiting_;
  pots_[pot][time].push_back(std::move(row));
  if (plan_.own_watermarks) expect_row(pot, time);
}

void OrderedRows::expect_row(uint32_t index, int64_t time) {
  Device& device = devices_.at(index);
  device.fire_at = std::min(device.fire_at, time);
  if (device.watermark >= device.fire_at) devices_.mark_due(index);
  close_bound_us_ = std::min(close_bound_us_, device.last_seen_us + plan_.close_after_us);
}

void OrderedRows::schedule(uint32_t index, const OrderedSink& sink) {
  Device& device = devices_.at(index);
  device.fire_at = sink.wanted_at(index);
  if (index < pots_.size() && !pots_[index].empty()) expect_row(index, pots_[index].begin()->first);
}

uint16_t OrderedRows::key_group_of_row(uint32_t device, std::string_view key) const {
  return plan_.own_watermarks ? devices_.at(device).key_group : key_group_of(key).value;
}

void OrderedRows::fire_due(OrderedSink& sink) {
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

void OrderedRows::fire(uint32_t index, int64_t watermark, OrderedSink& sink) {
  Pot& pot = pots_[index];
  while (!pot.empty() && pot.begin()->first <= watermark) {
    const int64_t time = pot.begin()->first;
    std::vector<OrderedRow> rows = std::move(pot.begin()->second);
    pot.erase(pot.begin());
    if (!plan_.keeps_arrival) std::ranges::sort(rows, {}, &OrderedRow::bytes);
    waiting_ -= rows.size();
    fired_ += rows.size();
    for (const OrderedRow& row : rows) bytes_ -= row.key.capacity() + row.bytes.capacity() + kRowOverhead;
    sink.rows_due(plan_.own_watermarks ? index : kNone, time, rows);
  }
}

// A device not heard of for close_after has its rows let out by the clock, and its watermark moved to the last of them.
void OrderedRows::close_silent(int64_t clock_us, OrderedSink& sink) {
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
    device.watermark = std::max(device.watermark, pots_[index].rbegin()->first);
    dirty_[device.key_group] = true;
    fire(index, device.watermark, sink);
    sink.time_passed(index, device.watermark);
    schedule(index, sink);
  }
}

void OrderedRows::fire_shared(int64_t watermark, OrderedSink& sink) {
  if (pots_.empty()) return;
  for (auto at = pots_[0].begin(); at != pots_[0].end() && at->first <= watermark; ++at) {
    for (const OrderedRow& row : at->second) dirty_[key_group_of_row(0, row.key)] = true;
  }
  fire(0, watermark, sink);
}

void OrderedRows::take_over(OrderedRows& other) {
  if (other.pots_.empty()) return;
  for (auto& [time, rows] : std::exchange(other.pots_[0], {})) {
    for (OrderedRow& row : rows) {
      other.dirty_[key_group_of_row(0, row.key)] = true;
      add(0, time, std::move(row));
    }
  }
  other.waiting_ = 0;
  other.bytes_ = 0;
}

void OrderedRows::write(const DirtyKeyGroups& which, const KeyedState::Entry& entry) const {
  std::string bytes;
  for (uint32_t pot = 0; pot < pots_.size(); ++pot) {
    for (const auto& [time, rows] : pots_[pot]) {
      for (const OrderedRow& row : rows) {
        const uint16_t key_group = key_group_of_row(pot, row.key);
        if (!which[key_group]) continue;
        bytes.clear();
        ByteWriter out(bytes);
        out.fixed(kWaitingEntry);
        if (plan_.own_watermarks) devices_.write_name(pot, out);
        out.zigzag(time);
        out.text(row.key);
        out.text(row.bytes);
        entry(key_group, bytes);
      }
    }
  }
}

bool OrderedRows::read(ByteReader& in) {
  const uint32_t pot = plan_.own_watermarks ? devices_.find_or_add(DeviceTable::read_name(in)) : 0;
  const int64_t time = in.zigzag();
  OrderedRow row{std::string(in.text()), std::string(in.text())};
  if (!in.ok() || !usable_time(time) || !plan_.keys.valid(row.key) || !plan_.rows.valid(row.bytes)) return false;
  const bool was_dirty = dirty_[key_group_of_row(pot, row.key)];
  const uint16_t key_group = key_group_of_row(pot, row.key);
  add(pot, time, std::move(row));
  dirty_[key_group] = was_dirty;
  return true;
}

}  // namespace tidegate::engine
