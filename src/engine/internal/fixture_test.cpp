#include "engine/internal/fixture.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace tidegate::engine {

using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;

// Shared as a PipelineSpec shares it with the catalog.
std::shared_ptr<catalog::StreamDefinition> readings_stream() {
  auto stream = std::make_shared<catalog::StreamDefinition>();
  stream->id = StreamId{1};
  stream->name = "readings";
  stream->schema = std::make_shared<Schema>(Schema{{{"device", TypeKind::kString, true},
                                                    {"ts", TypeKind::kTimestampLtz, true},
                                                    {"value", TypeKind::kDouble, true},
                                                    {"n", TypeKind::kBigint, true},
                                                    {"kind", TypeKind::kString, true}}});
  stream->time_column = 1;
  stream->device_column = 0;
  stream->watermark_delay_us = 5 * kSecond;
  return stream;
}

namespace {

sql::Expression column(size_t index, TypeKind type) { return {type, true, sql::ColumnRef{index, ""}}; }

sql::Expression compare(sql::FunctionId function, sql::Expression left, sql::Literal right) {
  auto call = std::make_unique<sql::Call>();
  call->function = function;
  const TypeKind type = left.type;
  call->arguments.push_back(std::move(left));
  call->arguments.push_back({type, false, std::move(right)});
  return {TypeKind::kBoolean, true, std::move(call)};
}

std::unique_ptr<sql::PlanNode> node(sql::Operation what, columnar::SchemaPtr output,
                                    std::unique_ptr<sql::PlanNode> input, std::string id) {
  auto made = std::make_unique<sql::PlanNode>();
  made->node = std::move(what);
  made->output = std::move(output);
  made->operator_id = std::move(id);
  if (input != nullptr) made->inputs.push_back(std::move(input));
  return made;
}

std::vector<size_t> key_columns(GroupBy group_by) {
  switch (group_by) {
    case GroupBy::kDevice: return {0};
    case GroupBy::kDeviceAndKind: return {0, 4};
    case GroupBy::kKind: return {4};
    case GroupBy::kNothing: return {};
  }
  return {};
}

std::vector<sql::Aggregate> aggregates_of(const Query& query) {
  using enum sql::AggregateFunction;
  std::vector<sql::Aggregate> all = {{kCountStar, 0, TypeKind::kBigint}, {kCount, 2, TypeKind::kBigint},
                                     {kSum, 2, TypeKind::kDouble},       {kAvg, 2, TypeKind::kDouble},
                                     {kMin, 2, TypeKind::kDouble},       {kMax, 2, TypeKind::kDouble},
                                     {kSum, 3, TypeKind::kBigint},       {kMax, 4, TypeKind::kString}};
  if (!query.every_aggregate) return all;
  const TypeKind number = TypeKind::kDouble;
  all.push_back({.function = kCount, .argument = 2, .distinct = true});
  all.push_back({.function = kCount, .argument = 4, .distinct = true});
  all.push_back({.function = kSum, .argument = 3, .distinct = true});
  all.push_back({kVarPop, 2, number});
  all.push_back({kStddevSamp, 3, number});
  all.push_back({kFirstValue, 2, number});
  all.push_back({kLastValue, 4, TypeKind::kString});
  all.push_back({.function = kApproxPercentile, .argument = 2, .type = number, .parameter = 0.9});
  all.push_back({kTimeWeightedAvg, 2, number});
  all.push_back({.function = kCounterDelta, .argument = 2, .type = number, .parameter = 100, .meter = 4});
  all.push_back({.function = kCoverage, .argument = 1, .type = number, .interval_us = kSecond});
  return all;
}

columnar::SchemaPtr window_schema(const Schema& input, const std::vector<size_t>& keys,
                                  const std::vector<sql::Aggregate>& aggregates) {
  auto schema = std::make_shared<Schema>();
  for (const size_t key : keys) schema->fields.push_back(input.fields[key]);
  for (const char* name : {"window_start", "window_end", "window_time"}) {
    schema->fields.push_back({name, TypeKind::kTimestampLtz, false});
  }
  for (const sql::Aggregate& aggregate : aggregates) schema->fields.push_back({"a", aggregate.type, true});
  return schema;
}

std::unique_ptr<sql::PlanNode> scan(const std::shared_ptr<const catalog::StreamDefinition>& stream) {
  return node(sql::Scan{stream, {0, 1, 2, 3, 4}}, stream->schema, nullptr, "scan");
}

std::unique_ptr<sql::PlanNode> filter(std::unique_ptr<sql::PlanNode> input, sql::Expression predicate) {
  auto schema = input->output;
  return node(sql::Filter{std::move(predicate)}, schema, std::move(input), "filter");
}

std::string value_text(const columnar::Column& column, size_t row) {
  if (!column.valid(row)) return "-";
  if (column.type == TypeKind::kString) return std::string(column.string_at(row));
  if (column.type == TypeKind::kDouble) return fmt::format("{:.6f}", column.values<double>()[row]);
  const int64_t value = column.integer_at(row);
  return fmt::format("{}", columnar::is_timestamp(column.type) ? (value - Bench::kStart) / 1000 : value);
}

}  // namespace

