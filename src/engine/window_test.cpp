#include <doctest/doctest.h>

#include "engine/internal/fixture.h"

namespace tidegate::engine {

namespace {
using Lines = std::vector<std::string>;
// device or key, start, end, time (ms), COUNT(*), COUNT, SUM, AVG, MIN, MAX, SUM(n), MAX(kind)
}  // namespace

TEST_CASE("a device's window is emitted once its own watermark has passed it") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 1 * kSecond, 1}, {"a", 9 * kSecond, 4}, {"b", 2 * kSecond, 7}});
  CHECK(bench.results().empty());
  bench.push({{"a", 15 * kSecond - 2000, 1}});  // watermark one millisecond short of the last time of [0, 10 s)
  CHECK(bench.results().empty());
  bench.push({{"a", 15 * kSecond - 1000, 1}});
  CHECK(bench.results() == Lines{"a|0|10000|9999|2|2|5.000000|2.500000|1.000000|4.000000|5|odd"});
  CHECK(bench.late_rows().empty());
}

TEST_CASE("a row of a closed window is late, whatever batch it comes in") {
  for (const size_t batch_rows : {size_t{1}, size_t{8192}}) {
    Bench bench;
    bench.options.max_batch_rows = batch_rows;
    bench.start(Query{});
    bench.push({{"a", 1 * kSecond, 1}, {"a", 16 * kSecond, 2}, {"a", 9 * kSecond, 3}, {"b", 1 * kSecond, 4}});
    CHECK(bench.results() == Lines{"a|0|10000|9999|1|1|1.000000|1.000000|1.000000|1.000000|1|odd"});
    CHECK(bench.late_rows() == Lines{"a|9000|3.000000|3|odd"});
    CHECK(bench.status().late == 1);
  }
}

TEST_CASE("rows without a usable event time go to the late stream") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 0, 1, false}, {"a", int64_t{1} << 62, 2}, {"a", 5 * kSecond, 3}, {"a", 20 * kSecond, 3}});
  CHECK(bench.late_rows().size() == 2);
  CHECK(bench.results().size() == 1);
}

TEST_CASE("NULL arguments are not counted, and a group without values has NULL results") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 1 * kSecond, 0, true, false}, {"b", 1 * kSecond, 2}, {"b", 2 * kSecond, 0, true, false}});
  bench.push({{"a", 20 * kSecond, 1}, {"b", 20 * kSecond, 1}});
  CHECK(sorted(bench.results()) ==
        Lines{"a|0|10000|9999|1|0|-|-|-|-|-|even", "b|0|10000|9999|2|1|2.000000|2.000000|2.000000|2.000000|2|even"});
}

TEST_CASE("a filter before the window still lets filtered rows move the watermark") {
  Bench bench;
  Query query;
  query.positive_only = true;
  bench.start(std::move(query));
  bench.push({{"a", 1 * kSecond, 3}, {"a", 2 * kSecond, -1}, {"a", 15 * kSecond, -1}});
  CHECK(bench.results() == Lines{"a|0|10000|9999|1|1|3.000000|3.000000|3.000000|3.000000|3|odd"});
}

TEST_CASE("HAVING drops results") {
  Bench bench;
  Query query;
  query.having = "COUNT(*) >= 2";
  bench.start(std::move(query));
  bench.push({{"a", 1 * kSecond, 3}, {"b", 2 * kSecond, 1}, {"b", 3 * kSecond, 1}});
  bench.push({{"a", 15 * kSecond, 1}, {"b", 15 * kSecond, 1}});
  CHECK(bench.results().size() == 1);
}

TEST_CASE("a silent device's windows close by the clock after close_after, and stay closed") {
  Bench bench;
  bench.source->close_after_us = 60 * kSecond;
  bench.start(Query{});
  bench.push({{"a", 1 * kSecond, 3}});
  bench.clock.advance_us(59 * kSecond);
  bench.run();
  CHECK(bench.results().empty());
  bench.clock.advance_us(1 * kSecond);
  bench.run();
  CHECK(bench.results().size() == 1);
  bench.push({{"a", 2 * kSecond, 3}, {"a", 11 * kSecond, 3}});
  CHECK(bench.late_rows() == Lines{"a|2000|3.000000|3|odd"});
}

