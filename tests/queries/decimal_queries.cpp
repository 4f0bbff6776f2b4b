// DECIMAL in expressions, comparisons and windows.
#include <fmt/format.h>

#include <algorithm>

#include "decimal.h"
#include "late.h"
#include "query.h"
#include "windows.h"

namespace tidegate::queries {

namespace {

constexpr int kDepth = 3;

// Two of them compared.
Expression comparison(Random& random) {
  static const std::vector<std::string> kOperators = {"=", "<>", "<", "<=", ">", ">="};
  const std::string symbol = random.one_of(kOperators);
  const DecimalExpression left = some_decimal(random, 2);
  const DecimalExpression right = some_decimal(random, 1);
  return {fmt::format("({} {} {})", left.sql, symbol, right.sql), [=](const Row& row) {
            const Value a = left.value(row);
            const Value b = right.value(row);
            if (is_null(a) || is_null(b)) return Value();
            const int order = order_of(std::get<Decimal>(a), std::get<Decimal>(b));
            const bool equal = order == 0;
            if (symbol == "=") return Value(equal);
            if (symbol == "<>") return Value(!equal);
            return Value((symbol.ends_with("=") && equal) || (symbol.starts_with("<") ? order < 0 : order > 0));
          }};
}

struct DecimalAggregate {
  std::string sql;
  Column column;
  std::function<Value(const std::vector<Row>&)> of;
};

std::vector<Decimal> numbers_of(const DecimalExpression& argument, bool distinct, const std::vector<Row>& rows) {
  std::vector<Decimal> numbers;
  for (const Row& row : rows) {
    const Value value = argument.value(row);
    if (!is_null(value)) numbers.push_back(std::get<Decimal>(value));
  }
  std::ranges::sort(numbers);
  if (distinct) numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  return numbers;
}

DecimalAggregate some_aggregate(Random& random, const std::string& name) {
  static const std::vector<std::string> kNames = {"COUNT", "SUM", "AVG", "MIN", "MAX"};
  const std::string function = random.one_of(kNames);
  const DecimalExpression argument = some_decimal(random, 2);
  const bool distinct = function < "M" && random.one_in(3);  // AVG, COUNT
  const int scale = argument.scale;
  DecimalAggregate aggregate;
  aggregate.sql = fmt::format("{}({}{})", function, distinct ? "DISTINCT " : "", argument.sql);
  aggregate.column = {name, Type::kDecimal, argument.precision, scale};
  if (function == "COUNT") aggregate.column = {name, Type::kBigint};
  if (function == "SUM") aggregate.column.precision = 38;
  if (function == "AVG") aggregate.column = {name, Type::kDecimal, 38, std::max(6, scale)};
  aggregate.of = [=](const std::vector<Row>& rows) -> Value {
    const std::vector<Decimal> numbers = numbers_of(argument, distinct, rows);
    if (function == "COUNT") return static_cast<int64_t>(numbers.size());
    if (function == "SUM") return sum_of(numbers, scale);
    if (function == "AVG") return mean_of(numbers, scale);
    if (numbers.empty()) return {};
    return function == "MIN" ? numbers.front() : numbers.back();
  };
  return aggregate;
}

}  // namespace

Query decimal_query(Random& random) {
  Query query;
  query.family = "decimals";
  std::vector<Expression> items;
  std::string list;
  for (int64_t left = random.between(1, 3); left > 0; --left) {
    const DecimalExpression item = some_decimal(random, kDepth);
    query.columns.push_back({fmt::format("c{}", left), Type::kDecimal, item.precision, item.scale});
    items.push_back({item.sql, item.value});
    list += fmt::format("{} AS c{}, ", item.sql, left);
  }
  items.push_back(comparison(random));
  query.columns.push_back({"holds", Type::kBoolean});
  const bool filtered = random.one_in(2);
  const Expression where = comparison(random);
  query.sql = fmt::format("SELECT {}{} AS holds FROM readings{}", list, items.back().sql,
                          filtered ? " WHERE " + where.sql : "");
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> out;
    for (const Row& reading : readings) {
      if (filtered && !is_true(where.value(reading))) continue;
      Row& row = out.emplace_back();
      for (const Expression& item : items) row.push_back(item.value(reading));
    }
    return out;
  };
  return query;
}

Query decimal_window_query(Random& random) {
  const Windows windows = some_windows(random);
  const size_t key = random.one_in(2) ? kD : kDevice;
  Query query;
  query.family = "windows of decimals";
  query.due = Due::kWhenPassed;
  query.columns = {kReadings[key], {"window_start", Type::kTime}, {"window_end", Type::kTime}};
  std::vector<DecimalAggregate> aggregates;
  std::string list;
  for (int64_t left = random.between(1, 3); left > 0; --left) {
    aggregates.push_back(some_aggregate(random, fmt::format("a{}", left)));
    query.columns.push_back(aggregates.back().column);
    list += fmt::format(", {} AS a{}", aggregates.back().sql, left);
  }
  const std::string& name = kReadings[key].name;
  query.sql =
      fmt::format("SELECT {0}, window_start, window_end{1} FROM TABLE({2}) GROUP BY {0}, window_start, window_end",
                  name, list, sql_of(windows, "readings", "ts", name));
  const auto key_of = [=](const Row& row) { return row[key]; };
  const auto finish = [=](const Value& value, const Span& span, const std::vector<Row>& rows) -> std::optional<Row> {
    Row row{value, span.start, span.end};
    for (const DecimalAggregate& aggregate : aggregates) row.push_back(aggregate.of(rows));
    return row;
  };
  set_windows(query, windowing_of(windows), shape_if(false, {}), key_of, key == kDevice, finish);
  return query;
}

}  // namespace tidegate::queries
