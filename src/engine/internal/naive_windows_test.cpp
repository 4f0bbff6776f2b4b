#include "engine/internal/naive_windows.h"

#include <algorithm>

#include "engine/internal/naive_aggregates.h"

namespace tidegate::engine {

namespace {

int64_t floor_to(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - rest - (rest < 0 ? step : 0);
}

// Ends of the windows that the time is in.
std::vector<int64_t> ends_of(const sql::WindowSpec& window, int64_t time) {
  std::vector<int64_t> ends;
  if (window.kind == sql::WindowKind::kCumulate) {
    const int64_t start = floor_to(time - window.offset_us, window.size_us) + window.offset_us;
    for (int64_t end = start + window.slide_us; end <= start + window.size_us; end += window.slide_us) {
      if (end > time) ends.push_back(end);
    }
    return ends;
  }
  for (int64_t start = floor_to(time - window.offset_us, window.slide_us) + window.offset_us;
       start > time - window.size_us; start -= window.slide_us) {
    ends.push_back(start + window.size_us);
  }
  return ends;
}

int64_t start_of(const sql::WindowSpec& window, int64_t end) {
  if (window.kind != sql::WindowKind::kCumulate) return end - window.size_us;
  return floor_to(end - 1 - window.offset_us, window.size_us) + window.offset_us;
}

bool closed(int64_t end, int64_t watermark) { return end - 1000 <= watermark; }

}  // namespace

NaiveWindows::NaiveWindows(const catalog::StreamDefinition& stream, const Query& query)
    : stream_(stream),
      query_(query),
      own_(stream.watermark_scope == catalog::WatermarkScope::kDevice &&
           (query.group_by == GroupBy::kDevice || query.group_by == GroupBy::kDeviceAndKind)) {}

std::string NaiveWindows::key_of(const Reading& reading) const {
  switch (query_.group_by) {
    case GroupBy::kDevice: return reading.device + "|";
    case GroupBy::kDeviceAndKind: return reading.device + "|" + kind_of(reading) + "|";
    case GroupBy::kKind: return std::string(kind_of(reading)) + "|";
    case GroupBy::kNothing: return "";
  }
  return "";
}

void NaiveWindows::epoch(const std::vector<Reading>& readings, int64_t clock_us) {
  for (const Reading& reading : readings) row(reading, clock_us);
  own_ ? close_silent(clock_us) : move_shared(clock_us);
}

void NaiveWindows::row(const Reading& reading, int64_t clock_us) {
  DeviceState& device = devices_[reading.device];
  device.last_seen_us = clock_us;
  const int64_t judged_by = own_ ? device.watermark : shared_;
  const int64_t time = reading.time_us + Bench::kStart;
  bool counted = reading.timed;
  if (reading.timed) {
    device.watermark = std::max(device.watermark, time - stream_.watermark_delay_us);
    greatest_ = std::max(greatest_, time - stream_.watermark_delay_us);
  }
  if (query_.positive_only && !(reading.valued && reading.value > 0)) {
    if (own_) fire(reading.device, device.watermark);
    return;
  }
  if (counted && query_.window.kind == sql::WindowKind::kSession) {
    counted = add_to_session(reading, judged_by);
  } else if (counted) {
    counted = false;
    for (const int64_t end : ends_of(query_.window, time)) {
      if (closed(end, judged_by)) continue;
      windows_[{own_ ? reading.device : "", key_of(reading), end}].push_back(reading);
      counted = true;
    }
  }
  if (!counted) {
    late.push_back(fmt::format(
        "{}|{}|{}|{}", reading.device, reading.timed ? fmt::format("{}", reading.time_us / 1000) : "-",
        reading.valued ? fmt::format("{:.6f}|{}", reading.value, int64_t(reading.value)) : "-|-", kind_of(reading)));
  }
  if (own_) fire(reading.device, device.watermark);
}

bool NaiveWindows::add_to_session(const Reading& reading, int64_t judged_by) {
  const int64_t time = reading.time_us + Bench::kStart;
  Session merged{time, time + query_.window.size_us, {}};
  if (closed(merged.end, judged_by)) return false;
  std::vector<Session>& all = sessions_[{own_ ? reading.device : "", key_of(reading), 0}];
  std::erase_if(all, [&](const Session& other) {
    if (other.start > time + query_.window.size_us || other.end < time) return false;
    merged.start = std::min(merged.start, other.start);
    merged.end = std::max(merged.end, other.end);
    merged.rows.insert(merged.rows.end(), other.rows.begin(), other.rows.end());
    return true;
  });
  merged.rows.push_back(reading);
  all.push_back(std::move(merged));
  return true;
}

void NaiveWindows::fire(const std::string& device, int64_t watermark) {
  for (auto& [key, sessions] : sessions_) {
    if (key.device != device) continue;
    std::erase_if(sessions, [&](const Session& session) {
      if (!closed(session.end, watermark)) return false;
      emit_rows(key.key, session.start, session.end, session.rows);
      return true;
    });
  }
  std::erase_if(windows_, [&](const auto& entry) {
    if (entry.first.device != device || !closed(entry.first.end, watermark)) return false;
    emit(entry.first, entry.second);
    return true;
  });
}

void NaiveWindows::emit(const WindowKey& window, const std::vector<Reading>& rows) {
  emit_rows(window.key, start_of(query_.window, window.end), window.end, rows);
}

void NaiveWindows::emit_rows(const std::string& key, int64_t start, int64_t end, const std::vector<Reading>& rows) {
  int64_t count = 0;
  int64_t whole = 0;
  double sum = 0;
  double least = 1e300;
  double greatest = -1e300;
  std::string last_kind;
  for (const Reading& row : rows) {
    last_kind = std::max(last_kind, std::string(kind_of(row)));
    if (!row.valued) continue;
    ++count;
    sum += row.value;
    whole += static_cast<int64_t>(row.value);
    least = std::min(least, row.value);
    greatest = std::max(greatest, row.value);
  }
  if (!query_.having.empty() && rows.size() < 2) return;
  const int64_t end_us = end - Bench::kStart;
  const int64_t end_ms = end_us / 1000;
  const int64_t start_us = start - Bench::kStart;
  const bool session = query_.window.kind == sql::WindowKind::kSession;
  const int64_t expected_until = session ? end_us - query_.window.size_us + 1000 : end_us;
  const std::string values = count == 0 ? "-|-|-|-|-"
                                        : fmt::format("{:.6f}|{:.6f}|{:.6f}|{:.6f}|{}", sum,
                                                      sum / static_cast<double>(count), least, greatest, whole);
  results.push_back(
      fmt::format("{}{}|{}|{}|{}|{}|{}|{}{}", key, start_us / 1000, end_ms, end_ms - 1, rows.size(), count, values,
                  last_kind, query_.every_aggregate ? naive_aggregates(rows, start_us, end_us, expected_until) : ""));
}

void NaiveWindows::close_silent(int64_t clock_us) {
  for (auto& [name, device] : devices_) {
    if (device.last_seen_us + stream_.close_after_us > clock_us) continue;
    for (const auto& [key, sessions] : sessions_) {
      if (key.device != name) continue;
      for (const Session& session : sessions) device.watermark = std::max(device.watermark, session.end - 1000);
    }
    for (const auto& [window, rows] : windows_) {
      if (window.device == name) device.watermark = std::max(device.watermark, window.end - 1000);
    }
    fire(name, device.watermark);
  }
}

void NaiveWindows::move_shared(int64_t clock_us) {
  int64_t least = kFar;
  for (const auto& [name, device] : devices_) {
    if (clock_us - device.last_seen_us > stream_.idle_timeout_us || device.watermark == -kFar) continue;
    least = std::min(least, device.watermark);
  }
  if (stream_.watermark_scope == catalog::WatermarkScope::kPartition) {
    shared_ = std::max(shared_, greatest_);
  } else if (least != kFar) {
    shared_ = std::max(shared_, least);
  }
  fire("", shared_);
}

}  // namespace tidegate::engine
