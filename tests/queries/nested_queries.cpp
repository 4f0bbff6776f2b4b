// Arrays and rows in expressions, passed through, and in windows.
#include <fmt/format.h>

#include <algorithm>

#include "aggregate.h"
#include "late.h"
#include "nested.h"
#include "query.h"
#include "windows.h"

namespace tidegate::queries {

namespace {

constexpr int kDepth = 3;

struct Item {
  Column column;
  Expression expression;
};

Item some_item(Random& random, const std::string& name) {
  if (random.one_in(2)) {
    const NestedExpression whole = some_whole(random, kDepth);
    return {{name, Type::kNested, 0, 0, whole.type}, whole.expression};
  }
  static const std::vector<Type> kTypes = {Type::kBoolean, Type::kBigint, Type::kDouble, Type::kString};
  const Type type = random.one_of(kTypes);
  const Expression part = random.one_in(2) ? part_of(random, type) : ExpressionMaker(random, true).of_type(type, 2);
  return {{name, type}, part};
}

Query projection(Random& random, const std::vector<Item>& items) {
  Query query;
  std::string list;
  for (const Item& item : items) {
    query.columns.push_back(item.column);
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", item.expression.sql, item.column.name);
  }
  const bool filtered = random.one_in(2);
  const bool nested = random.one_in(4);
  const Expression where = ExpressionMaker(random, true).condition(2);
  const Expression inner = ExpressionMaker(random, true).condition(1);
  query.sql =
      fmt::format("SELECT {} FROM {}{}", list,
                  nested ? fmt::format("(SELECT * FROM readings WHERE {})", inner.sql) : std::string("readings"),
                  filtered ? " WHERE " + where.sql : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const Row& reading : readings) {
      if (nested && !is_true(inner.value(reading))) continue;
      if (filtered && !is_true(where.value(reading))) continue;
      Row& row = out.emplace_back();
      for (const Item& item : items) row.push_back(item.expression.value(reading));
    }
    return out;
  };
  return query;
}

struct NestedAggregate {
  std::string sql;
  Column column;
  std::function<Value(const std::vector<Row>&)> of;
};

// The first or last one that is not NULL, by the time; how many are not; or an aggregate of a part.
NestedAggregate some_aggregate(Random& random, const std::string& name) {
  if (random.one_in(2)) {
    const Type type = random.one_in(2) ? Type::kBigint : Type::kDouble;
    const Aggregate part = aggregate_of_expression(random, part_of(random, type), type);
    return {part.sql, {name, part.type}, part.of};
  }
  const NestedExpression whole = some_whole(random, 2);
  const auto known = [value = whole.expression.value](const std::vector<Row>& rows) {
    std::vector<std::pair<int64_t, Value>> found;
    for (const Row& row : rows) {
      if (Value one = value(row); !is_null(one)) found.emplace_back(std::get<int64_t>(row[kTs]), std::move(one));
    }
    std::ranges::sort(found, {}, [](const auto& one) { return one.first; });
    return found;
  };
  if (random.one_in(3)) {
    return {fmt::format("COUNT({})", whole.expression.sql), {name, Type::kBigint}, [known](const auto& rows) {
              return static_cast<int64_t>(known(rows).size());
            }};
  }
  const bool first = random.one_in(2);
  return {fmt::format("{}_VALUE({})", first ? "FIRST" : "LAST", whole.expression.sql),
          {name, Type::kNested, 0, 0, whole.type},
          [=](const std::vector<Row>& rows) {
            const auto found = known(rows);
            if (found.empty()) return Value();
            return first ? found.front().second : found.back().second;
          }};
}

}  // namespace

Query nested_query(Random& random) {
  std::vector<Item> items;
  for (int64_t left = random.between(1, 4); left > 0; --left) {
    items.push_back(some_item(random, fmt::format("c{}", items.size())));
  }
  Query query = projection(random, items);
  if (random.one_in(4)) {
    std::vector<Item> others = items;
    for (Item& item : others) {
      if (item.column.type != Type::kNested) item.expression = part_of(random, item.column.type);
    }
    const Query other = projection(random, others);
    query.sql += " UNION ALL " + other.sql;
    query.rows = [one = query.rows, two = other.rows](const std::vector<Row>& readings) {
      std::vector<Row> out = one(readings);
      for (Row& row : two(readings)) out.push_back(std::move(row));
      return out;
    };
  }
  query.family = "nested values";
  return query;
}

// By the device, or by a part of an array or row.
Query nested_window_query(Random& random) {
  const Windows windows = some_windows(random);
  const bool own = windows.kind == WindowKind::kSession || random.one_in(2);
  const Type type = random.one_in(2) ? Type::kBigint : Type::kString;
  const Expression key = own ? column(kDevice) : part_of(random, type);
  Query query;
  query.family = "windows of nested values";
  query.due = Due::kWhenPassed;
  query.columns = {{"key", own ? Type::kString : type}, {"window_start", Type::kTime}, {"window_end", Type::kTime}};
  std::vector<NestedAggregate> aggregates;
  std::string list;
  for (int64_t left = random.between(1, 3); left > 0; --left) {
    aggregates.push_back(some_aggregate(random, fmt::format("a{}", left)));
    query.columns.push_back(aggregates.back().column);
    list += fmt::format(", {} AS a{}", aggregates.back().sql, left);
  }
  query.sql = fmt::format(
      "SELECT {0} AS `key`, window_start, window_end{1} FROM TABLE({2}) GROUP BY {0}, window_start, window_end",
      key.sql, list, sql_of(windows, "readings", "ts", "device"));
  const auto finish = [=](const Value& value, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    Row row{value, span.start, span.end};
    for (const NestedAggregate& aggregate : aggregates) row.push_back(aggregate.of(rows));
    return row;
  };
  set_windows(query, windowing_of(windows), shape_if(false, {}), key.value, own, finish);
  return query;
}

}  // namespace tidegate::queries
