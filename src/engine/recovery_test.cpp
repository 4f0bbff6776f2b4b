// Random data through the engine under many settings, with crashes, restarts and failing commits, against the naive
// reference: results and late rows must be the same, each exactly once.
#include <doctest/doctest.h>

#include "engine/internal/naive_windows.h"
#include "io/random.h"

namespace tidegate::engine {

namespace {

struct Trouble {
  int threads = 1;
  size_t batch_rows = 8192;
  size_t read_rows = 1'000'000;
  uint64_t kill_one_in = 0;  // 0: never
  uint64_t stop_one_in = 0;
  uint64_t fail_one_in = 0;
  bool change_threads = false;
  size_t spill_bytes = 0;  // 0: state stays in memory
};

std::vector<Reading> random_readings(io::SeededRandom& random, int64_t& now_us) {
  std::vector<Reading> readings;
  const uint64_t rows = random.below(60);
  for (uint64_t i = 0; i < rows; ++i) {
    Reading reading;
    reading.device = fmt::format("d{}", random.below(9));
    now_us += static_cast<int64_t>(random.below(400)) * 1000;
    reading.time_us = now_us;
    const uint64_t luck = random.below(20);
    if (luck < 6) reading.time_us -= static_cast<int64_t>(random.below(15'000)) * 1000;
    if (luck == 7) reading.time_us -= static_cast<int64_t>(random.below(120'000)) * 1000;
    reading.timed = luck != 8;
    reading.valued = luck != 9;
    reading.value = reading.valued ? static_cast<double>(random.below(100)) - 20 : 0;
    readings.push_back(std::move(reading));
  }
  return readings;
}

void restart(Bench& bench, const Query& query, io::SeededRandom& random, const Trouble& trouble, bool clean) {
  if (clean) {
    bench.stop();
  } else {
    bench.kill();
  }
  if (trouble.change_threads) bench.options.threads = 1 + static_cast<int>(random.below(4));
  bench.start(query);
}

void check(const catalog::StreamDefinition& settings, const Query& query, const Trouble& trouble, uint64_t seed) {
  Bench bench(std::make_shared<catalog::StreamDefinition>(settings));
  bench.options.threads = trouble.threads;
  bench.options.max_batch_rows = trouble.batch_rows;
  bench.options.clean_stop = false;
  bench.options.snapshot_interval_us = 30 * kSecond;
  bench.options.spill_state_bytes = trouble.spill_bytes;
  bench.log.max_read_rows = trouble.read_rows;
  NaiveWindows naive(*bench.source, query);
  io::SeededRandom random(seed);
  int64_t now_us = 0;
  bench.start(query);
  for (int push = 0; push < 60; ++push) {
    const auto readings = random_readings(random, now_us);
    bench.clock.advance_us(static_cast<int64_t>(random.below(10)) * kSecond);
    if (random.below(10) == 0) bench.clock.advance_us(45 * kSecond);
    bench.append(readings);
    naive.epoch(readings, bench.clock.now_us());
    if (trouble.fail_one_in != 0 && random.below(trouble.fail_one_in) == 0) {
      bench.log.failing_commits = 1;
      const bool stored = bench.engine->run_until_idle().has_value();
      bench.log.failing_commits = 0;
      // The epoch is computed but not stored. Killed now, it is computed again from the log.
      if (!stored && trouble.kill_one_in != 0) restart(bench, query, random, trouble, false);
    }
    bench.run();
    const auto strikes = [&random](uint64_t one_in) { return one_in != 0 && random.below(one_in) == 0; };
    if (strikes(trouble.kill_one_in)) restart(bench, query, random, trouble, false);
    if (strikes(trouble.stop_one_in)) restart(bench, query, random, trouble, true);
  }
  CHECK(sorted(bench.results()) == sorted(naive.results));
  CHECK(sorted(bench.late_rows()) == sorted(naive.late));
  CHECK(naive.results.size() > 5);
}

std::vector<catalog::StreamDefinition> all_settings() {
  catalog::StreamDefinition by_device = *readings_stream();
  by_device.close_after_us = 40 * kSecond;
  by_device.idle_timeout_us = 20 * kSecond;
  catalog::StreamDefinition by_partition = by_device;
  by_partition.watermark_scope = catalog::WatermarkScope::kPartition;
  return {by_device, by_partition};
}

std::vector<Query> all_queries() {
  std::vector<Query> all;
  for (const GroupBy group_by : {GroupBy::kDevice, GroupBy::kDeviceAndKind, GroupBy::kKind, GroupBy::kNothing}) {
    Query tumble;
    tumble.group_by = group_by;
    Query hop = tumble;
    hop.window = {sql::WindowKind::kHop, 12 * kSecond, 4 * kSecond, 1 * kSecond};
    Query uneven = tumble;
    uneven.window = {sql::WindowKind::kHop, 10 * kSecond, 4 * kSecond, 0};
    uneven.positive_only = true;
    uneven.having = "COUNT(*) >= 2";
    Query every = hop;
    every.every_aggregate = true;
    Query growing = every;
    growing.window = {sql::WindowKind::kCumulate, 30 * kSecond, 5 * kSecond, 2 * kSecond};
    Query sliding = tumble;
    sliding.window = {sql::WindowKind::kHop, 48 * kSecond, 2 * kSecond, 1 * kSecond};
    Query sessions = every;
    // Of all devices together hardly a second passes without a reading.
    const bool by_device = group_by == GroupBy::kDevice || group_by == GroupBy::kDeviceAndKind;
    const int64_t gap_us = by_device ? 6 * kSecond : kSecond / 2;
    sessions.window = {sql::WindowKind::kSession, gap_us, gap_us, 0};
    Query short_sessions = tumble;
    short_sessions.window = {sql::WindowKind::kSession, kSecond / 4, kSecond / 4, 0};
    all.insert(all.end(), {tumble, hop, uneven, every, growing, sliding, sessions, short_sessions});
  }
  return all;
}

void check_all(const Trouble& trouble) {
  uint64_t seed = 1;
  for (const catalog::StreamDefinition& settings : all_settings()) {
    for (const Query& query : all_queries()) {
      CAPTURE(seed);
      CAPTURE(static_cast<int>(query.group_by));
      check(settings, query, trouble, ++seed);
    }
  }
}

}  // namespace

TEST_CASE("results equal the naive reference") { check_all({}); }

TEST_CASE("results do not depend on the size of batches") {
  check_all({.batch_rows = 1});
  check_all({.batch_rows = 7, .read_rows = 5});
}

TEST_CASE("results do not depend on the number of threads") { check_all({.threads = 4, .batch_rows = 16}); }

TEST_CASE("kills, clean stops and failing commits change nothing") {
  check_all({.read_rows = 3, .kill_one_in = 4});
  check_all({.stop_one_in = 4});
  check_all({.fail_one_in = 3});
  check_all({.batch_rows = 5, .kill_one_in = 5, .stop_one_in = 7, .fail_one_in = 3, .change_threads = true});
}

TEST_CASE("state that is spilled after every epoch, and read back, is what it would have been") {
  check_all({.spill_bytes = 1});
  check_all({.threads = 3, .batch_rows = 7, .spill_bytes = 1});
  check_all({.read_rows = 3, .kill_one_in = 4, .spill_bytes = 1});
  check_all({.batch_rows = 5,
             .kill_one_in = 6,
             .stop_one_in = 7,
             .fail_one_in = 3,
             .change_threads = true,
             .spill_bytes = 1});
}

}  // namespace tidegate::engine
