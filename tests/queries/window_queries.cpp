// Aggregates over windows of time, and over windows of windows.
#include <fmt/format.h>

#include "aggregate.h"
#include "calendar.h"
#include "late.h"
#include "query.h"
#include "windows.h"

namespace tidegate::queries {

Query window_query(Random& random) {
  ExpressionMaker make(random);
  const Windows windows = some_windows(random);
  const size_t key = random.one_in(3) ? kS : kDevice;
  const bool keyed = windows.kind == WindowKind::kSession || !random.one_in(4);
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
  const bool filtered = windows.kind != WindowKind::kSession && random.one_in(2);
  const Expression where = make.condition(2);
  const int64_t at_least = random.one_in(3) ? random.between(1, 5) : 0;
  query.sql = fmt::format("SELECT {} FROM TABLE({}){} GROUP BY {}window_start, window_end{}", list,
                          sql_of(windows, "readings", "ts", kReadings[key].name), filtered ? " WHERE " + where.sql : "",
                          keyed ? kReadings[key].name + ", " : "",
                          at_least > 0 ? fmt::format(" HAVING COUNT(*) >= {}", at_least) : "");
  const auto key_of = [=](const Row& row) { return keyed ? row[key] : Value(); };
  const auto finish = [=](const Value& value, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    if (static_cast<int64_t>(rows.size()) < at_least) return std::nullopt;
    Row row;
    if (keyed) row.push_back(value);
    row.insert(row.end(), {span.start, span.end});
    for (const Aggregate& aggregate : aggregates) row.push_back(aggregate.of(rows));
    return row;
  };
  set_windows(query, windowing_of(windows), shape_if(filtered, where), key_of, keyed && key == kDevice, finish);
  return query;
}

namespace {

// An aggregate of the outer window, over the number that the inner one gives.
Aggregate outer_aggregate(Random& random, size_t at, Type type) {
  static const std::vector<std::string> kNames = {"SUM", "MIN", "MAX"};
  if (random.one_in(4)) {
    return {"COUNT(*)", Type::kBigint, [](const std::vector<Row>& rows) { return static_cast<int64_t>(rows.size()); }};
  }
  return aggregate_of_column(random.one_of(kNames), "x", at, type);
}

Windows outer_windows(Random& random) {
  Windows windows = some_windows(random);
  while (windows.kind == WindowKind::kSession) windows = some_windows(random);
  windows.size_ms *= 3;
  windows.step_ms *= 3;
  return windows;
}

}  // namespace

// The inner window's aggregate is the outer one's number, its window_time the time.
Query stacked_query(Random& random) {
  const Windows inner = some_windows(random);
  const Windows outer = outer_windows(random);
  const size_t key = random.one_in(3) ? kS : kDevice;
  const bool keyed = !random.one_in(3);
  const Aggregate number = exact_aggregate(random);
  const Aggregate result = outer_aggregate(random, 2, number.type);
  const std::string name = kReadings[key].name;
  const std::string below = fmt::format(
      "(SELECT {0}, window_time AS at, {1} AS x FROM TABLE({2}) GROUP BY {0}, window_start, window_end, window_time)",
      name, number.sql, sql_of(inner, "readings", "ts", name));
  Query query;
  query.family = "windows over windows";
  query.due = Due::kWhenPassed;
  if (keyed) query.columns.push_back(kReadings[key]);
  query.columns.push_back({"window_start", Type::kTime});
  query.columns.push_back({"window_end", Type::kTime});
  query.columns.push_back({"y", result.type});
  query.sql =
      fmt::format("SELECT {0}window_start, window_end, {1} AS y FROM TABLE({2}) GROUP BY {0}window_start, window_end",
                  keyed ? name + ", " : "", result.sql, sql_of(outer, below, "at", ""));
  const auto shape = [=](const Value& value, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    return Row{value, span.end - 1, number.of(rows)};
  };
  const auto finish = [=](const Value& value, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    Row row;
    if (keyed) row.push_back(value);
    row.insert(row.end(), {span.start, span.end, result.of(rows)});
    return row;
  };
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> results;
    const auto inner_key = [=](const Row& row) { return row[key]; };
    for (const auto& [group, rows] : groups_of(windowing_of(inner), readings, inner_key, kTs)) {
      results.push_back(*shape(group.first, group.second, rows));
    }
    std::vector<Row> out;
    const auto outer_key = [=](const Row& row) { return keyed ? row[kDevice] : Value(); };
    for (const auto& [group, rows] : groups_of(windowing_of(outer), results, outer_key, kTs)) {
      out.push_back(*finish(group.first, group.second, rows));
    }
    return out;
  };
  const Level fine{windowing_of(inner), [=](const Row& row) { return row[key]; }, key == kDevice};
  const Level coarse{windowing_of(outer), [=](const Row& row) { return keyed ? row[kDevice] : Value(); },
                     keyed && key == kDevice};
  query.outcome = [=](const Story& story) { return stacked(story, fine, coarse, shape, finish); };
  return query;
}

Query calendar_query(Random& random) {
  const Calendar calendar = some_calendar(random);
  const size_t key = random.one_in(3) ? kS : kDevice;
  const bool keyed = !random.one_in(4);
  const Aggregate first = any_aggregate(random);
  const Aggregate second = any_aggregate(random);
  const std::string name = kReadings[key].name;
  Query query;
  query.family = "calendar windows";
  query.due = Due::kWhenPassed;
  if (keyed) query.columns.push_back(kReadings[key]);
  query.columns.insert(
      query.columns.end(),
      {{"window_start", Type::kTime}, {"window_end", Type::kTime}, {"x", first.type}, {"y", second.type}});
  query.sql = fmt::format(
      "SELECT {0}window_start, window_end, {1} AS x, {2} AS y FROM TABLE({3}) GROUP BY {0}window_start, window_end",
      keyed ? name + ", " : "", first.sql, second.sql, sql_of(calendar));
  const auto key_of = [=](const Row& row) { return keyed ? row[key] : Value(); };
  const auto finish = [=](const Value& value, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    Row row;
    if (keyed) row.push_back(value);
    row.insert(row.end(), {span.start, span.end, first.of(rows), second.of(rows)});
    return row;
  };
  const Windowing windowing{[=](int64_t time) { return std::vector<Span>{window_of(calendar, time)}; }, 0};
  set_windows(query, windowing, shape_if(false, {}), key_of, keyed && key == kDevice, finish);
  return query;
}

}  // namespace tidegate::queries
