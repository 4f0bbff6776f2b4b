#include "tables.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::queries {

namespace {

std::string cell_of(const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return fmt::format("{}", *number);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "";
}

Value maybe(Random& random, Value value) { return random.one_in(6) ? Value() : std::move(value); }

Row some_row(Random& random, const LookupTable& table, int64_t first_ms, int64_t span_ms) {
  static const std::vector<std::string> kTexts = {"a", "b", "ab", "Ba", "abc", "bb"};
  const Value part = random.between(-5, 5);
  return {table.columns[kKey].type == Type::kString ? Value(random.one_of(kTexts)) : Value(random.between(-5, 5)),
          table.key.size() > 1 ? part : maybe(random, part),
          first_ms + random.between(-span_ms / 4, span_ms),
          maybe(random, random.between(-5, 5)),
          maybe(random, random.one_of(kTexts)),
          maybe(random, static_cast<double>(random.between(1, 40)) * 0.25)};
}

bool same(const LookupTable& table, const Row& left, const Row& right) {
  return std::ranges::all_of(table.key, [&](size_t at) { return left[at] == right[at]; });
}

std::vector<Row> some_rows(Random& random, const LookupTable& table, int64_t first_ms, int64_t span_ms) {
  std::vector<Row> rows;
  for (int64_t left = random.one_in(6) ? 0 : random.between(1, 25); left > 0; --left) {
    Row row = some_row(random, table, first_ms, span_ms);
    const bool there = std::ranges::any_of(rows, [&](const Row& other) {
      return same(table, row, other) && (!table.versioned || row[kSince] == other[kSince]);
    });
    if (!there) rows.push_back(std::move(row));
  }
  return rows;
}

int64_t since(const Row& row) { return std::get<int64_t>(row[kSince]); }

}  // namespace

std::string LookupTable::sql() const {
  std::string list;
  for (const Column& column : columns) list += fmt::format("{} {}, ", column.name, type_name(column));
  std::string names;
  for (const size_t at : key) names += (names.empty() ? "" : ", ") + columns[at].name;
  return fmt::format(
      "CREATE TABLE {0} ({1}PRIMARY KEY ({2}) NOT ENFORCED{3}) WITH ('connector' = 'filesystem', 'path' = '{0}.csv', "
      "'format' = 'csv', 'csv.header' = 'true')",
      name, list, names, versioned ? ", WATERMARK FOR since AS since" : "");
}

std::string LookupTable::csv(size_t edition) const {
  std::string out;
  for (const Column& column : columns) out += (out.empty() ? "" : ",") + column.name;
  out += "\n";
  for (const Row& row : editions[edition]) {
    for (size_t at = 0; at < row.size(); ++at) out += (at == 0 ? "" : ",") + cell_of(row[at]);
    out += "\n";
  }
  return out;
}

std::vector<Row> LookupTable::at(size_t edition, int64_t time) const {
  const std::vector<Row>& all = editions[edition];
  if (!versioned) return all;
  std::vector<Row> out;
  for (const Row& row : all) {
    const bool replaced = std::ranges::any_of(all, [&](const Row& other) {
      return same(*this, row, other) && since(other) <= time && since(other) > since(row);
    });
    if (since(row) <= time && !replaced) out.push_back(row);
  }
  return out;
}

std::optional<Row> LookupTable::find(size_t edition, const std::vector<Value>& wanted, int64_t time) const {
  for (const Row& row : at(edition, time)) {
    bool found = true;
    for (size_t part = 0; part < key.size(); ++part) {
      found = found && !is_null(wanted[part]) && row[key[part]] == wanted[part];
    }
    if (found) return row;
  }
  return std::nullopt;
}

std::vector<LookupTable> make_tables(Random& random, size_t editions, int64_t first_ms, int64_t span_ms) {
  std::vector<LookupTable> tables(3);
  tables[0] = {.name = "places", .columns = {}, .key = {kKey}, .versioned = false, .editions = {}};
  tables[1] = {.name = "rates", .columns = {}, .key = {kKey}, .versioned = true, .editions = {}};
  tables[2] = {.name = "pairs", .columns = {}, .key = {kKey, kPart}, .versioned = true, .editions = {}};
  for (LookupTable& table : tables) {
    const Type key = table.name == "rates" ? Type::kBigint : Type::kString;
    table.columns = {{"k", key},
                     {"part", Type::kBigint},
                     {"since", Type::kTime},
                     {"num", Type::kBigint},
                     {"txt", Type::kString},
                     {"factor", Type::kDouble}};
    for (size_t edition = 0; edition < editions; ++edition) {
      table.editions.push_back(some_rows(random, table, first_ms, span_ms));
    }
  }
  return tables;
}

}  // namespace tidegate::queries
