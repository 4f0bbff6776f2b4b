#include "query.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "aggregate.h"
#include "late.h"

namespace tidegate::queries {

namespace {

constexpr int kDepth = 3;

std::vector<Type> some_types(Random& random) {
  static const std::vector<Type> kTypes = {Type::kBoolean, Type::kBigint, Type::kDouble, Type::kString, Type::kTime};
  std::vector<Type> types;
  for (int64_t left = random.between(1, 4); left > 0; --left) types.push_back(random.one_of(kTypes));
  return types;
}

// SELECT expressions of these types FROM readings [WHERE ...].
Query projection(Random& random, const std::vector<Type>& types) {
  ExpressionMaker make(random);
  Query query;
  std::vector<Expression> items;
  std::string list;
  for (const Type type : types) {
    items.push_back(make.of_type(type, kDepth));
    query.columns.push_back({fmt::format("c{}", query.columns.size()), type});
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", items.back().sql, query.columns.back().name);
  }
  const bool filtered = !random.one_in(4);
  const bool nested = random.one_in(4);
  const Expression where = make.condition(kDepth);
  const Expression inner = make.condition(kDepth - 1);
  const std::string source = nested ? fmt::format("(SELECT * FROM readings WHERE {})", inner.sql) : "readings";
  query.sql = fmt::format("SELECT {} FROM {}{}", list, source, filtered ? " WHERE " + where.sql : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const Row& reading : readings) {
      if (nested && !is_true(inner.value(reading))) continue;
      if (filtered && !is_true(where.value(reading))) continue;
      Row& row = out.emplace_back();
      for (const Expression& item : items) row.push_back(item.value(reading));
    }
    return out;
  };
  return query;
}

// Of each device its rows, in the order of their times.
std::map<std::string, std::vector<Row>> by_device(const std::vector<Row>& readings) {
  std::map<std::string, std::vector<Row>> out;
  for (const Row& reading : readings) out[std::get<std::string>(reading[kDevice])].push_back(reading);
  return out;
}

// A query by which rows that are not late count in the order of their times.
void set_in_order(Query& query, const Shape& shape) {
  query.outcome = [rows = query.rows, shape](const Story& story) {
    Outcome outcome = in_order(story, shape, story.close_ms);
    outcome.rows = rows(outcome.rows);
    return outcome;
  };
}

}  // namespace

Query plain_query(Random& random) {
  Query query = projection(random, some_types(random));
  query.family = "filter and project";
  return query;
}

Query union_query(Random& random) {
  const std::vector<Type> types = some_types(random);
  const Query left = projection(random, types);
  const Query right = projection(random, types);
  Query query = left;
  query.family = "union";
  query.sql = left.sql + " UNION ALL " + right.sql;
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out = left.rows(readings);
    for (Row& row : right.rows(readings)) out.push_back(std::move(row));
    return out;
  };
  return query;
}

// By the time, of which no two rows have the same.
Query ordered_query(Random& random) {
  std::vector<Type> types = some_types(random);
  types.insert(types.begin(), Type::kTime);
  Query query = projection(random, types);
  const bool down = random.one_in(2);
  const auto limit = static_cast<size_t>(random.between(0, 20));
  const auto offset = static_cast<size_t>(random.between(0, 10));
  query.family = "order and limit";
  query.sql += fmt::format(" ORDER BY c0{} LIMIT {} OFFSET {}", down ? " DESC" : "", limit, offset);
  query.bounded_only = true;
  query.ordered = true;
  query.rows = [=, all = query.rows](const std::vector<Row>& readings) {
    std::vector<Row> out = all(readings);
    if (down) std::ranges::reverse(out);
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(std::min(offset, out.size())));
    out.resize(std::min(limit, out.size()));
    return out;
  };
  return query;
}

