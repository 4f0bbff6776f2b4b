// Plans of several stateful operators and several sources under many settings, with crashes, restarts and failing
// commits: everything that comes out must be what an undisturbed run on one thread gives, each row once.
#include <doctest/doctest.h>

#include "engine/internal/fixture.h"
#include "engine/internal/graph.h"
#include "io/random.h"

namespace tidegate::engine {

namespace {

using columnar::TypeKind;
using NodePtr = std::unique_ptr<sql::PlanNode>;
using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // as in the fixture

NodePtr make(sql::Operation what, columnar::SchemaPtr output, std::vector<NodePtr> inputs, std::string id) {
  auto node = std::make_unique<sql::PlanNode>();
  node->node = std::move(what);
  node->output = std::move(output);
  node->operator_id = std::move(id);
  node->inputs = std::move(inputs);
  return node;
}

// SELECT [device,] window_start, window_end, window_time, COUNT(*), SUM(column) over `input`, whose device is column 0.
NodePtr window(NodePtr input, size_t time_column, size_t summed, int64_t size_s, bool by_device, std::string id) {
  sql::WindowAggregate aggregate;
  aggregate.window = {sql::WindowKind::kTumble, size_s * kSecond, size_s * kSecond, 0};
  aggregate.time_column = time_column;
  if (by_device) aggregate.keys = {0};
  aggregate.keyed_by_device = by_device;
  aggregate.device_column = 0;
  aggregate.has_device_column = true;
  aggregate.aggregates = {{sql::AggregateFunction::kCountStar, 0, TypeKind::kBigint},
                          {sql::AggregateFunction::kSum, summed, TypeKind::kBigint}};
  columnar::Schema schema;
  if (by_device) schema.fields.push_back({"device", TypeKind::kString, true});
  for (const char* name : {"window_start", "window_end", "window_time"}) {
    schema.fields.push_back({name, TypeKind::kTimestampLtz, false});
  }
  schema.fields.push_back({"count", TypeKind::kBigint, false});
  schema.fields.push_back({"sum", TypeKind::kBigint, true});
  std::vector<NodePtr> inputs;
  inputs.push_back(std::move(input));
  return make(std::move(aggregate), std::make_shared<columnar::Schema>(std::move(schema)), std::move(inputs),
              std::move(id));
}

NodePtr scan(const StreamPtr& stream, std::string id) {
  return make(sql::Scan{stream, {0, 1, 2, 3, 4}}, stream->schema, {}, std::move(id));
}

NodePtr both(NodePtr left, NodePtr right) {
  auto schema = left->output;
  std::vector<NodePtr> inputs;
  inputs.push_back(std::move(left));
  inputs.push_back(std::move(right));
  return make(sql::UnionAll{}, std::move(schema), std::move(inputs), "union");
}

// SELECT *, COUNT(*) OVER rows, SUM(summed) OVER range, LAG(summed), ROW_NUMBER() over `input`.
NodePtr over(NodePtr input, size_t time_column, size_t summed, size_t key, std::string id) {
  using enum sql::OverFunction;
  sql::Over made;
  made.time_column = time_column;
  made.keys = {key};
  made.keyed_by_device = key == 0;
  made.device_column = 0;
  made.has_device_column = true;
  made.ttl_us = 20 * kSecond;
  sql::OverCall count{kCountStar};
  count.rows = 3;
  sql::OverCall sum{kSum, summed};
  sum.range_us = 10 * kSecond;
  sql::OverCall lag{kLag, summed};
  lag.rows = 2;
  lag.otherwise = int64_t{-1};
  made.calls = {count, sum, lag, sql::OverCall{}};
  columnar::Schema schema = *input->output;
  for (const char* name : {"count", "sum", "lag", "rn"}) schema.fields.push_back({name, TypeKind::kBigint, true});
  std::vector<NodePtr> inputs;
  inputs.push_back(std::move(input));
  return make(std::move(made), std::make_shared<columnar::Schema>(std::move(schema)), std::move(inputs), std::move(id));
}

// `input` WHERE column > literal.
NodePtr above(NodePtr input, size_t column, TypeKind type, sql::Literal literal) {
  auto call = std::make_unique<sql::Call>();
  call->function = sql::FunctionId::kGreater;
  call->arguments.push_back({type, true, sql::ColumnRef{column, input->output->fields[column].name}});
  call->arguments.push_back({type, false, std::move(literal)});
  auto schema = input->output;
  std::vector<NodePtr> inputs;
  inputs.push_back(std::move(input));
  return make(sql::Filter{{TypeKind::kBoolean, true, std::move(call)}}, std::move(schema), std::move(inputs), "filter");
}

// All devices but three, by the device alone or after a filter that drops nothing.
NodePtr some_devices(const StreamPtr& stream, bool alone) {
  NodePtr input = scan(stream, "a");
  if (!alone) input = above(std::move(input), 3, TypeKind::kBigint, int64_t{-1});
  return above(std::move(input), 0, TypeKind::kString, std::string("d2"));
}

enum class Shape : uint8_t {
  kStacked,
  kSharedOverOwn,
  kUnionOwn,
  kUnionShared,
  kUnionOfWindows,
  kOverOwn,
  kOverShared,
  kOverUnion,
  kOverWindow,
  kDevicesWindow,
  kDevicesOver,
  kRowsWindow,
  kRowsOver,
};

sql::Plan plan_of(Shape shape, const StreamPtr& a, const StreamPtr& b) {
  switch (shape) {
    case Shape::kStacked: return {window(window(scan(a, "a"), 1, 3, 5, true, "w1"), 3, 5, 20, true, "w2")};
    case Shape::kSharedOverOwn: return {window(window(scan(a, "a"), 1, 3, 5, true, "w1"), 3, 5, 20, false, "w2")};
    case Shape::kUnionOwn: return {window(both(scan(a, "a"), scan(b, "b")), 1, 3, 10, true, "w1")};
    case Shape::kUnionShared: return {window(both(scan(a, "a"), scan(b, "b")), 1, 3, 10, false, "w1")};
    case Shape::kOverOwn: return {over(scan(a, "a"), 1, 3, 0, "o1")};
    case Shape::kOverShared: return {over(scan(a, "a"), 1, 3, 4, "o1")};
    case Shape::kOverUnion: return {over(both(scan(a, "a"), scan(b, "b")), 1, 3, 0, "o1")};
    case Shape::kOverWindow: return {over(window(scan(a, "a"), 1, 3, 5, true, "w1"), 3, 5, 0, "o1")};
    case Shape::kDevicesWindow: return {window(some_devices(a, true), 1, 3, 10, true, "w1")};
    case Shape::kDevicesOver: return {over(some_devices(a, true), 1, 3, 0, "o1")};
    case Shape::kRowsWindow: return {window(some_devices(a, false), 1, 3, 10, true, "w1")};
    case Shape::kRowsOver: return {over(some_devices(a, false), 1, 3, 0, "o1")};
    case Shape::kUnionOfWindows:
      return {window(both(window(scan(a, "a"), 1, 3, 5, true, "w1"), window(scan(b, "b"), 1, 3, 10, true, "w2")), 3, 5,
                     20, true, "w3")};
  }
  return {};
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

// A second stream beside the fixture's.
StreamPtr second_stream(const Bench& bench) {
  auto stream = std::make_shared<catalog::StreamDefinition>(*bench.source);
  stream->id = StreamId{9};
  stream->name = "others";
  return stream;
}

Outcome play(Shape shape, const Trouble& trouble, uint64_t seed) {
  auto settings = readings_stream();
  settings->close_after_us = 40 * kSecond;
  settings->idle_timeout_us = 20 * kSecond;
  Bench bench(settings);
  const StreamPtr other = second_stream(bench);
  (void)bench.log.open_stream(other);
  bench.options.threads = trouble.threads;
  bench.options.max_batch_rows = trouble.batch_rows;
  bench.options.clean_stop = false;
  bench.options.snapshot_interval_us = 30 * kSecond;
  bench.log.max_read_rows = trouble.read_rows;
  io::SeededRandom random(seed);
  io::SeededRandom luck(seed + 1);
  int64_t now_us = 0;
  bench.start(plan_of(shape, settings, other));
  for (int push = 0; push < 60; ++push) {
    for (const StreamId stream : {settings->id, other->id}) {
      std::vector<Reading> readings;
      const uint64_t rows = random.below(40);
      for (uint64_t i = 0; i < rows; ++i) {
        now_us += static_cast<int64_t>(random.below(300)) * 1000;
        Reading reading{fmt::format("d{}", random.below(7)), now_us, static_cast<double>(random.below(50))};
        if (random.below(8) == 0) reading.time_us -= static_cast<int64_t>(random.below(30'000)) * 1000;
        readings.push_back(std::move(reading));
      }
      bench.append(readings, stream);
    }
    bench.clock.advance_us(static_cast<int64_t>(random.below(10)) * kSecond);
    if (random.below(10) == 0) bench.clock.advance_us(45 * kSecond);
    bench.run();
    if (!trouble.disturbed || luck.below(3) != 0) continue;
    luck.below(2) == 0 ? bench.kill() : bench.stop();
    bench.options.threads = 1 + static_cast<int>(luck.below(4));
    bench.start(plan_of(shape, settings, other));
  }
  return {sorted(bench.results()), sorted(bench.late_rows())};
}

}  // namespace

TEST_CASE("stacked windows, unions and OVER do not depend on batches, threads, kills and restarts") {
  for (const Shape shape : {Shape::kStacked, Shape::kSharedOverOwn, Shape::kUnionOwn, Shape::kUnionShared,
                            Shape::kUnionOfWindows, Shape::kOverOwn, Shape::kOverShared, Shape::kOverUnion,
                            Shape::kOverWindow, Shape::kDevicesWindow, Shape::kDevicesOver}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(static_cast<int>(shape));
      CAPTURE(seed);
      const Outcome expected = play(shape, {}, seed);
      CHECK(expected.results.size() > 5);
      CHECK(play(shape, {.batch_rows = 1}, seed) == expected);
      CHECK(play(shape, {.threads = 4, .batch_rows = 7, .read_rows = 3}, seed) == expected);
      CHECK(play(shape, {.batch_rows = 16, .read_rows = 5, .disturbed = true}, seed) == expected);
    }
  }
}

TEST_CASE("what drops whole devices runs before their time is looked at, and changes nothing else") {
  const StreamPtr stream = readings_stream();
  const auto filters_of = [&](NodePtr root) {
    auto graph = GraphPlan::build({std::move(root)});
    REQUIRE(graph.has_value());
    return (*graph)->inputs().front().device_filters;
  };
  CHECK(filters_of(window(some_devices(stream, true), 1, 3, 10, true, "w1")) == 1);
  CHECK(filters_of(window(some_devices(stream, false), 1, 3, 10, true, "w1")) == 0);
  CHECK(filters_of(window(some_devices(stream, true), 1, 3, 10, false, "w1")) == 0);
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    CHECK(play(Shape::kDevicesWindow, {}, seed) == play(Shape::kRowsWindow, {}, seed));
    CHECK(play(Shape::kDevicesOver, {}, seed) == play(Shape::kRowsOver, {}, seed));
  }
}

TEST_CASE("each operator of a pipeline stores its state under its own id, and a changed query drops it") {
  Bench bench;
  const StreamPtr other = second_stream(bench);
  (void)bench.log.open_stream(other);
  bench.options.clean_stop = false;
  bench.start(plan_of(Shape::kUnionOfWindows, bench.source, other));
  bench.push({{"x", 1 * kSecond, 1}});
  bench.stop();
  const auto stored = *bench.log.get_state(PipelineId{7}, "snapshot");
  REQUIRE(stored.has_value());
  for (const char* id : {"w1", "w2", "w3"}) CHECK(stored->find(id) != std::string::npos);
  CHECK(!bench.log.scan_state(PipelineId{7}, "page/w1/")->empty());
  bench.start(plan_of(Shape::kStacked, bench.source, other));
  bench.push({{"x", 21 * kSecond, 1}});
  CHECK(bench.results().empty());  // the window that was open is gone, the position is not
  CHECK(bench.status().rows_in == 2);
}

}  // namespace tidegate::engine
