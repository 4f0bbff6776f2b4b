#include <doctest/doctest.h>

#include <numeric>

#include "columnar/random_rows.h"

namespace tidegate::columnar {

TEST_CASE("a type stands where its kind does") {
  const Type type = TypeKind::kBigint;
  CHECK(type == TypeKind::kBigint);
  CHECK(TypeKind::kBigint == type);
  CHECK(type == Type(TypeKind::kBigint));
  CHECK_FALSE(type == TypeKind::kInt);
  CHECK(is_numeric(type));
  CHECK(value_width(type) == 8);
  switch (type) {
    case TypeKind::kBigint: break;
    default: FAIL("a Type switches by its kind");
  }
}

TEST_CASE("types are equal with their parameters, and are written as SQL") {
  const Type price = Type::decimal(10, 2);
  CHECK(price == Type::decimal(10, 2));
  CHECK(price == TypeKind::kDecimal);
  CHECK_FALSE(price == Type::decimal(10, 3));
  CHECK(type_name(price) == "DECIMAL(10, 2)");
  const Type point = Type::row({{"x", TypeKind::kInt, false}, {"my `y`", Type::array(price), true}});
  CHECK(point == Type::row({{"x", TypeKind::kInt, false}, {"my `y`", Type::array(Type::decimal(10, 2)), true}}));
  CHECK_FALSE(point == Type::row({{"x", TypeKind::kInt, true}, {"my `y`", Type::array(price), true}}));
  CHECK(type_name(point) == "ROW<`x` INT NOT NULL, `my ``y``` ARRAY<DECIMAL(10, 2)>>");
  CHECK(type_name(Type::array(TypeKind::kFloat, false)) == "ARRAY<FLOAT NOT NULL>");
  CHECK(type_name(Type(TypeKind::kBytes)) == "BYTES");
}

// Some of the rows that a builder has so far.
Batch copy_of(const BatchBuilder& builder, size_t first, size_t rows) {
  Batch copy{builder.schema(), {}, {}, rows};
  for (size_t at = 0; at < builder.column_count(); ++at) copy.columns.push_back(builder.column(at).copy(first, rows));
  return copy;
}

TEST_CASE("gather, slice, concatenate and append_from keep random rows of every type") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    const SchemaPtr schema = random_schema(random, 1 + random.below(6));
    const Batch whole = random_batch(schema, random.below(80), random);
    const size_t cut = random.below(whole.rows + 1);
    const Batch parts[] = {slice(whole, 0, cut), slice(whole, cut, whole.rows - cut)};
    CHECK(same_rows(concatenate(parts), whole));
    std::vector<uint32_t> all(whole.rows);
    std::iota(all.begin(), all.end(), 0U);
    CHECK(same_rows(gather(whole, all), whole));
    BatchBuilder builder(schema);
    for (size_t row = 0; row < whole.rows; ++row) {
      // Half a row that is taken back leaves no trace.
      for (size_t at = 0; at < random.below(schema->fields.size() + 1); ++at) {
        append_random(builder.column(at), true, random, {});
        // Elements and fields of a value that was not ended.
        if (builder.column(at).type().is_nested()) append_random(builder.column(at).child(0), true, random, {});
      }
      builder.cancel_row();
      for (size_t at = 0; at < schema->fields.size(); ++at) builder.column(at).append_from(*whole.columns[at], row);
      CHECK(same_rows(copy_of(builder, row, 1), slice(whole, row, 1)));
      builder.end_row();
    }
    CHECK(same_rows(copy_of(builder, cut, whole.rows - cut), parts[1]));
    CHECK(same_rows(builder.finish(), whole));
  }
}

}  // namespace tidegate::columnar