// An aggregate over the rows before, or a value of one of them.
Query over_query(Random& random) {
  ExpressionMaker make(random);
  const Aggregate aggregate = simple_aggregate(random);
  const auto before = static_cast<size_t>(random.between(0, 6));
  const int64_t range_s = random.between(1, 30);
  const bool by_rows = random.one_in(2);
  const bool lag = random.one_in(3);
  const bool filtered = random.one_in(2);
  const Expression where = make.condition(2);
  const std::string frame = by_rows
                                ? fmt::format(" ROWS BETWEEN {} PRECEDING AND CURRENT ROW", before)
                                : fmt::format(" RANGE BETWEEN INTERVAL '{}' SECOND PRECEDING AND CURRENT ROW", range_s);
  Query query;
  query.family = "over";
  query.due = Due::kWhenPassed;
  query.columns = {{"device", Type::kString}, {"ts", Type::kTime}, {"x", lag ? Type::kBigint : aggregate.type}};
  query.sql = fmt::format("SELECT device, ts, {} OVER (PARTITION BY device ORDER BY ts{}) AS x FROM readings{}",
                          lag ? fmt::format("LAG(n, {})", before + 1) : aggregate.sql, lag ? "" : frame,
                          filtered ? " WHERE " + where.sql : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const auto& [device, all] : by_device(readings)) {
      std::vector<Row> rows;
      for (const Row& row : all) {
        if (!filtered || is_true(where.value(row))) rows.push_back(row);
      }
      for (size_t at = 0; at < rows.size(); ++at) {
        std::vector<Row> seen;
        for (size_t other = 0; other <= at; ++other) {
          const bool near = by_rows ? other + before >= at : time_of(rows[other]) >= time_of(rows[at]) - range_s * 1000;
          if (near) seen.push_back(rows[other]);
        }
        const Value lagged = at > before ? rows[at - before - 1][kN] : Value();
        out.push_back({rows[at][kDevice], rows[at][kTs], lag ? lagged : aggregate.of(seen)});
      }
    }
    return out;
  };
  set_in_order(query, shape_if(filtered, where));
  return query;
}

// The first row of each value of n, as deduplication asks for it.
Query first_query(Random& random) {
  const auto most = static_cast<size_t>(random.between(1, 3));
  Query query;
  query.family = "deduplication";
  query.due = Due::kWhenPassed;
  query.columns = {{"device", Type::kString}, {"ts", Type::kTime}, {"n", Type::kBigint}};
  query.sql = fmt::format(
      "SELECT device, ts, n FROM (SELECT device, ts, n, ROW_NUMBER() OVER (PARTITION BY device, n ORDER BY ts) AS "
      "place "
      "FROM readings) WHERE place <= {}",
      most);
  query.rows = [most](const std::vector<Row>& readings) {
    std::vector<Row> out;
    std::map<std::pair<Value, Value>, size_t> places;
    for (const Row& row : readings) {
      if (++places[{row[kDevice], row[kN]}] <= most) out.push_back({row[kDevice], row[kTs], row[kN]});
    }
    return out;
  };
  set_in_order(query, shape_if(false, {}));
  return query;
}

Query make_query(Random& random, const Story& story) {
  if (story.calendar && random.one_in(3)) return calendar_query(random);
  switch (random.between(1, 30)) {
    case 1:
    case 2: return plain_query(random);
    case 3: return union_query(random);
    case 4: return ordered_query(random);
    case 5:
    case 6: return over_query(random);
    case 7: return first_query(random);
    case 8:
    case 9: return lookup_query(random, story);
    case 10:
    case 11: return membership_query(random, story);
    case 12: return lookup_window_query(random, story);
    case 13:
    case 14: return decimal_query(random);
    case 15: return decimal_window_query(random);
    case 16:
    case 17: return stacked_query(random);
    case 18:
    case 19:
    case 20: return detect_query(random);
    case 21:
    case 22: return nested_query(random);
    case 23: return nested_window_query(random);
    case 24:
    case 25: return whole_query(random);
    case 26:
    case 27: return unnest_query(random);
    case 28: return unnest_window_query(random);
    default: return window_query(random);
  }
}

}  // namespace tidegate::queries
