#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/internal/epoch_record.h"
#include "engine/internal/fixture.h"

namespace tidegate::engine {

namespace {

size_t count_keys(Bench& bench, std::string_view prefix) { return bench.log.scan_state(PipelineId{7}, prefix)->size(); }

std::vector<Reading> one_each(int64_t time_us, std::initializer_list<const char*> devices) {
  std::vector<Reading> readings;
  for (const char* device : devices) readings.push_back({device, time_us, 1});
  return readings;
}

}  // namespace

TEST_CASE("a corrupted range is skipped, counted and does not stop the pipeline") {
  Bench bench;
  bench.start(filter_plan(bench.source));
  bench.append(one_each(0, {"a", "b", "c"}));
  bench.append(one_each(0, {"d", "e"}));
  bench.log.lose(bench.source->id, 0, 3);
  bench.run();
  CHECK(bench.results() == std::vector<std::string>{"d|1.000000", "e|1.000000"});
  CHECK(bench.status().skipped == 3);
  CHECK(bench.status().lag_rows == 0);
  CHECK(bench.status().state == catalog::PipelineState::kRunning);
}

TEST_CASE("rows that expired before they were read are skipped and counted") {
  Bench bench;
  bench.append(one_each(0, {"a", "b"}));
  bench.start(filter_plan(bench.source));
  bench.log.expire(bench.source->id, 1);
  bench.run();
  CHECK(bench.results() == std::vector<std::string>{"b|1.000000"});
  CHECK(bench.status().skipped == 1);
}

TEST_CASE("a pipeline begins where its definition says, until an epoch of it is stored") {
  Bench bench;
  bench.append(one_each(0, {"a", "b", "c"}));
  bench.starts = {{bench.source->id, Offset{1}}, {StreamId{99}, Offset{7}}};
  bench.start(filter_plan(bench.source));
  bench.kill();  // before its first epoch
  bench.start(filter_plan(bench.source));
  bench.run();
  CHECK(bench.results() == std::vector<std::string>{"b|1.000000", "c|1.000000"});
  bench.kill();
  bench.start(filter_plan(bench.source));
  bench.push(one_each(0, {"d"}));
  CHECK(bench.results() == std::vector<std::string>{"b|1.000000", "c|1.000000", "d|1.000000"});
}

TEST_CASE("a pipeline begins with what is left of the records it was to begin with") {
  Bench bench;
  bench.append(one_each(0, {"a", "b", "c"}));
  bench.starts = {{bench.source->id, Offset{1}}};
  bench.log.expire(bench.source->id, 2);
  bench.start(filter_plan(bench.source));
  bench.run();
  CHECK(bench.results() == std::vector<std::string>{"c|1.000000"});
  CHECK(bench.status().skipped == 0);
  CHECK(bench.status().lag_rows == 0);
}

TEST_CASE("an epoch that cannot be stored is tried again and stored once") {
  Bench bench;
  bench.start(filter_plan(bench.source));
  bench.log.failing_commits = 1;
  bench.append(one_each(0, {"a"}));
  const Result<> result = bench.engine->run_until_idle();
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::DiskFull);
  CHECK(bench.status().error.find("TG4008") != std::string::npos);
  CHECK(bench.status().state == catalog::PipelineState::kRunning);
  CHECK(bench.results().empty());
  bench.run();
  CHECK(bench.results().size() == 1);
  CHECK(bench.status().error.empty());
}

TEST_CASE("epochs leave records; a snapshot replaces them and holds only what changed") {
  Bench bench;
  bench.options.clean_stop = false;
  bench.start(Query{});
  bench.push(one_each(0, {"a", "b", "c", "d"}));
  CHECK(count_keys(bench, kEpochPrefix) == 0);  // the first epoch is stored as a snapshot
  const size_t pages = count_keys(bench, "page/");
  CHECK(pages == 4);
  bench.push(one_each(1 * kSecond, {"a"}));
  bench.push(one_each(2 * kSecond, {"a"}));
  CHECK(count_keys(bench, kEpochPrefix) == 2);
  const auto before = *bench.log.scan_state(PipelineId{7}, "page/");
  bench.clock.advance_us(10 * kSecond);
  bench.push(one_each(3 * kSecond, {"a"}));
  CHECK(count_keys(bench, kEpochPrefix) == 0);
  const auto after = *bench.log.scan_state(PipelineId{7}, "page/");
  REQUIRE(after.size() == pages);
  size_t changed = 0;
  for (size_t at = 0; at < pages; ++at) changed += before[at].value != after[at].value ? 1 : 0;
  CHECK(changed == 1);
}

TEST_CASE("an idle pipeline takes one more snapshot, and then nothing") {
  Bench bench;
  bench.start(Query{});
  bench.push(one_each(0, {"a"}));
  bench.push(one_each(1 * kSecond, {"a"}));
  CHECK(count_keys(bench, kEpochPrefix) == 1);
  bench.clock.advance_us(10 * kSecond);
  bench.run();
  CHECK(count_keys(bench, kEpochPrefix) == 0);
  const uint64_t epochs = bench.status().epochs;
  bench.clock.advance_us(20 * kSecond);
  bench.run();
  CHECK(bench.status().epochs == epochs);
}

