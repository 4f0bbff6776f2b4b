// Aggregates over windows of time.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "aggregate.h"
#include "query.h"

namespace tidegate::queries {

namespace {

struct Span {
  int64_t start = 0;  // milliseconds
  int64_t end = 0;
  auto operator<=>(const Span&) const = default;
};

enum class Kind : uint8_t { kTumble, kHop, kCumulate, kSession };

struct Windows {
  Kind kind = Kind::kTumble;
  int64_t size_ms = 0;
  int64_t step_ms = 0;  // of kHop and kCumulate
};

Windows some_windows(Random& random) {
  static const std::vector<Kind> kKinds = {Kind::kTumble, Kind::kHop, Kind::kCumulate, Kind::kSession};
  Windows windows{random.one_of(kKinds)};
  windows.step_ms = random.between(1, 10) * 1000;
  const bool steps = windows.kind == Kind::kHop || windows.kind == Kind::kCumulate;
  windows.size_ms = steps ? windows.step_ms * random.between(1, 5) : random.between(1, 20) * 1000;
  return windows;
}

std::string interval(int64_t ms) { return fmt::format("INTERVAL '{}' SECOND", ms / 1000); }

std::string sql_of(const Windows& windows, const std::string& partition) {
  switch (windows.kind) {
    case Kind::kTumble: return fmt::format("TUMBLE(TABLE readings, DESCRIPTOR(ts), {})", interval(windows.size_ms));
    case Kind::kHop:
      return fmt::format("HOP(TABLE readings, DESCRIPTOR(ts), {}, {})", interval(windows.step_ms),
                         interval(windows.size_ms));
    case Kind::kCumulate:
      return fmt::format("CUMULATE(TABLE readings, DESCRIPTOR(ts), {}, {})", interval(windows.step_ms),
                         interval(windows.size_ms));
    case Kind::kSession:
      return fmt::format("SESSION(TABLE readings PARTITION BY {}, DESCRIPTOR(ts), {})", partition,
                         interval(windows.size_ms));
  }
  return "";
}

int64_t time_of(const Row& row) { return std::get<int64_t>(row[kTs]); }

// All windows that a time is in, but those of sessions.
std::vector<Span> windows_of(const Windows& windows, int64_t time) {
  std::vector<Span> spans;
  const int64_t start = time / windows.size_ms * windows.size_ms;
  if (windows.kind == Kind::kTumble) spans.push_back({start, start + windows.size_ms});
  if (windows.kind == Kind::kCumulate) {
    for (int64_t end = start + windows.step_ms; end <= start + windows.size_ms; end += windows.step_ms) {
      if (time < end) spans.push_back({start, end});
    }
  }
  if (windows.kind == Kind::kHop) {
    for (int64_t from = time / windows.step_ms * windows.step_ms; from > time - windows.size_ms;
         from -= windows.step_ms) {
      spans.push_back({from, from + windows.size_ms});
    }
  }
  return spans;
}

using Groups = std::map<std::pair<Value, Span>, std::vector<Row>>;

// Rows of one key in the order of their times: one session until nothing comes for longer than the gap.
void add_sessions(const Value& key, const std::vector<Row>& rows, int64_t gap_ms, Groups& groups) {
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

Groups groups_of(const Windows& windows, const std::vector<Row>& readings,
                 const std::function<Value(const Row&)>& key) {
  Groups groups;
  if (windows.kind != Kind::kSession) {
    for (const Row& row : readings) {
      for (const Span& span : windows_of(windows, time_of(row))) groups[{key(row), span}].push_back(row);
    }
    return groups;
  }
  std::map<Value, std::vector<Row>> by_key;
  for (const Row& row : readings) by_key[key(row)].push_back(row);
  for (const auto& [value, rows] : by_key) add_sessions(value, rows, windows.size_ms, groups);
  return groups;
}

}  // namespace

Query window_query(Random& random) {
  ExpressionMaker make(random);
  const Windows windows = some_windows(random);
  const size_t key = random.one_in(3) ? kS : kDevice;
  const bool keyed = windows.kind == Kind::kSession || !random.one_in(4);
  std::vector<Aggregate> aggregates;
  Query query;
  query.family = "windows";
  query.due = Due::kWhenPassed;
  std::string list;
  if (keyed) query.columns.push_back(kReadings[key]);
  if (keyed) list = kReadings[key].name + ", ";
  query.columns.push_back({"window_start", Type::kTime});
  query.columns.push_back({"window_end", Type::kTime});
  list += "window_start, window_end";
  for (int64_t left = random.between(1, 4); left > 0; --left) {
    aggregates.push_back(any_aggregate(random));
    query.columns.push_back({fmt::format("a{}", left), aggregates.back().type});
    list += fmt::format(", {} AS a{}", aggregates.back().sql, left);
  }
  // A session goes by all rows, also by those that WHERE drops behind it: here only the others have one.
  const bool filtered = windows.kind != Kind::kSession && random.one_in(2);
  const Expression where = make.condition(2);
  const int64_t at_least = random.one_in(3) ? random.between(1, 5) : 0;
  query.sql = fmt::format("SELECT {} FROM TABLE({}){} GROUP BY {}window_start, window_end{}", list,
                          sql_of(windows, kReadings[key].name), filtered ? " WHERE " + where.sql : "",
                          keyed ? kReadings[key].name + ", " : "",
                          at_least > 0 ? fmt::format(" HAVING COUNT(*) >= {}", at_least) : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> kept;
    for (const Row& row : readings) {
      const Value holds = filtered ? where.value(row) : Value(true);
      if (!is_null(holds) && std::get<bool>(holds)) kept.push_back(row);
    }
    std::vector<Row> out;
    const auto key_of = [&](const Row& row) { return keyed ? row[key] : Value(); };
    for (const auto& [group, rows] : groups_of(windows, kept, key_of)) {
      if (static_cast<int64_t>(rows.size()) < at_least) continue;
      Row& row = out.emplace_back();
      if (keyed) row.push_back(group.first);
      row.push_back(group.second.start);
      row.push_back(group.second.end);
      for (const Aggregate& aggregate : aggregates) row.push_back(aggregate.of(rows));
    }
    return out;
  };
  return query;
}

}  // namespace tidegate::queries
