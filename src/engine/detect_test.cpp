// Detections against a reference that goes through all readings again each time, under many settings.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/internal/detector.h"
#include "engine/internal/naive_detect.h"
#include "io/random.h"

namespace tidegate::engine {

namespace {

using columnar::TypeKind;
using NodePtr = std::unique_ptr<sql::PlanNode>;
using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // as in the fixture

// DETECT...(TABLE stream PARTITION BY key, ON => DESCRIPTOR(value)) of the fixture's stream.
sql::Plan plan_of(const StreamPtr& stream, const sql::Detect& rule, size_t key) {
  auto scan = std::make_unique<sql::PlanNode>();
  scan->node = sql::Scan{stream, key == 0 ? std::vector<size_t>{0, 1, 2} : std::vector<size_t>{0, 1, 2, key}};
  columnar::Schema schema;
  for (const size_t column : std::get<sql::Scan>(scan->node).columns) {
    schema.fields.push_back(stream->schema->fields[column]);
  }
  scan->output = std::make_shared<columnar::Schema>(std::move(schema));
  scan->operator_id = "scan";
  sql::Detect detect = rule;
  detect.time_column = 1;
  detect.keys = {key == 0 ? size_t{0} : size_t{3}};
  detect.keyed_by_device = key == 0;
  detect.has_device_column = true;
  auto node = std::make_unique<sql::PlanNode>();
  node->output = std::make_shared<columnar::Schema>(columnar::Schema{{{"key", TypeKind::kString},
                                                                      {"event", TypeKind::kString, false},
                                                                      {"value", TypeKind::kDouble},
                                                                      {"event_time", TypeKind::kTimestampLtz},
                                                                      {"raised_at", TypeKind::kTimestampLtz},
                                                                      {"duration_ms", TypeKind::kBigint}}});
  node->node = std::move(detect);
  node->operator_id = "detect";
  node->inputs.push_back(std::move(scan));
  return {std::move(node)};
}

std::vector<sql::Detect> rules() {
  using enum sql::DetectKind;
  sql::Detect threshold{.kind = kThreshold, .value_column = 2, .above = 40, .clear_below = 30};
  sql::Detect lasting = threshold;
  lasting.for_us = 15 * kSecond;
  sql::Detect band = lasting;
  band.below = 5;
  const sql::Detect change{.kind = kChange,
                           .value_column = 2,
                           .above = 3,
                           .below = -5,
                           .for_us = 20 * kSecond,
                           .per_us = kSecond,
                           .ttl_us = 20 * kSecond};
  const sql::Detect stuck{.kind = kStuck, .value_column = 2, .tolerance = 25, .for_us = 10 * kSecond};
  const sql::Detect missing{.kind = kMissing, .for_us = 9 * kSecond};
  const sql::Detect missing_value{.kind = kMissing, .value_column = 2, .for_us = 20 * kSecond};
  const sql::Detect count{.kind = kCount, .for_us = 10 * kSecond, .times = 4, .ttl_us = 10 * kSecond};
  return {threshold, lasting, band, change, stuck, missing, missing_value, count};
}

struct Trouble {
  int threads = 1;
  size_t batch_rows = 8192;
  size_t read_rows = 1'000'000;
  bool disturbed = false;
};

struct Outcome {
  std::vector<std::string> results;
  std::vector<std::string> late;
  bool operator==(const Outcome&) const = default;
};

std::vector<Reading> some_readings(io::SeededRandom& random, int64_t& now_us) {
  std::vector<Reading> readings;
  const uint64_t rows = random.below(30);
  for (uint64_t i = 0; i < rows; ++i) {
    now_us += static_cast<int64_t>(random.below(600)) * 1000;
    const uint64_t device = random.below(6);
    // Now mostly high, now mostly low.
    const bool high = (now_us / (40 * kSecond) + static_cast<int64_t>(device)) % 2 == 0 && random.below(10) != 0;
    const uint64_t value = high ? 35 + random.below(15) : random.below(45);
    Reading reading{fmt::format("d{}", device), now_us, static_cast<double>(value)};
    if (random.below(8) == 0) reading.time_us -= static_cast<int64_t>(random.below(10'000)) * 1000;
    if (random.below(20) == 0) reading.valued = false;
    if (random.below(40) == 0) reading.timed = false;
    if (random.below(30) == 0) reading.value = std::numeric_limits<double>::quiet_NaN();
    readings.push_back(std::move(reading));
  }
  return readings;
}

// What the engine finds; `naive`, if given, goes through the same.
Outcome play(const sql::Detect& rule, size_t key, const Trouble& trouble, uint64_t seed, NaiveDetect* naive) {
  auto settings = readings_stream();
  settings->idle_timeout_us = 20 * kSecond;
  Bench bench(settings);
  bench.options.threads = trouble.threads;
  bench.options.max_batch_rows = trouble.batch_rows;
  bench.options.clean_stop = false;
  bench.options.snapshot_interval_us = 30 * kSecond;
  bench.log.max_read_rows = trouble.read_rows;
  io::SeededRandom random(seed);
  io::SeededRandom luck(seed + 1);
  int64_t now_us = 0;
  bench.start(plan_of(settings, rule, key));
  for (int push = 0; push < 60; ++push) {
    const std::vector<Reading> readings = some_readings(random, now_us);
    bench.append(readings);
    bench.clock.advance_us(static_cast<int64_t>(random.below(8)) * kSecond);
    if (random.below(10) == 0) bench.clock.advance_us(45 * kSecond);
    bench.run();
    if (naive != nullptr) naive->epoch(readings, bench.clock.now_us() - Bench::kStart);
    if (!trouble.disturbed || luck.below(3) != 0) continue;
    luck.below(2) == 0 ? bench.kill() : bench.stop();
    bench.options.threads = 1 + static_cast<int>(luck.below(4));
    bench.start(plan_of(settings, rule, key));
  }
  return {sorted(bench.results()), sorted(bench.late_rows())};
}

}  // namespace

TEST_CASE("detections find what a reference finds that looks at all readings again") {
  for (const sql::Detect& rule : rules()) {
    size_t total = 0;
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(static_cast<int>(rule.kind));
      CAPTURE(seed);
      const auto stream = readings_stream();
      NaiveDetect naive(*stream, rule);
      const Outcome found = play(rule, 0, {}, seed, &naive);
      total += found.results.size();
      CHECK(found.results == sorted(naive.results));
      CHECK(found.late == sorted(naive.late));
    }
    CHECK(total > 50);
  }
}

TEST_CASE("detections do not depend on batches, threads, kills and restarts") {
  for (const sql::Detect& each : rules()) {
    for (const size_t key : {size_t{0}, size_t{4}}) {
      sql::Detect rule = each;
      if (key != 0) rule.ttl_us = std::max(rule.ttl_us, 100 * kSecond);
      size_t total = 0;
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(static_cast<int>(rule.kind));
        CAPTURE(key);
        CAPTURE(seed);
        const Outcome expected = play(rule, key, {}, seed, nullptr);
        total += expected.results.size();
        CHECK(play(rule, key, {.batch_rows = 1}, seed, nullptr) == expected);
        CHECK(play(rule, key, {.threads = 4, .batch_rows = 7, .read_rows = 3}, seed, nullptr) == expected);
        CHECK(play(rule, key, {.batch_rows = 16, .read_rows = 5, .disturbed = true}, seed, nullptr) == expected);
      }
      CHECK(total > 0);
    }
  }
}

TEST_CASE("while much input is unread no device is taken for silent") {
  Bench bench;
  bench.options.clean_stop = false;
  bench.options.max_epoch_rows = 8;
  const sql::Detect rule{.kind = sql::DetectKind::kMissing, .for_us = 9 * kSecond};
  bench.start(plan_of(bench.source, rule, 0));
  bench.push({{"a", 0, 1}, {"b", 0, 1}});
  bench.kill();
  // What came while it was down; b's readings are the last ones to be read.
  std::vector<Reading> missed;
  for (int64_t second = 1; second <= 40; ++second) missed.push_back({"a", second * kSecond, 1});
  for (int64_t second = 5; second <= 40; second += 5) missed.push_back({"b", second * kSecond, 1});
  for (const Reading& reading : missed) bench.append({reading});
  bench.clock.advance_us(3600 * kSecond);
  bench.start(plan_of(bench.source, rule, 0));
  bench.run();
  CHECK(bench.results().empty());
  bench.kill();
  bench.start(plan_of(bench.source, rule, 0));
  bench.clock.advance_us(20 * kSecond);
  bench.run();
  CHECK(sorted(bench.results()) ==
        std::vector<std::string>{"a|raised|-|49000|49000|9000", "b|raised|-|49000|49000|9000"});
}

TEST_CASE("a detector's bytes are read back, and others are refused") {
  const sql::Detect rule{.kind = sql::DetectKind::kCount, .for_us = 10 * kSecond, .times = 3};
  Detector detector;
  Alerts alerts;
  for (int64_t second = 0; second < 4; ++second) detector.reading(rule, second * kSecond, 0, alerts);
  CHECK(alerts.size() == 1);
  std::string bytes;
  ByteWriter out(bytes);
  detector.write(out);
  for (size_t length = 0; length < bytes.size(); ++length) {
    ByteReader in(std::string_view(bytes).substr(0, length));
    CHECK(!Detector().read(in));
  }
  ByteReader in(bytes);
  Detector copy;
  REQUIRE(copy.read(in));
  CHECK(in.finished());
  Alerts of_copy;
  Alerts of_first;
  copy.pass(rule, 100 * kSecond, of_copy);
  detector.pass(rule, 100 * kSecond, of_first);
  CHECK(of_copy == of_first);
  CHECK(of_copy.size() == 1);
}

TEST_CASE("a partition remembers a bounded number of readings") {
  const sql::Detect rule{.kind = sql::DetectKind::kChange, .above = 1e9, .for_us = int64_t{1} << 40, .per_us = 1};
  Detector detector;
  Alerts alerts;
  for (int64_t at = 0; at < 100'000; ++at) detector.reading(rule, at, 0, alerts);
  CHECK(alerts.empty());
  CHECK(detector.memory_bytes() < 4 * kMaxDetectorReadings * 16);
}

}  // namespace tidegate::engine
