// Lookup joins, IN and EXISTS on lookup tables.
#include <fmt/format.h>

#include <algorithm>

#include "aggregate.h"
#include "late.h"
#include "query.h"
#include "windows.h"

namespace tidegate::queries {

namespace {

// A condition on a row of the table, or on what a join makes of both: of the table's columns only.
struct TableCondition {
  std::string sql;
  std::function<Value(const Row&)> value;
};

TableCondition some_condition(Random& random) {
  const int64_t limit = random.between(-3, 3);
  switch (random.between(1, 4)) {
    case 1:
      return {fmt::format("t.num > {}", limit), [=](const Row& found) {
                return is_null(found[kNumber]) ? Value() : Value(std::get<int64_t>(found[kNumber]) > limit);
              }};
    case 2: return {"t.txt IS NOT NULL", [](const Row& found) { return !is_null(found[kText]); }};
    case 3:
      return {"t.factor < 5E0", [](const Row& found) {
                return is_null(found[kReal]) ? Value() : Value(std::get<double>(found[kReal]) < 5);
              }};
    default:
      return {"t.txt <> 'a'", [](const Row& found) {
                return is_null(found[kText]) ? Value() : Value(std::get<std::string>(found[kText]) != "a");
              }};
  }
}

size_t edition_of(const Row& reading) { return static_cast<size_t>(std::get<int64_t>(reading[kEdition])); }

std::vector<Value> values_of(const std::vector<Expression>& keys, const Row& reading) {
  std::vector<Value> values;
  for (const Expression& key : keys) values.push_back(key.value(reading));
  return values;
}

// The keys by which a row looks something up: columns, or any expressions of their types.
std::vector<Expression> some_keys(Random& random, const LookupTable& table, bool columns) {
  ExpressionMaker make(random);
  std::vector<Expression> keys;
  for (const size_t at : table.key) {
    const Type type = table.columns[at].type;
    keys.push_back(!columns && random.one_in(3) ? make.of_type(type, 2) : column(type == Type::kString ? kS : kN));
  }
  return keys;
}

std::string equal_keys(const LookupTable& table, const std::vector<Expression>& keys) {
  std::string sql;
  for (size_t at = 0; at < keys.size(); ++at) {
    sql += fmt::format("{}t.{} = {}", at == 0 ? "" : " AND ", table.columns[table.key[at]].name, keys[at].sql);
  }
  return sql;
}

// FROM readings [LEFT] JOIN ..., and what it makes of a reading: behind it what was found, NULL if nothing was.
struct Join {
  std::string sql;
  Shape row;
};

Join some_join(Random& random, const LookupTable& table) {
  ExpressionMaker make(random);
  const bool left = random.one_in(2);
  const std::vector<Expression> keys = some_keys(random, table, false);
  const bool of_table = random.one_in(3);
  const bool of_row = random.one_in(4);
  const TableCondition found_condition = some_condition(random);
  const Expression row_condition = make.condition(1);
  Join join;
  join.sql = fmt::format("readings AS r {}JOIN {} FOR SYSTEM_TIME AS OF r.ts AS t ON {}{}{}", left ? "LEFT " : "",
                         table.name, equal_keys(table, keys), of_table ? " AND " + found_condition.sql : "",
                         of_row ? " AND " + row_condition.sql : "");
  join.row = [=, &table](const Row& reading) -> std::optional<Row> {
    std::optional<Row> found = table.find(edition_of(reading), values_of(keys, reading), time_of(reading));
    if (found && of_table && !is_true(found_condition.value(*found))) found.reset();
    if (found && of_row && !is_true(row_condition.value(reading))) found.reset();
    if (!found && !left) return std::nullopt;
    Row row = reading;
    const Row nothing(table.columns.size());
    row.insert(row.end(), found ? found->begin() : nothing.begin(), found ? found->end() : nothing.end());
    return row;
  };
  return join;
}

constexpr size_t kFound = kEdition + 1;  // the table's columns stand behind the reading's

// x [NOT] IN (SELECT ...), [NOT] EXISTS (SELECT ...).
struct Membership {
  std::string sql;
  std::function<Value(const Row&)> value;
};

// The rows of the table that count for a reading.
using Candidates = std::function<std::vector<Row>(const Row&)>;

Candidates candidates_of(const LookupTable& table, bool as_of, bool conditional, const TableCondition& condition) {
  return [=, &table](const Row& reading) {
    const size_t edition = edition_of(reading);
    std::vector<Row> rows = as_of ? table.at(edition, time_of(reading)) : table.editions[edition];
    std::erase_if(rows, [&](const Row& row) { return conditional && !is_true(condition.value(row)); });
    return rows;
  };
}

Membership in_query(Random& random, const LookupTable& table) {
  ExpressionMaker make(random);
  const bool as_of = table.key.size() == 1 && random.one_in(3);
  const size_t member = as_of ? kKey : random.one_of(std::vector<size_t>{kKey, kPart, kNumber, kText});
  const bool conditional = random.one_in(2);
  const TableCondition condition = some_condition(random);
  const Candidates candidates = candidates_of(table, as_of, conditional, condition);
  const Expression of = make.of_type(table.columns[member].type, 1);
  const bool inside = random.one_in(2);
  const std::string sql =
      fmt::format("({} {}IN (SELECT t.{} FROM {}{} AS t{}))", of.sql, inside ? "" : "NOT ", table.columns[member].name,
                  table.name, as_of ? " FOR SYSTEM_TIME AS OF r.ts" : "", conditional ? " WHERE " + condition.sql : "");
  return {sql, [=](const Row& reading) {
            const Value wanted = of.value(reading);
            bool unknown = false;
            for (const Row& row : candidates(reading)) {
              if (is_null(wanted) || is_null(row[member])) {
                unknown = true;
              } else if (row[member] == wanted) {
                return Value(inside);
              }
            }
            return unknown ? Value() : Value(!inside);
          }};
}

Membership exists(Random& random, const LookupTable& table) {
  const bool as_of = random.one_in(2);
  const bool conditional = random.one_in(2);
  const TableCondition condition = some_condition(random);
  const std::vector<Expression> keys = some_keys(random, table, true);  // a constant would not compare with the row
  const Candidates candidates = candidates_of(table, as_of, conditional, condition);
  const bool wanted = random.one_in(2);
  const std::string sql = fmt::format("({}EXISTS (SELECT 1 FROM {}{} AS t WHERE {}{}))", wanted ? "" : "NOT ",
                                      table.name, as_of ? " FOR SYSTEM_TIME AS OF r.ts" : "", equal_keys(table, keys),
                                      conditional ? " AND " + condition.sql : "");
  return {sql, [=, &table](const Row& reading) {
            const std::vector<Value> values = values_of(keys, reading);
            const bool found = std::ranges::any_of(candidates(reading), [&](const Row& row) {
              for (size_t at = 0; at < values.size(); ++at) {
                if (is_null(values[at]) || row[table.key[at]] != values[at]) return false;
              }
              return true;
            });
            return Value(found == wanted);
          }};
}

}  // namespace

Query lookup_query(Random& random, const Story& story) {
  ExpressionMaker make(random);
  const LookupTable& table = random.one_of(story.tables);
  const Join join = some_join(random, table);
  const bool filtered = random.one_in(2);
  const Expression where = make.condition(2);
  const Expression item = make.of_type(Type::kBigint, 2);
  Query query;
  query.family = "lookup joins";
  query.columns = {{"device", Type::kString}, {"ts", Type::kTime},     {"k", table.columns[kKey].type},
                   {"since", Type::kTime},    {"num", Type::kBigint},  {"txt", Type::kString},
                   {"factor", Type::kDouble}, {"more", Type::kBigint}, {"x", Type::kBigint}};
  query.sql =
      fmt::format("SELECT r.device, r.ts, t.k, t.since, t.num, t.txt, factor, r.n + t.num AS more, {} AS x FROM {}{}",
                  item.sql, join.sql, filtered ? " WHERE " + where.sql : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const Row& reading : readings) {
      const std::optional<Row> joined = join.row(reading);
      if (!joined || (filtered && !is_true(where.value(reading)))) continue;
      const Row& row = *joined;
      const Value& number = row[kFound + kNumber];
      const bool known = !is_null(row[kN]) && !is_null(number);
      out.push_back({row[kDevice], row[kTs], row[kFound + kKey], row[kFound + kSince], number, row[kFound + kText],
                     row[kFound + kReal],
                     known ? Value(std::get<int64_t>(row[kN]) + std::get<int64_t>(number)) : Value(), item.value(row)});
    }
    return out;
  };
  return query;
}