TEST_CASE("a changed query goes on where the old one was, with empty windows") {
  Bench bench;
  bench.start(Query{});
  bench.push(one_each(0, {"a"}));
  bench.kill();
  Query other;
  other.operator_id = "window-2";
  bench.start(other);
  bench.push(one_each(20 * kSecond, {"a"}));
  CHECK(bench.results().empty());
  bench.push(one_each(40 * kSecond, {"a"}));
  CHECK(bench.results().size() == 1);
  bench.stop();
  bench.start(other);
  CHECK(count_keys(bench, "page/window-1") == 0);
}

TEST_CASE("damaged state stops the start with an error, not with wrong results") {
  Bench bench;
  bench.start(Query{});
  bench.push(one_each(0, {"a"}));
  bench.stop();
  const auto damage = [](std::map<std::string, std::string>& state) {
    for (auto& [key, value] : state) {
      if (key.starts_with("page/")) value.resize(value.size() / 2);
    }
  };
  bench.log.change_state(PipelineId{7}, damage);
  bench.engine = Engine::create(bench.log, bench.clock, bench.devices, bench.options);
  PipelineSpec spec;
  spec.definition.id = PipelineId{7};
  spec.plan = window_plan(bench.source, Query{});
  const Result<> started = bench.engine->start(std::move(spec));
  REQUIRE(!started);
  CHECK(started.error().code == ErrorCode::StateIncompatible);
}

TEST_CASE("status shows counters, watermark and operators") {
  Bench bench;
  Query query;
  query.positive_only = true;
  bench.start(query);
  bench.push({{"a", 1 * kSecond, 1}, {"a", 2 * kSecond, -1}, {"a", 30 * kSecond, 1}});
  const PipelineStatus status = bench.status();
  CHECK(status.rows_in == 3);
  CHECK(status.rows_out == 1);
  CHECK(status.watermark == Watermark{Bench::kStart + 25 * kSecond});
  CHECK(status.watermark_lag_us == -25 * kSecond);
  CHECK(status.memory_bytes > 0);
  REQUIRE(status.operators.size() == 3);
  CHECK(status.operators[0].kind == "scan");
  CHECK(status.operators[1].rows_out == 2);
  CHECK(status.operators[2].kind == "window");
  CHECK(status.operators[2].rows_out == 1);
}

TEST_CASE("plans the engine cannot run are refused") {
  Bench bench;
  Query query;
  query.window = {sql::WindowKind::kHop, 5 * kSecond, 10 * kSecond, 0};
  auto engine = Engine::create(bench.log, bench.clock, bench.devices, bench.options);
  PipelineSpec spec;
  spec.plan = window_plan(bench.source, query);
  CHECK(engine->start(std::move(spec)).error().code == ErrorCode::SqlInvalidWindow);
  CHECK(engine->start({}).error().code == ErrorCode::BadRequest);
  CHECK(engine->stop(PipelineId{1}).error().code == ErrorCode::NotFound);
}

TEST_CASE("large input is cut into epochs") {
  Bench bench;
  bench.options.max_epoch_rows = 10;
  bench.log.max_read_rows = 4;
  bench.start(filter_plan(bench.source));
  for (int i = 0; i < 12; ++i) bench.append(one_each(0, {"a", "b", "c"}));
  bench.run();
  CHECK(bench.status().epochs > 2);
  CHECK(bench.results().size() == 36);
}

TEST_CASE("a pipeline whose state outgrows its limit stops with an error, and goes on where it was with more") {
  const auto readings_at = [](int64_t time_us) {
    std::vector<Reading> readings;
    for (int device = 0; device < 5000; ++device) readings.push_back({fmt::format("d{}", device), time_us, 1});
    return readings;
  };
  const auto play = [&](Bench& bench, bool with_limit) {
    if (with_limit) bench.options.max_state_bytes = 100'000;
    bench.start(Query{});
    for (int second = 0; second < 4; ++second) bench.push(readings_at(second * kSecond));
    if (!with_limit) return;
    CHECK(bench.status().state == catalog::PipelineState::kFailed);
    CHECK(bench.status().error.find("TG3002 its state takes") == 0);
    CHECK(bench.status().rows_in == 5000);  // the first epoch was stored, nothing after it read
    bench.kill();
    bench.options.max_state_bytes = 0;
    bench.start(Query{});
    bench.run();
  };
  Bench limited;
  Bench free;
  play(limited, true);
  play(free, false);
  for (Bench* bench : {&limited, &free}) bench->push({{"d0", 60 * kSecond, 1}});
  CHECK(limited.results() == free.results());
  CHECK(limited.status().rows_in == 20'001);
}

}  // namespace tidegate::engine
