#include "aggregate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tidegate::queries {

namespace {

enum class Kind : uint8_t { kCount, kSum, kAverage, kLeast, kGreatest };

std::vector<Value> values_of(const Expression& expression, const std::vector<Row>& rows) {
  std::vector<Value> values;
  for (const Row& row : rows) {
    Value value = expression.value(row);
    if (!is_null(value)) values.push_back(std::move(value));
  }
  return values;
}

double real_of(const Value& value) {
  const auto* whole = std::get_if<int64_t>(&value);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
}

Value total_of(const std::vector<Value>& values, Type type) {
  int64_t whole = 0;
  double real = 0;
  for (const Value& value : values) {
    if (type == Type::kBigint) whole += std::get<int64_t>(value);
    if (type == Type::kDouble) real += std::get<double>(value);
  }
  return type == Type::kBigint ? Value(whole) : Value(real);
}

Value result_of(Kind kind, const std::vector<Value>& values, Type type) {
  if (kind == Kind::kCount) return static_cast<int64_t>(values.size());
  if (values.empty()) return {};
  switch (kind) {
    case Kind::kSum: return total_of(values, type);
    case Kind::kAverage: return real_of(total_of(values, type)) / static_cast<double>(values.size());
    case Kind::kLeast: return *std::ranges::min_element(values);
    default: return *std::ranges::max_element(values);
  }
}

Type result_type(Kind kind, Type type) {
  return kind == Kind::kCount ? Type::kBigint : kind == Kind::kAverage ? Type::kDouble : type;
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kCount: return "COUNT";
    case Kind::kSum: return "SUM";
    case Kind::kAverage: return "AVG";
    case Kind::kLeast: return "MIN";
    case Kind::kGreatest: return "MAX";
  }
  return "";
}

Aggregate count_all() {
  return {"COUNT(*)", Type::kBigint, [](const std::vector<Row>& rows) { return static_cast<int64_t>(rows.size()); }};
}

Aggregate count_distinct(const Expression& argument) {
  return {fmt::format("COUNT(DISTINCT {})", argument.sql), Type::kBigint, [=](const std::vector<Row>& rows) {
            const std::vector<Value> values = values_of(argument, rows);
            return static_cast<int64_t>(std::set<Value>(values.begin(), values.end()).size());
          }};
}

}  // namespace

Aggregate aggregate_of_expression(Random& random, const Expression& argument, Type type) {
  static const std::vector<Kind> kKinds = {Kind::kCount, Kind::kSum, Kind::kAverage, Kind::kLeast, Kind::kGreatest};
  const Kind kind = random.one_of(kKinds);
  return {fmt::format("{}({})", name_of(kind), argument.sql), result_type(kind, type),
          [=](const std::vector<Row>& rows) { return result_of(kind, values_of(argument, rows), type); }};
}

Aggregate simple_aggregate(Random& random) {
  if (random.one_in(5)) return count_all();
  const bool whole = random.one_in(2);
  return aggregate_of_expression(random, column(whole ? kN : kV), whole ? Type::kBigint : Type::kDouble);
}

Aggregate aggregate_of_column(const std::string& function, const std::string& name, size_t at, Type type) {
  const Expression argument = {name, [at](const Row& row) { return row[at]; }};
  const Kind kind = function == "SUM" ? Kind::kSum : function == "MIN" ? Kind::kLeast : Kind::kGreatest;
  return {fmt::format("{}({})", function, name), type,
          [=](const std::vector<Row>& rows) { return result_of(kind, values_of(argument, rows), type); }};
}

Aggregate exact_aggregate(Random& random) {
  static const std::vector<std::string> kFunctions = {"SUM", "MIN", "MAX"};
  if (random.one_in(4)) return count_all();
  const size_t at = random.one_in(2) ? kN : kV;
  return aggregate_of_column(random.one_of(kFunctions), kReadings[at].name, at, kReadings[at].type);
}

Aggregate any_aggregate(Random& random) {
  ExpressionMaker make(random);
  const Type type = random.one_in(2) ? Type::kBigint : Type::kDouble;
  const Expression argument = make.of_type(type, 2);
  const Aggregate all = random.one_in(4)   ? simple_aggregate(random)
                        : random.one_in(4) ? count_distinct(column(random.one_in(2) ? kS : kN))
                                           : aggregate_of_expression(random, argument, type);
  if (!random.one_in(3)) return all;
  const Expression where = make.condition(2);
  return {fmt::format("{} FILTER (WHERE {})", all.sql, where.sql), all.type, [=](const std::vector<Row>& rows) {
            std::vector<Row> left;
            for (const Row& row : rows) {
              const Value holds = where.value(row);
              if (!is_null(holds) && std::get<bool>(holds)) left.push_back(row);
            }
            return all.of(left);
          }};
}

}  // namespace tidegate::queries