sql::Plan window_plan(std::shared_ptr<const catalog::StreamDefinition> stream, const Query& query) {
  auto root = scan(stream);
  if (query.positive_only) {
    root = filter(std::move(root), compare(sql::FunctionId::kGreater, column(2, TypeKind::kDouble), 0.0));
  }
  sql::WindowAggregate window;
  window.window = query.window;
  window.time_column = 1;
  window.keys = key_columns(query.group_by);
  window.aggregates = aggregates_of(query);
  window.keyed_by_device = query.group_by == GroupBy::kDevice || query.group_by == GroupBy::kDeviceAndKind;
  window.device_column = 0;
  window.has_device_column = stream->device_column.has_value();
  const size_t count_column = window.keys.size() + 3;
  auto schema = window_schema(*root->output, window.keys, window.aggregates);
  root = node(std::move(window), std::move(schema), std::move(root), query.operator_id);
  if (!query.having.empty()) {
    root = filter(std::move(root),
                  compare(sql::FunctionId::kGreaterOrEqual, column(count_column, TypeKind::kBigint), int64_t{2}));
  }
  return {std::move(root)};
}

sql::Plan filter_plan(std::shared_ptr<const catalog::StreamDefinition> stream) {
  auto root = filter(scan(stream), compare(sql::FunctionId::kGreater, column(2, TypeKind::kDouble), 0.0));
  sql::Project project;
  project.expressions.push_back(column(0, TypeKind::kString));
  project.expressions.push_back(column(2, TypeKind::kDouble));
  auto schema =
      std::make_shared<Schema>(Schema{{{"device", TypeKind::kString, true}, {"value", TypeKind::kDouble, true}}});
  return {node(std::move(project), std::move(schema), std::move(root), "project")};
}

std::vector<std::string> to_lines(const columnar::Batch& batch) {
  std::vector<std::string> lines(batch.rows);
  for (size_t row = 0; row < batch.rows; ++row) {
    for (const columnar::ColumnPtr& values : batch.columns) {
      lines[row] += (values == batch.columns.front() ? "" : "|") + value_text(*values, row);
    }
  }
  return lines;
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::ranges::sort(lines);
  return lines;
}

Bench::Bench() : Bench(readings_stream()) {}

Bench::Bench(std::shared_ptr<catalog::StreamDefinition> stream) : source(std::move(stream)) {
  options.manual = true;
  (void)log.open_stream(source);
}

void Bench::start(sql::Plan plan) {
  target = std::make_shared<catalog::StreamDefinition>();
  target->id = StreamId{2};
  target->name = "results";
  target->schema = plan.root->output;
  PipelineSpec spec;
  spec.definition.id = PipelineId{7};
  spec.definition.name = "test";
  spec.definition.starts = starts;
  if (const columnar::SchemaPtr schema = late_schema(plan); schema != nullptr) {
    late = std::make_shared<catalog::StreamDefinition>();
    late->id = StreamId{3};
    late->name = "late";
    late->schema = schema;
    (void)log.open_stream(late);
  }
  (void)log.open_stream(target);
  spec.target = target;
  spec.late = late;
  spec.plan = std::move(plan);
  engine = Engine::create(log, clock, devices, options);
  const Result<> started = engine->start(std::move(spec));
  if (!started) FAIL(started.error().to_string());
}

void Bench::run() {
  const Result<> result = engine->run_until_idle();
  if (!result) FAIL(result.error().to_string());
}

void Bench::kill() {
  engine.reset();  // options.clean_stop is false for those that kill
}

void Bench::stop() {
  REQUIRE(engine->stop(PipelineId{7}).has_value());
  engine.reset();
}

void Bench::append(const std::vector<Reading>& readings, StreamId stream) {
  columnar::BatchBuilder rows(source->schema, source->device_column, &devices);
  for (const Reading& reading : readings) {
    if (rows.column(0).is_dictionary()) {
      rows.column(0).append<uint32_t>(devices.intern(reading.device)->value);
    } else {
      rows.column(0).append_string(reading.device);
    }
    if (reading.timed) {
      rows.column(1).append<int64_t>(kStart + reading.time_us);
    } else {
      rows.column(1).append_null();
    }
    if (reading.valued) {
      rows.column(2).append<double>(reading.value);
      rows.column(3).append<int64_t>(static_cast<int64_t>(reading.value));
    } else {
      rows.column(2).append_null();
      rows.column(3).append_null();
    }
    rows.column(4).append_string(static_cast<int64_t>(reading.value) % 2 == 0 ? "even" : "odd");
    rows.end_row();
  }
  log.append(stream, rows.finish(), [](Result<>) {});
}

std::vector<std::string> Bench::lines_of(StreamId stream) const {
  std::vector<std::string> all;
  for (const columnar::Batch& batch : log.rows_of(stream)) {
    for (std::string& line : to_lines(batch)) all.push_back(std::move(line));
  }
  return all;
}

}  // namespace tidegate::engine