Query membership_query(Random& random, const Story& story) {
  ExpressionMaker make(random);
  const auto one = [&] {
    const LookupTable& table = random.one_of(story.tables);
    return random.one_in(2) ? in_query(random, table) : exists(random, table);
  };
  const Membership first = one();
  const Membership second = one();
  const Expression other = make.condition(1);
  const int64_t shape = random.between(1, 4);
  Query query;
  query.family = "IN and EXISTS on lookup tables";
  query.columns = {{"device", Type::kString}, {"ts", Type::kTime}};
  const std::string where = shape == 1   ? first.sql
                            : shape == 2 ? fmt::format("{} AND {}", first.sql, other.sql)
                            : shape == 3 ? fmt::format("{} OR {}", first.sql, second.sql)
                                         : fmt::format("NOT {} AND {}", first.sql, second.sql);
  query.sql = "SELECT r.device, r.ts FROM readings AS r WHERE " + where;
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const Row& row : readings) {
      const Value a = first.value(row);
      const bool also = is_true(shape == 2 ? other.value(row) : second.value(row));
      const bool negated = !is_null(a) && !std::get<bool>(a);
      const bool holds = shape == 1   ? is_true(a)
                         : shape == 2 ? is_true(a) && also
                         : shape == 3 ? is_true(a) || also
                                      : negated && also;
      if (holds) out.push_back({row[kDevice], row[kTs]});
    }
    return out;
  };
  return query;
}

