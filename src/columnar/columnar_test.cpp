#include <doctest/doctest.h>

#include <numeric>
#include <thread>

#include "base/hash.h"
#include "columnar/batch.h"
#include "columnar/string_pool.h"
#include "io/random.h"

namespace tidegate::columnar {
namespace {

SchemaPtr meter_schema() {
  return std::make_shared<const Schema>(Schema{{{"device", TypeKind::kString, false},
                                                {"ts", TypeKind::kTimestampLtz, false},
                                                {"value", TypeKind::kDouble, true},
                                                {"note", TypeKind::kString, true},
                                                {"on", TypeKind::kBoolean, true},
                                                {"count", TypeKind::kInt, true}}});
}

// Row `row` of a table of our own making, NULL in every fifth value.
void append_row(BatchBuilder& builder, StringPool& pool, int row) {
  builder.column(0).append(pool.intern("meter-" + std::to_string(row % 7))->value);
  builder.column(1).append<int64_t>(row * 1000);
  for (size_t column = 2; column < 6; ++column) {
    if ((row + static_cast<int>(column)) % 5 == 0) {
      builder.column(column).append_null();
    } else if (column == 2) {
      builder.column(column).append(row * 0.5);
    } else if (column == 3) {
      builder.column(column).append_string(std::string(static_cast<size_t>(row % 4), 'n'));
    } else if (column == 4) {
      builder.column(column).append(static_cast<uint8_t>(row % 2));
    } else {
      builder.column(column).append<int32_t>(-row);
    }
  }
  builder.end_row();
}

Batch table(StringPool& pool, int first, int rows) {
  BatchBuilder builder(meter_schema(), 0, &pool);
  for (int row = first; row < first + rows; ++row) append_row(builder, pool, row);
  return builder.finish();
}

std::string row_text(const Batch& batch, size_t row) {
  std::string text;
  for (const ColumnPtr& column : batch.columns) {
    if (!column->valid(row)) {
      text += "NULL|";
    } else if (column->type == TypeKind::kString) {
      text += std::string(column->string_at(row)) + "|";
    } else if (column->type == TypeKind::kDouble) {
      text += std::to_string(column->values<double>()[row]) + "|";
    } else {
      text += std::to_string(column->integer_at(row)) + "|";
    }
  }
  return text;
}

void check_equal(const Batch& left, const Batch& right) {
  REQUIRE(left.rows == right.rows);
  for (size_t row = 0; row < left.rows; ++row) CHECK(row_text(left, row) == row_text(right, row));
}

}  // namespace

TEST_CASE("gather, slice and concatenate give the rows they name") {
  StringPool pool;
  const Batch whole = table(pool, 0, 100);
  check_equal(slice(whole, 30, 20), table(pool, 30, 20));
  const Batch parts[] = {table(pool, 0, 40), table(pool, 40, 0), table(pool, 40, 60)};
  check_equal(concatenate(parts), whole);
  std::vector<uint32_t> rows(20);
  std::iota(rows.begin(), rows.end(), 30U);
  check_equal(gather(whole, rows), table(pool, 30, 20));
  CHECK(concatenate(parts).columns[0]->is_dictionary());
}

TEST_CASE("concatenating a dictionary with plain strings gives plain strings") {
  StringPool pool;
  ColumnBuilder dictionary(pool);
  dictionary.append(pool.intern("a")->value);
  dictionary.append_null();
  ColumnBuilder plain(TypeKind::kString);
  plain.append_string("b");
  const ColumnPtr parts[] = {dictionary.finish(), plain.finish()};
  const ColumnPtr both = concatenate(parts);
  REQUIRE(both->rows == 3);
  CHECK(both->string_at(0) == "a");
  CHECK_FALSE(both->valid(1));
  CHECK(both->string_at(2) == "b");
}

TEST_CASE("a cancelled row leaves no trace, wherever it stopped") {
  StringPool pool;
  for (size_t columns_filled = 0; columns_filled <= 6; ++columns_filled) {
    BatchBuilder builder(meter_schema(), 0, &pool);
    for (int row = 0; row < 3; ++row) append_row(builder, pool, row);
    BatchBuilder one(meter_schema(), 0, &pool);
    append_row(one, pool, 9);
    const Batch extra = one.finish();
    for (size_t column = 0; column < columns_filled; ++column) {
      builder.column(column).append_from(*extra.columns[column], 0);
    }
    builder.cancel_row();
    append_row(builder, pool, 3);
    check_equal(builder.finish(), table(pool, 0, 4));
  }
}

TEST_CASE("finish hands the rows over and the builder starts anew") {
  StringPool pool;
  BatchBuilder builder(meter_schema(), 0, &pool);
  append_row(builder, pool, 0);
  check_equal(builder.finish(), table(pool, 0, 1));
  append_row(builder, pool, 1);
  check_equal(builder.finish(), table(pool, 1, 1));
  CHECK(builder.finish().rows == 0);
}

TEST_CASE("a bitmap keeps its bits when it grows and shrinks") {
  io::SeededRandom random(3);
  Bitmap bits;
  std::vector<bool> model;
  for (int step = 0; step < 2000; ++step) {
    if (random.below(10) == 0 && !model.empty()) {
      const size_t keep = random.below(model.size() + 1);
      bits.truncate(keep);
      model.resize(keep);
    } else {
      const bool value = random.below(2) == 1;
      bits.push_back(value);
      model.push_back(value);
    }
    REQUIRE(bits.size() == model.size());
  }
  for (size_t at = 0; at < model.size(); ++at) CHECK(bits.test(at) == model[at]);
}

TEST_CASE("a pool gives each string one code for ever, and its key group") {
  StringPool pool;
  for (int round = 0; round < 2; ++round) {
    for (uint32_t number = 0; number < 50'000; ++number) {
      REQUIRE(pool.intern("device/" + std::to_string(number)) == StringCode{number});
    }
  }
  CHECK(pool.size() == 50'000);
  CHECK(pool.view(StringCode{41'234}) == "device/41234");
  CHECK(pool.key_group(StringCode{41'234}) == key_group_of("device/41234"));
  CHECK_FALSE(pool.find("never seen"));
  CHECK(pool.intern("") == StringCode{50'000});
}

TEST_CASE("a full pool refuses new strings and keeps the old") {
  StringPool pool(2);
  CHECK(pool.intern("a"));
  CHECK(pool.intern("b"));
  CHECK_FALSE(pool.intern("c"));
  CHECK(pool.intern("a") == StringCode{0});
}

TEST_CASE("the empty string may be the first") {
  StringPool pool;
  CHECK(pool.intern("") == StringCode{0});
  CHECK(pool.view(StringCode{0}).empty());
}

TEST_CASE("threads that meet the same strings agree on their codes") {
  StringPool pool;
  constexpr int kStrings = 20'000;
  std::vector<std::vector<uint32_t>> seen(4);
  std::vector<std::thread> threads;
  for (auto& codes : seen) {
    threads.emplace_back([&pool, &codes] {
      for (int number = 0; number < kStrings; ++number) codes.push_back(pool.intern(std::to_string(number))->value);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(pool.size() == kStrings);
  for (const auto& codes : seen) CHECK(codes == seen.front());
}

}  // namespace tidegate::columnar
