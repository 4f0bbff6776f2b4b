#include "engine/internal/unnest_step.h"

#include <doctest/doctest.h>

#include "columnar/random_rows.h"

namespace tidegate::engine {

using columnar::Batch;
using columnar::BatchBuilder;
using columnar::Column;
using columnar::Schema;
using columnar::Type;
using columnar::TypeKind;

namespace {

// Takes column `array` apart and passes all columns on, the elements behind the first `place` of them.
sql::PlanNode node_of(const Schema& input, size_t array, size_t place, bool left) {
  sql::Unnest unnest;
  const columnar::Field& field = input.fields[array];
  unnest.array = {field.type, field.nullable, sql::ColumnRef{array, field.name}};
  unnest.left = left;
  unnest.place = place;
  Schema output;
  for (size_t at = 0; at < input.fields.size(); ++at) unnest.passed.push_back(at);
  output.fields.assign(input.fields.begin(), input.fields.begin() + static_cast<std::ptrdiff_t>(place));
  const Type element = field.type.element().type;
  for (size_t at = 0; at < unnest.fields(); ++at) {
    unnest.columns.push_back(at);
    output.fields.push_back({"e", element == TypeKind::kRow ? (*element.fields)[at].type : element, true});
  }
  unnest.columns.push_back(unnest.fields());
  output.fields.push_back({"number", TypeKind::kInt, true});
  output.fields.insert(output.fields.end(), input.fields.begin() + static_cast<std::ptrdiff_t>(place),
                       input.fields.end());
  sql::PlanNode node;
  node.output = std::make_shared<const Schema>(std::move(output));
  node.node = std::move(unnest);
  return node;
}

// One row that comes out, value by value.
void append_row(const sql::PlanNode& node, const Batch& input, const Column& array, size_t row,
                std::optional<size_t> element, size_t number, BatchBuilder& out) {
  const auto& unnest = std::get<sql::Unnest>(node.node);
  size_t at = 0;
  for (size_t column = 0; column < unnest.place; ++column) out.column(at++).append_from(*input.columns[column], row);
  const Column& elements = *array.children[0];
  const bool is_row = elements.type == TypeKind::kRow;
  for (size_t field = 0; field < unnest.fields(); ++field) {
    if (element && elements.valid(*element)) {
      out.column(at++).append_from(is_row ? *elements.children[field] : elements, *element);
    } else {
      out.column(at++).append_null();
    }
  }
  if (element) {
    out.column(at++).append<int32_t>(static_cast<int32_t>(number));
  } else {
    out.column(at++).append_null();
  }
  for (size_t column = unnest.place; column < input.columns.size(); ++column) {
    out.column(at++).append_from(*input.columns[column], row);
  }
  out.end_row();
}

Batch expected_of(const sql::PlanNode& node, const Batch& input, size_t array_at, std::vector<size_t>& of_rows) {
  BatchBuilder out(node.output);
  const Column& array = *input.columns[array_at];
  for (size_t row = 0; row < input.rows; ++row) {
    const size_t count = array.length_at(row);
    for (size_t at = 0; at < count; ++at) {
      append_row(node, input, array, row, array.offsets[row] + at, at + 1, out);
      of_rows.push_back(row);
    }
    if (count > 0 || !std::get<sql::Unnest>(node.node).left) continue;
    append_row(node, input, array, row, std::nullopt, 0, out);
    of_rows.push_back(row);
  }
  return out.finish();
}

}  // namespace

TEST_CASE("random rows are taken apart as a nested loop does it, and their times go with them") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    auto schema = std::make_shared<Schema>(*columnar::random_schema(random, 1 + random.below(4)));
    const size_t array = random.below(schema->fields.size());
    schema->fields[array].type = Type::array(columnar::random_type(random, 2));
    const Batch input = columnar::random_batch(schema, random.below(30), random);
    const sql::PlanNode node = node_of(*schema, array, random.below(schema->fields.size() + 1), random.below(2) == 0);
    RowTimes times;
    times.resize(input.rows);
    for (size_t row = 0; row < input.rows; ++row) {
      times.device[row] = static_cast<uint32_t>(row * 2);
      times.watermark[row] = static_cast<int64_t>(row * 3);
    }
    std::vector<size_t> of_rows;
    const Batch expected = expected_of(node, input, array, of_rows);
    Batch batch = input;
    UnnestStep(node).run(batch, &times);
    CHECK(same_rows(batch, expected));
    REQUIRE(times.device.size() == of_rows.size());
    for (size_t at = 0; at < of_rows.size(); ++at) {
      CHECK(times.device[at] == of_rows[at] * 2);
      CHECK(times.watermark[at] == static_cast<int64_t>(of_rows[at] * 3));
    }
  }
}

TEST_CASE("a batch is cut so that its parts become little, and nothing is lost") {
  auto schema = std::make_shared<const Schema>(
      Schema{{{"note", TypeKind::kString, true}, {"samples", Type::array(TypeKind::kDouble), true}}});
  BatchBuilder rows(schema);
  // So many samples of each row: small ones among bursts.
  for (const size_t samples : {3, 0, 5000, 4, 20'000, 20'000, 1, 2}) {
    rows.column(0).append_string("n");
    for (size_t at = 0; at < samples; ++at) rows.column(1).child(0).append(static_cast<double>(at));
    rows.column(1).end_nested();
    rows.end_row();
  }
  const Batch whole = rows.finish();
  for (const size_t unnests : {1, 2}) {
    std::vector<Batch> parts;
    for_each_part(whole, unnests, [&](Batch part) { parts.push_back(std::move(part)); });
    CHECK(same_rows(columnar::concatenate(parts), whole));
    for (const Batch& part : parts) {
      size_t samples = 0;
      for (size_t row = 0; row < part.rows; ++row) samples += part.columns[1]->length_at(row);
      CHECK((part.rows == 1 || samples < 1000));
    }
    CHECK(parts.size() == 6);
  }
  std::vector<size_t> empty;
  for_each_part(columnar::slice(whole, 0, 0), 1, [&](const Batch& part) { empty.push_back(part.rows); });
  CHECK(empty == std::vector<size_t>{0});
}

TEST_CASE("a record that would become too much gives nothing, its neighbours do") {
  auto schema = std::make_shared<const Schema>(
      Schema{{{"text", TypeKind::kString, true}, {"samples", Type::array(TypeKind::kInt), true}}});
  BatchBuilder rows(schema);
  const std::string text(100'000, 'x');
  for (const size_t samples : {2, 1000, 3}) {
    rows.column(0).append_string(text);
    for (size_t at = 0; at < samples; ++at) rows.column(1).child(0).append(static_cast<int32_t>(at));
    rows.column(1).end_nested();
    rows.end_row();
  }
  const Batch whole = rows.finish();
  for (const bool left : {false, true}) {
    const sql::PlanNode node = node_of(*schema, 1, 2, left);
    Batch batch = whole;
    UnnestStep(node).run(batch, nullptr);
    REQUIRE(batch.rows == (left ? 6 : 5));
    CHECK_FALSE((left && batch.columns[3]->valid(2)));
    CHECK(batch.columns[3]->values<int32_t>().back() == 3);
    CHECK(batch.memory_bytes() < kMaxUnnestedBytes);
  }
}

}  // namespace tidegate::engine