// Windows of what a join makes, by the device or by a column of the table.
Query lookup_window_query(Random& random, const Story& story) {
  const LookupTable& table = random.one_of(story.tables);
  const Join join = some_join(random, table);
  const Windows windows = some_windows(random);
  const bool by_device = random.one_in(2);
  const size_t key = by_device ? kDevice : kFound + kText;
  const Aggregate number =
      aggregate_of_column(random.one_in(2) ? "SUM" : "MAX", "num", kFound + kNumber, Type::kBigint);
  const Aggregate value = exact_aggregate(random);
  const std::string name = by_device ? "device" : "txt";
  const std::string source = fmt::format("(SELECT r.device, r.ts, r.n, r.v, t.txt, t.num FROM {})", join.sql);
  Query query;
  query.family = "windows of lookup joins";
  query.due = Due::kWhenPassed;
  query.columns = {{name, Type::kString},
                   {"window_start", Type::kTime},
                   {"window_end", Type::kTime},
                   {"x", number.type},
                   {"y", value.type}};
  query.sql = fmt::format(
      "SELECT {0}, window_start, window_end, {1} AS x, {2} AS y FROM TABLE({3}) GROUP BY {0}, window_start, window_end",
      name, number.sql, value.sql, sql_of(windows, source, "ts", name));
  const auto key_of = [=](const Row& row) { return row[key]; };
  const auto finish = [=](const Value& found, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    return Row{found, span.start, span.end, number.of(rows), value.of(rows)};
  };
  set_windows(query, windowing_of(windows), join.row, key_of, by_device, finish);
  return query;
}

}  // namespace tidegate::queries