TEST_CASE("overlapping windows: a late row still counts for the windows that are open") {
  for (const size_t batch_rows : {size_t{1}, size_t{8192}}) {
    Bench bench;
    bench.options.max_batch_rows = batch_rows;
    bench.source->watermark_delay_us = 0;
    Query query;
    query.window = {sql::WindowKind::kHop, 10 * kSecond, 5 * kSecond, 0};
    bench.start(std::move(query));
    // 7 s is in [0, 10) and [5, 15); at 12 s the first is closed.
    bench.push({{"a", 1 * kSecond, 1}, {"a", 12 * kSecond, 2}, {"a", 7 * kSecond, 4}, {"a", 30 * kSecond, 8}});
    CHECK(sorted(bench.results()) == Lines{"a|-5000|5000|4999|1|1|1.000000|1.000000|1.000000|1.000000|1|odd",
                                           "a|0|10000|9999|1|1|1.000000|1.000000|1.000000|1.000000|1|odd",
                                           "a|10000|20000|19999|1|1|2.000000|2.000000|2.000000|2.000000|2|even",
                                           "a|5000|15000|14999|2|2|6.000000|3.000000|2.000000|4.000000|6|even"});
    CHECK(bench.late_rows().empty());
  }
}

TEST_CASE("shared windows wait for the slowest device that is not idle") {
  Bench bench;
  Query query;
  query.group_by = GroupBy::kNothing;
  bench.start(std::move(query));
  bench.push({{"a", 1 * kSecond, 1}, {"b", 2 * kSecond, 2}});
  bench.push({{"a", 30 * kSecond, 4}});
  CHECK(bench.results().empty());
  SUBCASE("the slow one catches up") {
    bench.push({{"b", 16 * kSecond, 2}});
    CHECK(bench.results() == Lines{"0|10000|9999|2|2|3.000000|1.500000|1.000000|2.000000|3|odd"});
    bench.push({{"b", 3 * kSecond, 2}});
    CHECK(bench.late_rows().size() == 1);
  }
  SUBCASE("the slow one becomes idle") {
    bench.clock.advance_us(40 * kSecond);
    bench.push({{"a", 31 * kSecond, 4}});
    CHECK(bench.results().empty());
    bench.clock.advance_us(21 * kSecond);
    bench.run();
    CHECK(bench.results() == Lines{"0|10000|9999|2|2|3.000000|1.500000|1.000000|2.000000|3|odd"});
  }
  SUBCASE("all become idle: nothing moves") {
    bench.clock.advance_us(3600 * kSecond);
    bench.run();
    CHECK(bench.results().empty());
  }
}

TEST_CASE("watermark.scope = partition: one watermark for all, moved between epochs") {
  Bench bench;
  bench.source->watermark_scope = catalog::WatermarkScope::kPartition;
  bench.start(Query{});
  bench.push({{"a", 1 * kSecond, 1}, {"b", 30 * kSecond, 2}, {"a", 2 * kSecond, 2}});
  CHECK(bench.results().size() == 1);
  bench.push({{"a", 3 * kSecond, 1}});
  CHECK(bench.late_rows().size() == 1);
}

TEST_CASE("a BIGINT sum that overflows is NULL") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 0, 9e18}, {"a", 1000, 9e18}, {"a", 20 * kSecond, 0}});
  REQUIRE(bench.results().size() == 1);
  CHECK(bench.results().front().find("|-|even") != std::string::npos);
}

TEST_CASE("a stateless pipeline passes rows on and keeps only its position") {
  Bench bench;
  bench.start(filter_plan(bench.source));
  bench.push({{"a", 0, 1}, {"b", 0, -1}, {"c", 0, 3}});
  CHECK(bench.results() == Lines{"a|1.000000", "c|3.000000"});
  bench.kill();
  bench.start(filter_plan(bench.source));
  bench.push({{"d", 0, 1}});
  CHECK(bench.results() == Lines{"a|1.000000", "c|3.000000", "d|1.000000"});
  CHECK(bench.status().rows_in == 4);
  CHECK(bench.status().lag_rows == 0);
}

}  // namespace tidegate::engine
