// UNNEST: a row for each element of an array, and windows of such rows.
#include <fmt/format.h>

#include "aggregate.h"
#include "nested.h"
#include "query.h"
#include "windows.h"

namespace tidegate::queries {

namespace {

// One array taken apart: `JOIN UNNEST(...) AS alias (names)`, and what a row becomes, the new columns behind its own.
struct Unnest {
  std::string sql;
  std::vector<Column> columns;
  std::function<std::vector<Row>(const Row&)> rows;
};

std::vector<Column> element_columns(const std::string& type, const std::string& prefix) {
  if (type == "ARRAY<STRING>") return {{prefix + "x", Type::kString}};
  if (type == "ARRAY<BIGINT>") return {{prefix + "x", Type::kBigint}};
  return {{prefix + "k", Type::kBigint}, {prefix + "v", Type::kDouble}};
}

// The element's own columns: a NULL among rows is NULL in all of them.
void append_element(const Value& element, size_t columns, Row& row) {
  const auto* nested = std::get_if<NestedPtr>(&element);
  for (size_t at = 0; at < columns; ++at) {
    if (nested != nullptr) {
      row.push_back((*nested)->parts[at]);
    } else {
      row.push_back(element);  // the only one, or NULL
    }
  }
}

Unnest some_unnest(Random& random, const std::string& prefix) {
  const NestedExpression array = some_list(random, 2);
  const bool left = random.one_in(3);
  const bool numbered = random.one_in(2);
  Unnest made;
  made.columns = element_columns(array.type, prefix);
  const size_t fields = made.columns.size();
  if (numbered) made.columns.push_back({prefix + "i", Type::kBigint});
  std::string names;
  for (const Column& column : made.columns) names += (names.empty() ? "" : ", ") + column.name;
  static const std::vector<std::string> kCross = {" CROSS JOIN", ",", " JOIN", " INNER JOIN"};
  const std::string join = left ? " LEFT JOIN" : random.one_of(kCross);
  made.sql =
      fmt::format("{} UNNEST({}){} AS {}u ({}){}", join, array.expression.sql, numbered ? " WITH ORDINALITY" : "",
                  prefix, names, join.ends_with(" JOIN") && join != " CROSS JOIN" ? " ON TRUE" : "");
  made.rows = [=, value = array.expression.value](const Row& row) {
    std::vector<Row> out;
    const Value list = value(row);
    int64_t number = 0;
    if (!is_null(list)) {
      for (const Value& element : std::get<NestedPtr>(list)->parts) {
        Row& added = out.emplace_back(row);
        append_element(element, fields, added);
        ++number;
        if (numbered) added.emplace_back(number);
      }
    }
    if (out.empty() && left) {
      Row& added = out.emplace_back(row);
      added.resize(row.size() + fields + (numbered ? 1 : 0));
    }
    return out;
  };
  return made;
}

// One or two, the second of the same record.
Unnest some_unnests(Random& random) {
  Unnest first = some_unnest(random, "e");
  if (!random.one_in(4)) return first;
  const Unnest second = some_unnest(random, "f");
  first.sql += second.sql;
  first.columns.insert(first.columns.end(), second.columns.begin(), second.columns.end());
  first.rows = [one = first.rows, two = second.rows](const Row& row) {
    std::vector<Row> out;
    for (const Row& each : one(row)) {
      for (Row& more : two(each)) out.push_back(std::move(more));
    }
    return out;
  };
  return first;
}

std::vector<Row> taken_apart(const std::vector<Row>& readings, const Unnest& unnest, const Expression* where) {
  std::vector<Row> out;
  for (Row reading : readings) {
    reading.resize(kReadings.size());  // what the story notes of it stands behind
    for (Row& row : unnest.rows(reading)) {
      if (where == nullptr || is_true(where->value(row))) out.push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace

Query unnest_query(Random& random) {
  const Unnest unnest = some_unnests(random);
  const bool filtered = random.one_in(2);
  const Expression where = ExpressionMaker(random, true).condition(2);
  const Expression number = ExpressionMaker(random, true).of_type(Type::kBigint, 2);
  Query query;
  query.family = "unnest";
  query.columns = {kReadings[kDevice], kReadings[kTs], {"m", Type::kBigint}};
  query.columns.insert(query.columns.end(), unnest.columns.begin(), unnest.columns.end());
  std::string list = fmt::format("device, ts, {} AS m", number.sql);
  for (const Column& column : unnest.columns) list += ", " + column.name;
  query.sql = fmt::format("SELECT {} FROM readings{}{}", list, unnest.sql, filtered ? " WHERE " + where.sql : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const Row& row : taken_apart(readings, unnest, filtered ? &where : nullptr)) {
      Row& made = out.emplace_back(Row{row[kDevice], row[kTs], number.value(row)});
      made.insert(made.end(), row.begin() + static_cast<std::ptrdiff_t>(kReadings.size()), row.end());
    }
    return out;
  };
  return query;
}

// The array is taken apart below the window.
Query unnest_window_query(Random& random) {
  const Windows windows = some_windows(random);
  const Unnest unnest = some_unnest(random, "e");
  const size_t first = kReadings.size();
  const bool number = unnest.columns.front().type == Type::kBigint;
  const Aggregate aggregate =
      number ? aggregate_of_column(random.one_in(2) ? "SUM" : "MAX", unnest.columns.front().name, first, Type::kBigint)
             : Aggregate{"COUNT(*)", Type::kBigint,
                         [](const std::vector<Row>& rows) { return static_cast<int64_t>(rows.size()); }};
  const bool own = windows.kind == WindowKind::kSession || !random.one_in(3);
  const std::string below =
      fmt::format("(SELECT device, ts, {} FROM readings{})", unnest.columns.front().name, unnest.sql);
  Query query;
  query.family = "windows of unnest";
  query.due = Due::kWhenPassed;
  query.in_time_only = true;
  if (own) query.columns.push_back(kReadings[kDevice]);
  query.columns.push_back({"window_start", Type::kTime});
  query.columns.push_back({"window_end", Type::kTime});
  query.columns.push_back({"y", aggregate.type});
  query.sql =
      fmt::format("SELECT {0}window_start, window_end, {1} AS y FROM TABLE({2}) GROUP BY {0}window_start, window_end",
                  own ? "device, " : "", aggregate.sql, sql_of(windows, below, "ts", "device"));
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    const auto key = [=](const Row& row) { return own ? row[kDevice] : Value(); };
    const std::vector<Row> rows = taken_apart(readings, unnest, nullptr);
    for (const auto& [group, members] : groups_of(windowing_of(windows), rows, key, kTs)) {
      Row& made = out.emplace_back();
      if (own) made.push_back(group.first);
      made.insert(made.end(), {group.second.start, group.second.end, aggregate.of(members)});
    }
    return out;
  };
  return query;
}

}  // namespace tidegate::queries
