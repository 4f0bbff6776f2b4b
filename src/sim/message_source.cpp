#include "sim/message_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "codec/timestamp_text.h"
#include "net/http_problem.h"

namespace tidegate::sim {

MessageSource::MessageSource(const Profile& profile, const RecordFile& file, int64_t start_us)
    : profile_(profile), file_(file) {
  CHECK(file.size() > 0 && file.size() < UINT32_MAX);
  devices_.reserve(profile_.devices);
  int64_t shift_us = 0;
  for (uint32_t index = 0; index < profile_.devices; ++index) {
    const std::string name = device_name(profile_, index);
    std::string head = "{";
    if (!profile_.device_field.empty()) {
      head += net::json_string(profile_.device_field) + ":" + net::json_string(name) + ",";
    }
    heads_.push_back(head + net::json_string(profile_.time_field) + ":");
    add_device(index, start_us, shift_us);
    shift_us = (shift_us + profile_.shift_us % file_.span_us()) % file_.span_us();
  }
}

void MessageSource::add_device(uint32_t index, int64_t start_us, int64_t shift_us) {
  Device device{.random = io::SeededRandom(profile_.seed * 0x9E3779B97F4A7C15ULL + index)};
  if (profile_.faults.clock_skew_us > 0) {
    const auto range = static_cast<uint64_t>(profile_.faults.clock_skew_us);
    device.skew_us = static_cast<int64_t>(device.random.below(2 * range + 1)) - profile_.faults.clock_skew_us;
  }
  while (device.record < file_.size() && file_.time_us(device.record) < shift_us) ++device.record;
  device.lap_us = start_us - shift_us;
  if (device.record == file_.size()) {  // the shift lies behind the last record
    device.record = 0;
    device.lap_us += file_.span_us();
  }
  device.left = file_.size();
  devices_.push_back(std::move(device));
  schedule_next_record(index);
}

void MessageSource::schedule_next_record(uint32_t index) {
  Device& device = devices_[index];
  if (!profile_.loop && device.left-- == 0) return;
  Entry entry;
  entry.device = index;
  entry.record = static_cast<uint32_t>(device.record);
  entry.due_us = device.lap_us + file_.time_us(device.record);
  entry.event_us = entry.due_us + device.skew_us;
  entry.sequence = device.sequence++;
  push(entry);
  if (++device.record == file_.size()) {
    device.record = 0;
    device.lap_us += file_.span_us();
  }
}

void MessageSource::push(Entry entry) {
  entry.order = next_order_++;
  queue_.push(entry);
}

std::optional<int64_t> MessageSource::next_due_us() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.top().due_us;
}

void MessageSource::skip_until(int64_t due_us) {
  Action passed;
  while (!queue_.empty() && queue_.top().due_us < due_us) next(passed);
  for (Device& device : devices_) device.offline_until_us = std::min(device.offline_until_us, due_us);
}

void MessageSource::fill_publish(const Entry& entry, Action& action) const {
  action.kind = ActionKind::kPublish;
  action.event_us = entry.event_us;
  action.sequence = entry.sequence;
  action.duplicate = entry.duplicate;
  std::string& out = action.payload;
  out.assign(heads_[entry.device]);
  if (profile_.time_output == TimeOutput::kIso) {
    out += '"';
    codec::append_timestamp(entry.event_us, columnar::TypeKind::kTimestampLtz, out);
    out += '"';
  } else {
    fmt::format_to(std::back_inserter(out), "{}", entry.event_us / 1000);
  }
  if (!profile_.sequence_field.empty()) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":{}", profile_.sequence_field, entry.sequence);
  }
  const std::string_view values = file_.values(entry.record);
  if (!values.empty()) {
    out += ',';
    out += values;
  }
  out += '}';
}

void MessageSource::send_later(Entry entry, int64_t due_us, bool duplicate) {
  entry.step = Step::kSend;
  entry.due_us = due_us;
  entry.duplicate = duplicate;
  push(entry);
}

bool MessageSource::measure(const Entry& entry, Action& action) {
  schedule_next_record(entry.device);
  Device& device = devices_[entry.device];
  const Faults& faults = profile_.faults;
  if (chance(device, faults.gap)) {
    ++counts_.gaps;
    return false;
  }
  if (queue_.size() > kMaxDelayed + devices_.size()) {
    fill_publish(entry, action);
    return true;
  }
  const auto delay = [&] { return 1 + static_cast<int64_t>(device.random.below(faults.max_delay_us)); };
  int64_t due_us = std::max(entry.due_us, device.offline_until_us);
  if (chance(device, faults.late)) {
    ++counts_.late;
    due_us += delay();
  }
  if (chance(device, faults.duplicate)) {
    ++counts_.duplicates;
    send_later(entry, due_us + delay(), true);
  }
  if (device.offline_until_us <= entry.due_us && chance(device, faults.drop_out)) {
    ++counts_.drop_outs;
    device.offline_until_us = entry.due_us + faults.drop_out_us;
    Entry connect = entry;
    connect.step = Step::kConnect;
    connect.due_us = device.offline_until_us;
    push(connect);
    send_later(entry, std::max(due_us, device.offline_until_us), false);
    action.kind = ActionKind::kDisconnect;
    return true;
  }
  if (due_us > entry.due_us) {
    send_later(entry, due_us, false);
    return false;
  }
  fill_publish(entry, action);
  return true;
}

bool MessageSource::next(Action& action) {
  while (!queue_.empty()) {
    const Entry entry = queue_.top();
    queue_.pop();
    action.device = entry.device;
    action.due_us = entry.due_us;
    switch (entry.step) {
      case Step::kRecord:
        if (measure(entry, action)) return true;
        break;
      case Step::kSend: {
        const int64_t back_us = devices_[entry.device].offline_until_us;
        if (back_us > entry.due_us) {  // it was to be sent while the device had no connection
          send_later(entry, back_us, entry.duplicate);
          break;
        }
        fill_publish(entry, action);
        return true;
      }
      case Step::kConnect: action.kind = ActionKind::kConnect; return true;
    }
  }
  return false;
}

}  // namespace tidegate::sim
