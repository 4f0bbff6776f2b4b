#include "windows.h"

#include <fmt/format.h>

namespace tidegate::queries {

Windows some_windows(Random& random) {
  static const std::vector<WindowKind> kKinds = {WindowKind::kTumble, WindowKind::kHop, WindowKind::kCumulate,
                                                 WindowKind::kSession};
  Windows windows{random.one_of(kKinds)};
  windows.step_ms = random.between(1, 10) * 1000;
  const bool steps = windows.kind == WindowKind::kHop || windows.kind == WindowKind::kCumulate;
  windows.size_ms = steps ? windows.step_ms * random.between(1, 5) : random.between(1, 20) * 1000;
  return windows;
}

namespace {

std::string interval(int64_t ms) { return fmt::format("INTERVAL '{}' SECOND", ms / 1000); }

}  // namespace

std::string sql_of(const Windows& windows, const std::string& source, const std::string& time,
                   const std::string& partition) {
  const std::string of = fmt::format("(TABLE {}{}, DESCRIPTOR({}), ", source,
                                     windows.kind == WindowKind::kSession ? " PARTITION BY " + partition : "", time);
  const std::string size = interval(windows.size_ms) + ")";
  switch (windows.kind) {
    case WindowKind::kTumble: return "TUMBLE" + of + size;
    case WindowKind::kHop: return "HOP" + of + interval(windows.step_ms) + ", " + size;
    case WindowKind::kCumulate: return "CUMULATE" + of + interval(windows.step_ms) + ", " + size;
    case WindowKind::kSession: return "SESSION" + of + size;
  }
  return "";
}

namespace {

// But of sessions.
std::vector<Span> windows_of(const Windows& windows, int64_t time) {
  std::vector<Span> spans;
  const int64_t start = time / windows.size_ms * windows.size_ms;
  if (windows.kind == WindowKind::kTumble) spans.push_back({start, start + windows.size_ms});
  if (windows.kind == WindowKind::kCumulate) {
    for (int64_t end = start + windows.step_ms; end <= start + windows.size_ms; end += windows.step_ms) {
      if (time < end) spans.push_back({start, end});
    }
  }
  if (windows.kind == WindowKind::kHop) {
    for (int64_t from = time / windows.step_ms * windows.step_ms; from > time - windows.size_ms;
         from -= windows.step_ms) {
      spans.push_back({from, from + windows.size_ms});
    }
  }
  return spans;
}

// Rows of one key in the order of their times: one session until nothing comes for longer than the gap.
void add_sessions(const Value& key, const std::vector<Row>& rows, int64_t gap_ms, size_t time, Groups& groups) {
  const auto time_of = [&](const Row& row) { return std::get<int64_t>(row[time]); };
  std::vector<Row> open;
  const auto close = [&] {
    if (!open.empty()) groups[{key, {time_of(open.front()), time_of(open.back()) + gap_ms}}] = open;
    open.clear();
  };
  for (const Row& row : rows) {
    if (!open.empty() && time_of(row) - time_of(open.back()) > gap_ms) close();
    open.push_back(row);
  }
  close();
}

}  // namespace

Windowing windowing_of(const Windows& windows) {
  return {[=](int64_t time) { return windows_of(windows, time); },
          windows.kind == WindowKind::kSession ? windows.size_ms : 0};
}

Groups groups_of(const Windowing& windowing, const std::vector<Row>& all, const KeyOf& key, size_t time) {
  Groups groups;
  if (windowing.gap_ms == 0) {
    for (const Row& row : all) {
      for (const Span& span : windowing.spans(std::get<int64_t>(row[time]))) groups[{key(row), span}].push_back(row);
    }
    return groups;
  }
  std::map<Value, std::vector<Row>> by_key;
  for (const Row& row : all) by_key[key(row)].push_back(row);
  for (const auto& [value, rows] : by_key) add_sessions(value, rows, windowing.gap_ms, time, groups);
  return groups;
}

}  // namespace tidegate::queries
