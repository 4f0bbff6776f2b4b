#include <doctest/doctest.h>

#include "engine/internal/fixture.h"
#include "engine/internal/row_sorter.h"

namespace tidegate::engine {

namespace {

using Lines = std::vector<std::string>;

struct Bounded {
  explicit Bounded(Bench& the_bench) : bench(the_bench) {
    bench.engine = Engine::create(bench.log, bench.clock, bench.devices, bench.options);
  }
  std::unique_ptr<BoundedQuery> open(sql::Plan plan, BoundedOptions options = {}) {
    auto opened = bench.engine->open_bounded(std::move(plan), std::move(options));
    REQUIRE(opened);
    return std::move(*opened);
  }
  // All rows of a query, or its error.
  Lines all(sql::Plan plan, BoundedOptions options = {}) {
    const auto query = open(std::move(plan), std::move(options));
    Lines lines;
    while (true) {
      bench.run();
      const BoundedUpdate update = query->take();
      for (const columnar::Batch& batch : update.batches) {
        for (std::string& line : to_lines(batch)) lines.push_back(std::move(line));
      }
      if (update.error) return {std::to_string(static_cast<int>(update.error->code))};
      if (update.ended) return lines;
    }
  }
  Bench& bench;
};

sql::Plan ordered(sql::Plan plan, sql::Ordering ordering) {
  plan.ordering = std::move(ordering);
  return plan;
}

}  // namespace

TEST_CASE("a query sees what was stored when it was opened, and nothing that comes later") {
  Bench bench;
  Bounded bounded(bench);
  bench.append({{"a", 0, 1}, {"b", 0, -2}, {"c", 0, 3}});
  const auto query = bounded.open(filter_plan(bench.source));
  bench.append({{"d", 0, 4}});
  bench.run();
  const BoundedUpdate update = query->take();
  REQUIRE(update.batches.size() == 1);
  CHECK(to_lines(update.batches[0]) == Lines{"a|1.000000", "c|3.000000"});
  CHECK(update.ended);
  CHECK(query->progress().rows_read == 3);
  CHECK(query->progress().rows_to_read == 3);
}

TEST_CASE("windows over what is stored have every row in them, however late it came") {
  Bench bench;
  Bounded bounded(bench);
  std::vector<Reading> readings;
  for (int i = 0; i < 2000; ++i) {
    Reading reading{"d" + std::to_string(i % 7), ((i * 7919) % 2000) * 100 * kMicrosPerMilli, i * 0.5};
    reading.timed = i % 97 != 0;
    readings.push_back(reading);
  }
  // In many batches: the query must not go by what it has seen so far.
  bench.log.max_read_rows = 10;
  for (size_t at = 0; at < readings.size(); at += 100) {
    bench.append(
        {readings.begin() + static_cast<std::ptrdiff_t>(at), readings.begin() + static_cast<std::ptrdiff_t>(at) + 100});
  }
  for (const GroupBy by : {GroupBy::kDevice, GroupBy::kNothing}) {
    Query query;
    query.group_by = by;
    query.window = {sql::WindowKind::kHop, 20 * kSecond, 10 * kSecond, 0};
    const Lines lines = bounded.all(window_plan(bench.source, query));
    uint64_t counted = 0;
    for (const std::string& line : lines) {
      std::string_view rest = line;
      for (size_t column = by == GroupBy::kDevice ? 4 : 3; column > 0; --column) rest.remove_prefix(rest.find('|') + 1);
      counted += std::stoull(std::string(rest.substr(0, rest.find('|'))));
    }
    CHECK(counted == 2 * (2000 - 21));  // every timed row is in two windows
    CHECK(lines.size() == (by == GroupBy::kDevice ? 7 * 21 : 21));
  }
}

TEST_CASE("windows that nothing can come for any more are let go before the end") {
  Bench bench;
  Bounded bounded(bench);
  std::vector<Reading> readings;
  for (int i = 0; i < 200'000; ++i) readings.push_back({"d" + std::to_string(i % 50), i * 100 * kMicrosPerMilli, 1});
  for (size_t at = 0; at < readings.size(); at += 10'000) {
    bench.append({readings.begin() + static_cast<std::ptrdiff_t>(at),
                  readings.begin() + static_cast<std::ptrdiff_t>(at) + 10'000});
  }
  Query query;
  query.window = {sql::WindowKind::kTumble, kSecond, kSecond, 0};
  BoundedOptions tight;
  tight.max_memory_bytes = 40U << 20;  // all 200,000 windows at once take more
  tight.max_queued_rows = 1000;
  CHECK(bounded.all(window_plan(bench.source, query), tight).size() == 200'000);
  bench.append({{"d0", 0, 1}});  // now something comes for the very first window, at the end
  CHECK(bounded.all(window_plan(bench.source, query), tight) == Lines{"3010"});
}

TEST_CASE("a row in thousands of windows does not fill the memory") {
  Bench bench;
  Bounded bounded(bench);
  std::vector<Reading> readings;
  for (int i = 0; i < 50; ++i) readings.push_back({"d" + std::to_string(i), i * 50'000 * kSecond, 1});
  bench.append(readings);
  for (const GroupBy by : {GroupBy::kDevice, GroupBy::kNothing}) {
    Query query;
    query.group_by = by;
    query.window = {sql::WindowKind::kHop, 10'000 * kSecond, kSecond, 0};
    BoundedOptions tight;
    tight.max_memory_bytes = 9U << 20;  // all 500,000 windows take 20 MB and more
    tight.max_queued_rows = 1000;
    const auto task = bounded.open(window_plan(bench.source, query), tight);
    size_t rows = 0;
    for (bool ended = false; !ended;) {
      bench.run();
      const BoundedUpdate update = task->take();
      REQUIRE_FALSE(update.error);
      for (const columnar::Batch& batch : update.batches) rows += batch.rows;
      ended = update.ended;
    }
    CHECK(rows == 500'000);
  }
}

TEST_CASE("LIMIT ends a query as soon as it has its rows, OFFSET passes over some") {
  Bench bench;
  Bounded bounded(bench);
  std::vector<Reading> readings;
  for (int i = 1; i <= 1000; ++i) readings.push_back({"a", 0, static_cast<double>(i)});
  for (int i = 0; i < 200; ++i) bench.append(readings);
  sql::Ordering ordering;
  ordering.limit = 2;
  ordering.offset = 998;
  const auto query = bounded.open(ordered(filter_plan(bench.source), ordering));
  bench.run();
  const BoundedUpdate update = query->take();
  REQUIRE(update.batches.size() == 1);
  CHECK(to_lines(update.batches[0]) == Lines{"a|999.000000", "a|1000.000000"});
  CHECK(query->progress().rows_read <= 66'000);
  ordering.limit = 0;
  CHECK(bounded.all(ordered(filter_plan(bench.source), ordering)).empty());
  ordering = {};
  ordering.offset = 199'999;
  CHECK(bounded.all(ordered(filter_plan(bench.source), ordering)) == Lines{"a|1000.000000"});
  BoundedOptions fewer;
  fewer.max_rows = 1;
  CHECK(bounded.all(filter_plan(bench.source), fewer) == Lines{"a|1.000000"});
}

TEST_CASE("ORDER BY with a LIMIT keeps only what may be wanted") {
  Bench bench;
  Bounded bounded(bench);
  std::vector<Reading> readings;
  for (int i = 0; i < 300'000; ++i) readings.push_back({"a", 0, static_cast<double>((i * 7919LL) % 300'007 + 1)});
  bench.append(readings);
  sql::Ordering ordering;
  ordering.keys = {{1, true, false}};
  ordering.limit = 2;
  ordering.offset = 1;
  BoundedOptions tight;
  tight.max_memory_bytes = 3U << 20;
  CHECK(bounded.all(ordered(filter_plan(bench.source), ordering), tight) ==
        Lines{"a|300006.000000", "a|300005.000000"});
  ordering.limit.reset();
  CHECK(bounded.all(ordered(filter_plan(bench.source), ordering), tight) == Lines{"3010"});
}

TEST_CASE("a query rests while its reader does, and neither its time nor its memory grows meanwhile") {
  Bench bench;
  Bounded bounded(bench);
  std::vector<Reading> readings(50'000, Reading{"a", 0, 1});
  for (int i = 0; i < 10; ++i) bench.append(readings);
  BoundedOptions options;
  options.max_queued_rows = 1000;
  options.max_time_us = kSecond;
  const auto query = bounded.open(filter_plan(bench.source), options);
  bench.run();
  CHECK(query->progress().rows_read < 500'000);
  bench.clock.advance_us(3600 * kSecond);
  size_t rows = 0;
  bool ended = false;
  while (!ended) {
    const BoundedUpdate update = query->take();
    CHECK_FALSE(update.error);
    for (const columnar::Batch& batch : update.batches) rows += batch.rows;
    ended = update.ended;
    bench.run();
  }
  CHECK(rows == 500'000);
}

TEST_CASE("a query that takes too long is ended") {
  Bench bench;
  Bounded bounded(bench);
  bench.append({{"a", 0, 1}});
  BoundedOptions options;
  options.max_time_us = kSecond;
  const auto query = bounded.open(filter_plan(bench.source), options);
  bench.clock.advance_us(2 * kSecond);
  bench.run();
  const BoundedUpdate update = query->take();
  REQUIRE(update.error);
  CHECK(update.error->code == ErrorCode::QueryTooLong);
}

TEST_CASE("rows that the log has lost are counted, not mistaken for an end") {
  Bench bench;
  Bounded bounded(bench);
  for (int i = 1; i <= 10; ++i) bench.append({{"a", i * kSecond, static_cast<double>(i)}});
  bench.log.lose(bench.source->id, 3, 6);
  const auto query = bounded.open(filter_plan(bench.source));
  bench.run();
  CHECK(query->progress().skipped == 3);
  Query windows;
  windows.group_by = GroupBy::kNothing;
  const auto aggregated = bounded.open(window_plan(bench.source, windows));
  bench.run();
  CHECK(aggregated->progress().skipped == 3);  // once, though they are met twice
}

TEST_CASE("a range of a stream leaves out what lies before and behind it") {
  Bench bench;
  Bounded bounded(bench);
  for (int i = 1; i <= 5; ++i) bench.append({{"a", 0, static_cast<double>(i)}});
  BoundedOptions options;
  options.ranges = {{bench.source->id, Offset{1}, Offset{3}}};
  CHECK(bounded.all(filter_plan(bench.source), options) == Lines{"a|2.000000", "a|3.000000"});
  options.ranges = {{bench.source->id, Offset{-7}, Offset{99}}};
  CHECK(bounded.all(filter_plan(bench.source), options).size() == 5);
  options.ranges = {{bench.source->id, Offset{4}, Offset{2}}};
  CHECK(bounded.all(filter_plan(bench.source), options).empty());
}

TEST_CASE("only so many queries are open at once, and one that its reader lets go of makes room") {
  Bench bench;
  Bounded bounded(bench);
  bench.append({{"a", 0, 1}});
  std::vector<std::unique_ptr<BoundedQuery>> open;
  for (int i = 0; i < 16; ++i) open.push_back(bounded.open(filter_plan(bench.source)));
  const auto refused = bench.engine->open_bounded(filter_plan(bench.source), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::LimitReached);
  open.pop_back();
  open.push_back(bounded.open(filter_plan(bench.source)));
  bench.engine.reset();
  const BoundedUpdate update = open.front()->take();
  REQUIRE(update.error);
  CHECK(update.error->code == ErrorCode::ShuttingDown);
}

TEST_CASE("rows are sorted as SQL says") {
  auto schema = std::make_shared<columnar::Schema>();
  schema->fields = {{"x", columnar::TypeKind::kDouble, true}, {"n", columnar::TypeKind::kInt, true}};
  columnar::BatchBuilder builder(schema);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::optional<double>> values = {2, nan, std::nullopt, -1, 2, std::nullopt};
  int n = 0;
  for (const auto& value : values) {
    value ? builder.column(0).append<double>(*value) : builder.column(0).append_null();
    builder.column(1).append<int32_t>(n++);
    builder.end_row();
  }
  const columnar::Batch rows = builder.finish();
  const auto order_by = [&](bool descending, bool nulls_first, std::optional<uint64_t> keep) {
    RowSorter sorter({{0, descending, nulls_first}}, keep);
    sorter.add(columnar::slice(rows, 0, 4));
    sorter.add(columnar::slice(rows, 4, 2));
    std::string order;
    sorter.sort();
    while (const auto batch = sorter.next()) {
      for (size_t row = 0; row < batch->rows; ++row) order += std::to_string(batch->columns[1]->integer_at(row));
    }
    return order;
  };
  CHECK(order_by(false, true, std::nullopt) == "253041");
  CHECK(order_by(false, false, std::nullopt) == "304125");
  CHECK(order_by(true, false, std::nullopt) == "104325");
  CHECK(order_by(true, true, 3) == "251");
  CHECK(order_by(false, true, 0).empty());
}

}  // namespace tidegate::engine
