// Lookup joins against a nested loop over random rows.
#include <doctest/doctest.h>

#include <optional>

#include "engine/internal/fixture.h"
#include "engine/internal/lookup_probe.h"
#include "io/random.h"
#include "lookup/row_bytes.h"

namespace tidegate::engine {

namespace {

using columnar::Batch;
using columnar::TypeKind;
using sql::Expression;
using sql::LookupKind;

Expression column(const columnar::Schema& schema, size_t at) {
  return {schema.fields[at].type, true, sql::ColumnRef{at, schema.fields[at].name}};
}

Expression call(sql::FunctionId function, Expression left, Expression right) {
  auto made = std::make_unique<sql::Call>();
  made->function = function;
  made->arguments.push_back(std::move(left));
  made->arguments.push_back(std::move(right));
  return {TypeKind::kBoolean, true, std::move(made)};
}

// Columns of the rows: word STRING, number BIGINT, at TIMESTAMP_LTZ, v DOUBLE. Of the table: word STRING, number
// BIGINT, since TIMESTAMP_LTZ, x DOUBLE.
const columnar::SchemaPtr& rows_schema() {
  static const columnar::SchemaPtr kSchema =
      std::make_shared<const columnar::Schema>(columnar::Schema{{{"word", TypeKind::kString, true},
                                                                 {"number", TypeKind::kBigint, true},
                                                                 {"at", TypeKind::kTimestampLtz, true},
                                                                 {"v", TypeKind::kDouble, true}}});
  return kSchema;
}

struct Row {
  std::optional<std::string> word;
  std::optional<int64_t> number;
  std::optional<int64_t> time;
  std::optional<double> value;
};

Batch batch_of(const std::vector<Row>& rows, const columnar::StringPool* pool) {
  columnar::BatchBuilder builder(rows_schema(), pool == nullptr ? std::nullopt : std::optional<size_t>(0), pool);
  const auto append = [&](size_t at, const auto& value) {
    if (value) {
      builder.column(at).append(*value);
    } else {
      builder.column(at).append_null();
    }
  };
  for (const Row& row : rows) {
    if (!row.word) {
      builder.column(0).append_null();
    } else if (pool != nullptr) {
      builder.column(0).append<uint32_t>(pool->find(*row.word)->value);
    } else {
      builder.column(0).append_string(*row.word);
    }
    append(1, row.number);
    append(2, row.time);
    append(3, row.value);
    builder.end_row();
  }
  return builder.finish();
}

struct Shape {
  LookupKind kind = LookupKind::kInner;
  std::vector<size_t> key;  // columns of both
  bool versioned = false;
  bool condition = false;  // of IN and EXISTS: x > 5; of LEFT: v > x
};

std::vector<Row> random_rows(io::SeededRandom& random, size_t count, bool nulls) {
  std::vector<Row> rows;
  for (size_t at = 0; at < count; ++at) {
    Row row;
    if (!nulls || random.below(8) != 0) row.word = fmt::format("w{}", random.below(6));
    if (!nulls || random.below(8) != 0) row.number = static_cast<int64_t>(random.below(5)) - 2;
    if (!nulls || random.below(8) != 0) row.time = static_cast<int64_t>(random.below(20));
    if (random.below(8) != 0) row.value = static_cast<double>(random.below(10));
    rows.push_back(std::move(row));
  }
  return rows;
}

bool same_key(const Row& left, const Row& right, const std::vector<size_t>& key) {
  for (const size_t at : key) {
    if (at == 0 && (!left.word || left.word != right.word)) return false;
    if (at == 1 && (!left.number || left.number != right.number)) return false;
  }
  return true;
}

// One row a key, or a key and time.
std::vector<Row> unique_rows(std::vector<Row> rows, const Shape& shape) {
  std::vector<Row> kept;
  for (Row& row : rows) {
    const bool there = std::ranges::any_of(kept, [&](const Row& other) {
      return same_key(row, other, shape.key) && (!shape.versioned || row.time == other.time);
    });
    if (!there) kept.push_back(std::move(row));
  }
  return kept;
}

std::string number_text(const std::optional<double>& value) { return value ? fmt::format("{:.9g}", *value) : "NULL"; }

std::string text_of(const Row& row) {
  return fmt::format("{}|{}|{}|{}", row.word.value_or("NULL"), row.number ? std::to_string(*row.number) : "NULL",
                     row.time ? std::to_string(*row.time) : "NULL", number_text(row.value));
}

// Whether a row of a table with versions is the one of its key at the time of a row.
bool holds(const Row& candidate, const Row& row, const std::vector<Row>& table, const Shape& shape) {
  if (!row.time || *candidate.time > *row.time) return false;
  return std::ranges::none_of(table, [&](const Row& other) {
    return same_key(candidate, other, shape.key) && *other.time > *candidate.time && *other.time <= *row.time;
  });
}

// What SQL says, by going through all rows of the table for every row.
std::vector<std::string> nested_loop(const std::vector<Row>& rows, const std::vector<Row>& table, const Shape& shape) {
  std::vector<std::string> out;
  for (const Row& row : rows) {
    const Row* found = nullptr;
    for (const Row& candidate : table) {
      if (!same_key(row, candidate, shape.key)) continue;
      if (shape.versioned) {
        if (!row.time || *candidate.time > *row.time) continue;
        if (found == nullptr || *candidate.time > *found->time) found = &candidate;
        continue;
      }
      const bool counts = shape.kind == LookupKind::kInner || shape.kind == LookupKind::kLeft || !shape.condition ||
                          candidate.value.value_or(0) > 5;
      if (counts) found = &candidate;
    }
    const bool mark = shape.kind == LookupKind::kIn || shape.kind == LookupKind::kExists;
    if (found != nullptr && mark && shape.versioned && shape.condition && found->value.value_or(0) <= 5)
      found = nullptr;
    if (found != nullptr && shape.kind == LookupKind::kLeft && shape.condition &&
        !(row.value && found->value && *row.value > *found->value)) {
      found = nullptr;
    }
    if (mark) {
      bool any = false;
      bool null = false;
      for (const Row& candidate : table) {
        if (shape.condition && candidate.value.value_or(0) <= 5) continue;
        if (shape.versioned && !holds(candidate, row, table, shape)) continue;
        any = true;
        null = null || (shape.key.front() == 0 ? !candidate.word : !candidate.number);
      }
      const bool row_null = shape.key.front() == 0 ? !row.word : !row.number;
      const bool unknown = shape.kind == LookupKind::kIn && found == nullptr && any && (null || row_null);
      out.push_back(text_of(row) + (unknown ? "|NULL" : found != nullptr ? "|1" : "|0"));
    } else if (found != nullptr) {
      out.push_back(text_of(row) + "|" + number_text(found->value) + "|" + std::to_string(*found->time));
    } else if (shape.kind == LookupKind::kLeft) {
      out.push_back(text_of(row) + "|NULL|NULL");
    }
  }
  return out;
}

std::vector<std::string> texts_of(const Batch& batch) {
  std::vector<std::string> texts(batch.rows);
  for (size_t row = 0; row < batch.rows; ++row) {
    for (const columnar::ColumnPtr& column : batch.columns) {
      std::string text = "NULL";
      if (column->valid(row) && column->type == TypeKind::kString) {
        text = column->string_at(row);
      } else if (column->valid(row) && column->type == TypeKind::kDouble) {
        text = fmt::format("{}", column->values<double>()[row]);
      } else if (column->valid(row)) {
        text = std::to_string(column->integer_at(row));
      }
      texts[row] += (column == batch.columns.front() ? "" : "|") + text;
    }
  }
  return texts;
}

sql::PlanNode node_of(const Shape& shape) {
  catalog::TableDefinition definition;
  definition.id = catalog::TableId{1};
  definition.name = "t";
  definition.schema = rows_schema();
  definition.key = shape.key;
  if (shape.versioned) definition.version_column = 2;
  sql::LookupJoin join;
  join.kind = shape.kind;
  join.table = std::make_shared<const catalog::TableDefinition>(std::move(definition));  // as the catalog shares it
  const columnar::Schema& schema = *rows_schema();
  for (const size_t at : shape.key) {
    join.keys.push_back(column(schema, at));
    join.table_keys.push_back(column(schema, at));
  }
  if (shape.versioned) join.time = column(schema, 2);
  join.place = schema.fields.size();
  sql::PlanNode node;
  columnar::Schema output = schema;
  if (shape.kind == LookupKind::kInner || shape.kind == LookupKind::kLeft) {
    join.columns = {3, 2};
    output.fields.push_back({"x", TypeKind::kDouble, true});
    output.fields.push_back({"since", TypeKind::kTimestampLtz, true});
    if (shape.condition) join.match = call(sql::FunctionId::kGreater, column(output, 3), column(output, 4));
  } else {
    output.fields.push_back({"mark", TypeKind::kBoolean, true});
    if (shape.condition) {
      join.condition =
          call(sql::FunctionId::kGreater, column(schema, 3), {TypeKind::kDouble, false, sql::Literal(5.0)});
    }
  }
  node.output = std::make_shared<const columnar::Schema>(std::move(output));
  node.node = std::move(join);
  return node;
}

std::vector<Row> random_table(io::SeededRandom& random, const Shape& shape, uint64_t seed) {
  const bool set = (shape.kind == LookupKind::kIn || shape.kind == LookupKind::kExists) && !shape.versioned;
  std::vector<Row> table = random_rows(random, random.below(4) == 0 ? 0 : random.below(40), set && seed % 3 != 0);
  for (Row& row : table) row.time = row.time.value_or(0);
  return set ? table : unique_rows(std::move(table), shape);
}

lookup::TableVersionPtr version_of(const std::vector<Row>& table, const Shape& shape, int number) {
  const Batch unsorted = batch_of(table, nullptr);
  const std::optional<size_t> version_column = shape.versioned ? std::optional<size_t>(2) : std::nullopt;
  auto version = std::make_shared<lookup::TableVersion>();  // shared as tables share theirs
  version->number = static_cast<uint64_t>(number);
  version->rows = columnar::gather(unsorted, lookup::key_order(unsorted, shape.key, version_column));
  return version;
}

void compare_round(LookupProbe& probe, const LookupIndex& index, const std::vector<Row>& table, const Shape& shape,
                   io::SeededRandom& random, const columnar::StringPool* pool) {
  const std::vector<Row> rows = random_rows(random, 1 + random.below(60), true);
  Batch batch = batch_of(rows, pool);
  RowTimes times;
  times.resize(rows.size());
  for (size_t at = 0; at < rows.size(); ++at) times.watermark[at] = rows[at].time.value_or(-1);
  probe.run(batch, &times, index);
  CHECK(texts_of(batch) == nested_loop(rows, table, shape));
  REQUIRE(times.watermark.size() == batch.rows);
  for (size_t row = 0; row < batch.rows; ++row) {
    CHECK(times.watermark[row] == (batch.columns[2]->valid(row) ? batch.columns[2]->integer_at(row) : -1));
  }
}

void compare(const Shape& shape, uint64_t seed) {
  CAPTURE(static_cast<int>(shape.kind));
  CAPTURE(shape.key.size());
  CAPTURE(shape.versioned);
  CAPTURE(shape.condition);
  CAPTURE(seed);
  io::SeededRandom random(seed);
  columnar::StringPool pool;
  for (int word = 0; word < 6; ++word) (void)pool.intern(fmt::format("w{}", word));
  const sql::PlanNode node = node_of(shape);
  LookupProbe probe(node);
  std::optional<LookupIndex> index;  // the second version's lies where the first one's lay
  for (int number = 1; number <= 2; ++number) {
    const std::vector<Row> table = random_table(random, shape, seed);
    index.emplace(std::get<sql::LookupJoin>(node.node), version_of(table, shape, number));
    for (int round = 0; round < 3; ++round)
      compare_round(probe, *index, table, shape, random, round == 1 ? nullptr : &pool);
  }
}

}  // namespace

TEST_CASE("lookups find what a nested loop finds") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    for (const bool versioned : {false, true}) {
      for (const bool condition : {false, true}) {
        for (const std::vector<size_t>& key : {std::vector<size_t>{0}, std::vector<size_t>{1}}) {
          compare({LookupKind::kInner, key, versioned, false}, seed);
          compare({LookupKind::kLeft, key, versioned, condition}, seed);
          compare({LookupKind::kIn, key, versioned, condition}, seed);
          compare({LookupKind::kExists, key, versioned, condition}, seed);
        }
        compare({LookupKind::kInner, {1, 0}, versioned, false}, seed);
        compare({LookupKind::kLeft, {0, 1}, versioned, condition}, seed);
        compare({LookupKind::kExists, {0, 1}, versioned, condition}, seed);
      }
    }
  }
}

}  // namespace tidegate::engine
