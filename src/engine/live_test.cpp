#include <doctest/doctest.h>

#include "engine/internal/fixture.h"

namespace tidegate::engine {

namespace {

struct Live {
  explicit Live(Bench& the_bench) : bench(the_bench) {
    bench.engine = Engine::create(bench.log, bench.clock, bench.devices, bench.options);
  }
  std::unique_ptr<LiveQuery> open(LiveOptions options) {
    auto opened = bench.engine->open_live(filter_plan(bench.source), std::move(options));
    REQUIRE(opened);
    return std::move(*opened);
  }
  static std::vector<std::string> lines(const LiveUpdate& update) {
    std::vector<std::string> all;
    for (const columnar::Batch& batch : update.batches) {
      for (std::string& line : to_lines(batch)) all.push_back(std::move(line));
    }
    return all;
  }
  Bench& bench;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a live query sees what comes after it was opened, and says when there is something") {
  Bench bench;
  Live live(bench);
  bench.append({{"a", 0, 1}});
  int ready = 0;
  LiveOptions options;
  options.on_ready = [&ready] { ++ready; };
  const auto query = live.open(std::move(options));
  bench.push({{"b", 0, 2}, {"c", 0, -2}});
  CHECK(ready == 1);
  CHECK(Live::lines(query->take()) == Lines{"b|2.000000"});
  CHECK(query->take().batches.empty());
  CHECK(query->schema()->fields.size() == 2);
}

TEST_CASE("what a slow reader's queue cannot hold is counted, and then it goes on") {
  Bench bench;
  Live live(bench);
  LiveOptions options;
  options.max_queued_rows = 3;
  const auto query = live.open(std::move(options));
  bench.push({{"a", 0, 1}, {"b", 0, 2}});
  bench.push({{"c", 0, 3}, {"d", 0, 4}, {"e", 0, 5}});
  const LiveUpdate update = query->take();
  CHECK(Live::lines(update) == Lines{"a|1.000000", "b|2.000000", "c|3.000000"});
  CHECK(update.missed_rows == 2);
  bench.push({{"f", 0, 6}});
  const LiveUpdate next = query->take();
  CHECK(Live::lines(next) == Lines{"f|6.000000"});
  CHECK(next.missed_rows == 0);
}

TEST_CASE("from the start: history waits for the reader") {
  Bench bench;
  Live live(bench);
  for (int i = 1; i <= 4; ++i) bench.append({{"a", 0, double(i)}, {"b", 0, double(i)}});
  bench.log.max_read_rows = 2;
  LiveOptions options;
  options.starts = {{bench.source->id, Offset{0}}};
  options.max_queued_rows = 100;
  const auto query = live.open(std::move(options));
  bench.run();
  CHECK(Live::lines(query->take()).size() == 8);
  CHECK(query->take().missed_rows == 0);
}

TEST_CASE("from the start: what is read at once is not more than the reader gets") {
  Bench bench;
  Live live(bench);
  bench.append({{"a", 0, 1}, {"b", 0, 2}, {"c", 0, 3}, {"d", 0, 4}});
  bench.append({{"e", 0, 5}});
  LiveOptions options;
  options.starts = {{bench.source->id, Offset{1}}};
  options.max_queued_rows = 2;
  const auto query = live.open(std::move(options));
  Lines lines;
  uint64_t missed = 0;
  for (int turn = 0; turn < 3; ++turn) {
    bench.run();
    const LiveUpdate update = query->take();
    missed += update.missed_rows;
    for (std::string& line : Live::lines(update)) lines.push_back(std::move(line));
  }
  CHECK(lines == Lines{"b|2.000000", "c|3.000000", "d|4.000000", "e|5.000000"});
  CHECK(missed == 0);
}

TEST_CASE("windows in live queries") {
  Bench bench;
  Live live(bench);
  auto query = bench.engine->open_live(window_plan(bench.source, Query{}), {});
  REQUIRE(query);
  bench.push({{"a", 0, 1}, {"a", 15 * kSecond, 1}});
  CHECK(Live::lines((*query)->take()).size() == 1);
}

TEST_CASE("an engine that stops ends its live queries; their readers may stay") {
  Bench bench;
  Live live(bench);
  const auto query = live.open({});
  bench.engine.reset();
  const LiveUpdate update = query->take();
  CHECK(update.ended);
  CHECK(!update.error.empty());
}

TEST_CASE("live queries are limited, and closing one makes room") {
  Bench bench;
  Live live(bench);
  std::vector<std::unique_ptr<LiveQuery>> open;
  for (int i = 0; i < 256; ++i) open.push_back(live.open({}));
  CHECK(bench.engine->open_live(filter_plan(bench.source), {}).error().code == ErrorCode::LimitReached);
  open.pop_back();
  CHECK(bench.engine->open_live(filter_plan(bench.source), {}).has_value());
}

}  // namespace tidegate::engine
