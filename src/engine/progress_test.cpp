#include <doctest/doctest.h>

#include <algorithm>

#include "engine/internal/fixture.h"

namespace tidegate::engine {

namespace {

constexpr int64_t kMinute = 60 * kSecond;

std::vector<WaitReason> reasons(const PipelineStatus& status) {
  std::vector<WaitReason> all;
  for (const Wait& wait : status.waits) all.push_back(wait.reason);
  return all;
}

Query by_kind() {
  Query query;
  query.group_by = GroupBy::kKind;
  return query;
}

using Reasons = std::vector<WaitReason>;

}  // namespace

TEST_CASE("a pipeline whose records come waits for nothing") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 1 * kSecond, 1}, {"b", 2 * kSecond, 1}});
  CHECK(bench.status().waits.empty());
}

TEST_CASE("a silent source is named, from the pipeline's start on and since its last record") {
  Bench bench;
  bench.start(filter_plan(bench.source));
  bench.clock.advance_us(bench.source->idle_timeout_us);
  CHECK(bench.status().waits.empty());
  bench.clock.advance_us(1);
  CHECK(reasons(bench.status()) == Reasons{WaitReason::kSourceSilent});
  CHECK(bench.status().waits.front().since_us == Bench::kStart);
  bench.push({{"a", 0, 1}});
  CHECK(bench.status().waits.empty());
  const int64_t last_us = bench.clock.now_us();
  bench.clock.advance_us(2 * bench.source->idle_timeout_us);
  REQUIRE(reasons(bench.status()) == Reasons{WaitReason::kSourceSilent});
  CHECK(bench.status().waits.front().stream == "readings");
  CHECK(bench.status().waits.front().since_us == last_us);
}

TEST_CASE("a device that is behind holds windows over all devices, until it has been silent for long enough") {
  Bench bench;
  bench.start(by_kind());
  bench.push({{"a", 10 * kMinute, 1}, {"slow", 1 * kMinute, 1}});
  const PipelineStatus status = bench.status();
  REQUIRE(reasons(status) == Reasons{WaitReason::kWatermarkHeld});
  CHECK(status.waits.front().device == "slow");
  CHECK(status.waits.front().behind_us == 9 * kMinute);
  CHECK(status.waits.front().until_us == Bench::kStart + bench.source->idle_timeout_us);
  bench.clock.advance_us(bench.source->idle_timeout_us + 1);
  bench.push({{"a", 11 * kMinute, 1}});
  CHECK(bench.status().waits.empty());
  bench.push({{"a", 12 * kMinute, 1}, {"slow", 12 * kMinute - kMinute + 1, 1}});
  CHECK(bench.status().waits.empty());  // not quite a minute
}

TEST_CASE("grouped by the device, nobody holds anybody") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 10 * kMinute, 1}, {"slow", 1 * kMinute, 1}});
  CHECK(bench.status().waits.empty());
}

TEST_CASE("open windows of a silent device wait for it or for the clock") {
  Bench bench;
  bench.start(Query{});
  bench.push({{"a", 1 * kSecond, 1}, {"gone", 1 * kSecond, 1}});
  const int64_t last_us = bench.clock.now_us();
  bench.clock.advance_us(bench.source->idle_timeout_us + 1);
  bench.push({{"a", 2 * kSecond, 1}});
  const PipelineStatus status = bench.status();
  REQUIRE(reasons(status) == Reasons{WaitReason::kDeviceSilent});
  CHECK(status.waits.front().device == "gone");
  CHECK(status.waits.front().since_us == last_us);
  CHECK(status.waits.front().until_us == last_us + bench.source->close_after_us);
  bench.clock.advance_us(bench.source->close_after_us);
  bench.run();
  bench.push({{"a", 3 * kSecond, 1}});
  const auto waits = bench.status().waits;
  CHECK(std::ranges::none_of(waits, [](const Wait& wait) { return wait.device == "gone"; }));
}

TEST_CASE("more input than one epoch takes is said in rows") {
  Bench bench;
  bench.options.max_epoch_rows = 2;
  bench.start(filter_plan(bench.source));
  bench.append({{"a", 0, 1}, {"a", 0, 2}, {"a", 0, 3}});
  REQUIRE(reasons(bench.status()) == Reasons{WaitReason::kBehind});
  CHECK(bench.status().waits.front().rows == 3);
  bench.run();
  CHECK(bench.status().waits.empty());
}

TEST_CASE("with many devices, who holds is looked for now and then") {
  Bench bench;
  bench.start(by_kind());
  std::vector<Reading> readings{{"slow", 1 * kMinute, 1}};
  for (int device = 0; device < 5000; ++device) readings.push_back({fmt::format("d{}", device), 10 * kMinute, 1});
  bench.push(readings);
  CHECK(reasons(bench.status()) == Reasons{WaitReason::kWatermarkHeld});
  bench.push({{"slow", 10 * kMinute, 1}});
  CHECK(reasons(bench.status()) == Reasons{WaitReason::kWatermarkHeld});
  bench.clock.advance_us(3 * kSecond);
  bench.push({{"a", 10 * kMinute, 1}});
  CHECK(bench.status().waits.empty());
}

}  // namespace tidegate::engine
