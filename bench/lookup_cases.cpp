// lookup_join: readings in columns, each looked up in a table of 1,000 rows and in one of 100,000, both by a text.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <memory>

#include "bench/harness.h"
#include "bench/memory_log.h"
#include "columnar/string_pool.h"
#include "engine/engine.h"
#include "io/clock.h"
#include "io/random.h"
#include "lookup/row_bytes.h"
#include "sql/sql.h"

namespace tidegate::bench {
namespace {

constexpr size_t kBatchRows = 8192;
constexpr size_t kEvents = 4'000'000;
constexpr uint32_t kZones = 1'000;
constexpr uint32_t kMeters = 100'000;

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(fmt::format("{} failed: {}", what, result.error().to_string()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

constexpr const char* kTables[] = {
    "CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), zone STRING, kwh DOUBLE, WATERMARK FOR ts AS "
    "ts) "
    "WITH ('device' = 'device')",
    "CREATE TABLE costs (device STRING, ts TIMESTAMP_LTZ(3), owner STRING, cost DOUBLE)"};
constexpr const char* kLookups[] = {
    "CREATE TABLE tariffs (zone STRING, since TIMESTAMP_LTZ(3), price DOUBLE, PRIMARY KEY (zone) NOT ENFORCED, "
    "WATERMARK FOR since AS since) WITH ('connector' = 'filesystem', 'path' = 'a.csv', 'format' = 'csv')",
    "CREATE TABLE meters (id STRING, owner STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'filesystem', "
    "'path' = 'b.csv', 'format' = 'csv')"};
constexpr const char* kQuery =
    "INSERT INTO costs SELECT r.device, r.ts, m.owner, r.kwh * t.price FROM readings AS r "
    "JOIN tariffs FOR SYSTEM_TIME AS OF r.ts AS t ON r.zone = t.zone "
    "JOIN meters FOR SYSTEM_TIME AS OF r.ts AS m ON r.device = m.id";

// The definitions, shared as in the catalog, and what the tables hold.
class Setup final : public sql::Names, public lookup::TableReader {
 public:
  Setup() {
    for (const char* text : kTables) {
      auto definition = std::get<sql::CreateTable>(analyzed(text)).definition;
      definition.id = StreamId{static_cast<uint32_t>(streams_.size() + 1)};
      const std::string name = definition.name;
      streams_[name] = std::make_shared<const catalog::StreamDefinition>(std::move(definition));
    }
    for (const char* text : kLookups) {
      auto definition = std::get<sql::CreateLookupTable>(analyzed(text)).definition;
      definition.id = catalog::TableId{static_cast<uint32_t>(tables_.size() + 1)};
      const std::string name = definition.name;
      tables_[name] = std::make_shared<const catalog::TableDefinition>(std::move(definition));
    }
    fill_tariffs();
    fill_meters();
  }

  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    const auto found = streams_.find(std::string(name));
    return found == streams_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] catalog::TablePtr find_table(std::string_view name) const override {
    const auto found = tables_.find(std::string(name));
    return found == tables_.end() ? nullptr : found->second;
  }
  [[nodiscard]] lookup::TableVersionPtr current(catalog::TableId table) const override {
    return versions_.at(table.value);
  }
  [[nodiscard]] engine::PipelineSpec pipeline() const {
    auto insert = std::get<sql::InsertInto>(analyzed(kQuery));
    const catalog::PipelineDefinition definition{PipelineId{1}, "costs", "costs", kQuery,
                                                 catalog::PipelineState::kRunning};
    return {definition, std::move(insert.plan), find_stream("costs"), nullptr};
  }

 private:
  [[nodiscard]] sql::Statement analyzed(const char* text) const {
    sql::ScriptSettings settings;
    return *must(sql::analyze({text, {1, 1}}, *this, settings), "analysing the query");
  }
  void put(const catalog::TablePtr& table, columnar::BatchBuilder& rows) {
    const columnar::Batch batch = rows.finish();
    lookup::TableVersion version{
        1, columnar::gather(batch, lookup::key_order(batch, table->key, table->version_column)), 0};
    versions_[table->id.value] = std::make_shared<const lookup::TableVersion>(std::move(version));
  }
  void fill_tariffs() {
    const catalog::TablePtr table = find_table("tariffs");
    columnar::BatchBuilder rows(table->schema);
    for (uint32_t zone = 0; zone < kZones; ++zone) {
      rows.column(0).append_string(fmt::format("zone-{:04}", zone));
      rows.column(1).append<int64_t>(0);
      rows.column(2).append<double>(0.1 + zone);
      rows.end_row();
    }
    put(table, rows);
  }
  void fill_meters() {
    const catalog::TablePtr table = find_table("meters");
    columnar::BatchBuilder rows(table->schema);
    for (uint32_t meter = 0; meter < kMeters; ++meter) {
      rows.column(0).append_string(fmt::format("meter-{:07}", meter));
      rows.column(1).append_string(fmt::format("owner {}", meter));
      rows.end_row();
    }
    put(table, rows);
  }

  std::map<std::string, std::shared_ptr<const catalog::StreamDefinition>> streams_;
  std::map<std::string, catalog::TablePtr> tables_;
  std::map<uint32_t, lookup::TableVersionPtr> versions_;
};

std::vector<columnar::Batch> make_batches(const columnar::SchemaPtr& schema, columnar::StringPool& devices) {
  io::SeededRandom random(1);
  std::vector<columnar::Batch> batches;
  columnar::BatchBuilder builder(schema, 0, &devices);
  for (size_t at = 0; at < kEvents; ++at) {
    builder.column(0).append(devices.intern(fmt::format("meter-{:07}", random.below(kMeters)))->value);
    builder.column(1).append(static_cast<int64_t>(1'700'000'000'000 + at) * kMicrosPerMilli);
    builder.column(2).append_string(fmt::format("zone-{:04}", random.below(kZones)));
    builder.column(3).append(static_cast<double>(random.below(100)));
    builder.end_row();
    if (builder.rows() == kBatchRows || at + 1 == kEvents) batches.push_back(builder.finish());
  }
  return batches;
}

std::vector<Sample> lookup_join() {
  static const Setup kSetup;
  static columnar::StringPool devices;
  const auto readings = kSetup.find_stream("readings");
  static const std::vector<columnar::Batch> kBatches = make_batches(readings->schema, devices);
  const io::SystemClock clock;
  MemoryLog the_log;
  for (const char* name : {"readings", "costs"})
    must(the_log.open_stream(kSetup.find_stream(name)), "opening a stream");
  engine::EngineOptions options;
  options.manual = true;
  options.tables = &kSetup;
  const auto engine = engine::Engine::create(the_log, clock, devices, options);
  must(engine->start(kSetup.pipeline()), "starting the pipeline");
  const double cpu_before = own_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (const columnar::Batch& batch : kBatches) {
    the_log.append(readings->id, batch, [](Result<> done) { must(std::move(done), "appending"); });
    must(engine->run_until_idle(), "running the pipeline");
  }
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = own_cpu_seconds() - cpu_before;
  const uint64_t joined = engine->status().front().rows_out;
  if (joined != kEvents) give_up(fmt::format("{} of {} readings found their rows", joined, kEvents));
  const auto count = static_cast<double>(kEvents);
  return {{"events_per_s", "1/s", count / elapsed, cpu, count, own_rss_peak_bytes()}};
}

}  // namespace

std::vector<Case> lookup_cases() {
  return {{"lookup_join", "columns in memory, joined with 1,000 tariffs as of event time and with 100,000 meters", 5,
           [] { return lookup_join(); }}};
}

}  // namespace tidegate::bench
