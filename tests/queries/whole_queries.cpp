// GROUP BY without a window, and aggregates of everything: over what is stored.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "aggregate.h"
#include "query.h"

namespace tidegate::queries {

namespace {

struct Key {
  Column column;
  Expression expression;
};

// A column, or an expression of one.
std::vector<Key> some_keys(Random& random) {
  static const std::vector<size_t> kColumns = {kDevice, kN, kV, kS, kB, kD};
  std::vector<Key> keys;
  for (int64_t left = random.between(0, 3); left > 0; --left) {
    Key& key = keys.emplace_back();
    const std::string name = fmt::format("k{}", keys.size());
    if (random.one_in(3)) {
      const Type type = random.one_in(2) ? Type::kString : Type::kBigint;
      key = {{name, type}, ExpressionMaker(random).of_type(type, 2)};
    } else {
      const size_t at = random.one_of(kColumns);
      key = {kReadings[at], column(at)};
      key.column.name = name;
    }
    const bool twice =
        std::ranges::count(keys, key.expression.sql, [](const Key& one) { return one.expression.sql; }) > 1;
    if (twice) keys.pop_back();
  }
  return keys;
}

struct Source {
  std::string sql;
  std::function<std::vector<Row>(const std::vector<Row>&)> rows;
};

std::vector<Row> rows_that(const Expression& where, const std::vector<Row>& rows) {
  std::vector<Row> out;
  for (const Row& row : rows) {
    if (is_true(where.value(row))) out.push_back(row);
  }
  return out;
}

// The stream, some of it, or some of it twice.
Source some_source(Random& random) {
  const Expression where = ExpressionMaker(random).condition(2);
  switch (random.between(1, 4)) {
    case 1:
      return {fmt::format("(SELECT * FROM readings WHERE {})", where.sql),
              [where](const auto& rows) { return rows_that(where, rows); }};
    case 2:
      return {fmt::format("(SELECT * FROM readings UNION ALL SELECT * FROM readings WHERE {})", where.sql),
              [where](const std::vector<Row>& rows) {
                std::vector<Row> all = rows;
                for (Row& row : rows_that(where, rows)) all.push_back(std::move(row));
                return all;
              }};
    case 3:
      return {fmt::format("readings WHERE {}", where.sql),
              [where](const auto& rows) { return rows_that(where, rows); }};
    default: return {"readings", [](const std::vector<Row>& rows) { return rows; }};
  }
}

using Rows = std::vector<Row>;

// The rows of each group; without keys there is one group, whatever comes.
std::map<Row, Rows> groups_of(const std::vector<Key>& keys, const Rows& rows) {
  std::map<Row, Rows> groups;
  if (keys.empty()) groups[{}];
  for (const Row& row : rows) {
    Row key;
    for (const Key& one : keys) key.push_back(one.expression.value(row));
    groups[std::move(key)].push_back(row);
  }
  return groups;
}

// By all keys, the first one first; NULL is less than all others.
void order_by_keys(Random& random, const std::vector<Key>& keys, Query& query) {
  std::vector<bool> down;
  std::string list;
  for (const Key& key : keys) {
    down.push_back(random.one_in(2));
    list += fmt::format("{}{}{}", list.empty() ? "" : ", ", key.column.name, down.back() ? " DESC" : "");
  }
  const auto limit = static_cast<size_t>(random.between(0, 20));
  const auto offset = static_cast<size_t>(random.between(0, 3));
  query.sql += fmt::format(" ORDER BY {} LIMIT {} OFFSET {}", list, limit, offset);
  query.ordered = true;
  query.rows = [=, all = query.rows](const Rows& readings) {
    Rows rows = all(readings);
    std::ranges::sort(rows, [&](const Row& left, const Row& right) {
      for (size_t at = 0; at < down.size(); ++at) {
        if (left[at] != right[at]) return down[at] ? right[at] < left[at] : left[at] < right[at];
      }
      return false;
    });
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min(offset, rows.size())));
    rows.resize(std::min(limit, rows.size()));
    return rows;
  };
}

}  // namespace

Query whole_query(Random& random) {
  const std::vector<Key> keys = some_keys(random);
  const Source source = some_source(random);
  const int64_t at_least = random.one_in(3) ? random.between(0, 4) : -1;
  Query query;
  query.family = "groups without a window";
  query.bounded_only = true;
  std::string list;
  std::string group;
  for (const Key& key : keys) {
    query.columns.push_back(key.column);
    list += fmt::format("{} AS {}, ", key.expression.sql, key.column.name);
    group += (group.empty() ? "" : ", ") + key.expression.sql;
  }
  std::vector<Aggregate> aggregates;
  for (int64_t left = random.between(1, 4); left > 0; --left) {
    aggregates.push_back(any_aggregate(random));
    query.columns.push_back({fmt::format("a{}", left), aggregates.back().type});
    list += fmt::format("{} AS a{}{}", aggregates.back().sql, left, left > 1 ? ", " : "");
  }
  query.sql = fmt::format("SELECT {} FROM {}{}{}", list, source.sql, group.empty() ? "" : " GROUP BY " + group,
                          at_least >= 0 ? fmt::format(" HAVING COUNT(*) >= {}", at_least) : "");
  query.rows = [=](const Rows& readings) {
    Rows out;
    for (const auto& [key, rows] : groups_of(keys, source.rows(readings))) {
      if (static_cast<int64_t>(rows.size()) < at_least) continue;
      Row& row = out.emplace_back(key);
      for (const Aggregate& aggregate : aggregates) row.push_back(aggregate.of(rows));
    }
    return out;
  };
  if (!keys.empty() && random.one_in(3)) order_by_keys(random, keys, query);
  return query;
}

}  // namespace tidegate::queries
