// json_window, json_window_1m, json_window_durable, column_window, hop_3600_1: from readings to per-device averages.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <latch>
#include <memory>

#include "bench/harness.h"
#include "bench/memory_log.h"
#include "bench/workload.h"
#include "columnar/string_pool.h"
#include "crypto/key_ring.h"
#include "engine/engine.h"
#include "engine/late.h"
#include "ingest/ingest.h"
#include "io/clock.h"
#include "io/random.h"
#include "log/embedded_log.h"
#include "sql/sql.h"
#include "store/store.h"

namespace tidegate::bench {
namespace {

constexpr size_t kFlushRows = 8192;

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) {
    fmt::print(stderr, "benchmark: {} failed: {}\n", what, result.error().to_string());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // shared as in the catalog

// The three streams and the query, analysed from their SQL.
class Setup final : public sql::Names {
 public:
  Setup() {
    readings_ = table(kReadingsTable, 1);
    averages_ = table(kAveragesTable, 2);
    dead_letters_ = table(
        "CREATE TABLE readings_dead_letters (`time` TIMESTAMP_LTZ(3), device STRING, topic STRING, code INT, "
        "reason STRING, payload STRING)",
        3);
    late_ = nullptr;
  }

  [[nodiscard]] StreamPtr find_stream(std::string_view name) const override {
    if (name == "readings") return readings_;
    if (name == "averages") return averages_;
    return nullptr;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view) const override {
    return std::nullopt;
  }

  [[nodiscard]] engine::PipelineSpec pipeline(const char* query) {
    auto statement = analyzed(query);
    auto& insert = std::get<sql::InsertInto>(statement);
    catalog::StreamDefinition late;
    late.id = StreamId{4};
    late.name = "averages_late";
    late.schema = engine::late_schema(insert.plan);
    late_ = std::make_shared<const catalog::StreamDefinition>(std::move(late));
    catalog::PipelineDefinition definition{PipelineId{1}, "averages", "averages", query,
                                           catalog::PipelineState::kRunning};
    return {definition, std::move(insert.plan), averages_, late_};
  }
  [[nodiscard]] std::vector<StreamPtr> streams() const { return {readings_, averages_, dead_letters_, late_}; }
  [[nodiscard]] StreamPtr readings() const { return readings_; }
  [[nodiscard]] StreamPtr dead_letters() const { return dead_letters_; }

 private:
  sql::Statement analyzed(const char* text) const {
    sql::ScriptSettings settings;
    return *must(sql::analyze({text, {1, 1}}, *this, settings), "analysing the query");
  }
  StreamPtr table(const char* text, uint32_t id) const {
    auto definition = std::get<sql::CreateTable>(analyzed(text)).definition;
    definition.id = StreamId{id};
    return std::make_shared<const catalog::StreamDefinition>(std::move(definition));
  }

  StreamPtr readings_;
  StreamPtr averages_;
  StreamPtr dead_letters_;
  StreamPtr late_;
};

engine::EngineOptions one_thread() {
  engine::EngineOptions options;
  options.manual = true;
  return options;
}

Sample rate(std::chrono::steady_clock::time_point start, double cpu_before, size_t events) {
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto count = static_cast<double>(events);
  return {"events_per_s", "1/s", count / elapsed, own_cpu_seconds() - cpu_before, count, own_rss_peak_bytes()};
}

// A log with the pipeline on it and a lane into it.
struct Platform {
  Platform(log::Log& the_log, const io::Clock& clock, columnar::StringPool& devices, const char* query = kAveragesQuery)
      : engine(engine::Engine::create(the_log, clock, devices, one_thread())),
        ingest(ingest::Ingest::create(the_log, clock, devices)) {
    auto spec = setup.pipeline(query);
    for (const StreamPtr& stream : setup.streams()) must(the_log.open_stream(stream), "opening a stream");
    must(engine->start(std::move(spec)), "starting the pipeline");
    ingest->add_stream(setup.readings(), setup.dead_letters());
    lane = ingest->open_lane();
  }

  void check_rows(size_t expected) const {
    const uint64_t rows = engine->status().front().rows_in;
    if (rows == expected) return;
    fmt::print(stderr, "benchmark: the pipeline saw {} of {} rows\n", rows, expected);
    std::exit(1);
  }

  Setup setup;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<ingest::Ingest> ingest;
  std::unique_ptr<ingest::Lane> lane;
};

void accept_all(Platform& platform, const Messages& messages, const std::function<void()>& each_flush) {
  const security::Principal service{security::PrincipalKind::kService, "bench", true};
  ingest::Arrival arrival;
  arrival.principal = &service;
  arrival.padded = true;
  const StreamId stream = platform.setup.readings()->id;
  for (size_t at = 0; at < messages.count(); ++at) {
    arrival.payload = messages[at];
    must(platform.lane->accept(stream, arrival), "accepting a reading");
    if (platform.lane->waiting_rows() >= kFlushRows) each_flush();
  }
  each_flush();
}

std::vector<Sample> json_window(const Messages& messages) {
  const io::SystemClock clock;
  columnar::StringPool devices;
  MemoryLog the_log;
  Platform platform(the_log, clock, devices);
  const double cpu_before = own_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  accept_all(platform, messages, [&] {
    platform.lane->flush([](Result<> done) { must(std::move(done), "appending"); });
    must(platform.engine->run_until_idle(), "running the pipeline");
  });
  const Sample sample = rate(start, cpu_before, messages.count());
  platform.check_rows(messages.count());
  return {sample};
}

std::vector<Sample> json_window_durable(const Messages& messages) {
  io::SystemRandom random;
  const io::SystemClock clock;
  columnar::StringPool devices;
  const auto folder = std::filesystem::path("build") / fmt::format("bench-{:016x}", random.next_u64());
  std::filesystem::create_directories(folder);
  Sample sample;
  {
    auto store = must(store::Store::open(folder / "store"), "opening the store");
    auto keys = must(crypto::KeyRing::open(folder / "keys", random), "opening the keys");
    auto the_log = must(log::EmbeddedLog::open(*store, *keys, random, clock, devices, {}), "opening the log");
    Platform platform(*the_log, clock, devices);
    const double cpu_before = own_cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    accept_all(platform, messages, [&] {
      platform.lane->flush([](Result<> done) { must(std::move(done), "appending"); });
      must(platform.engine->run_until_idle(), "running the pipeline");
    });
    std::latch durable(1);
    the_log->append(platform.setup.dead_letters()->id,
                    columnar::BatchBuilder(platform.setup.dead_letters()->schema).finish(),
                    [&durable](Result<>) { durable.count_down(); });
    durable.wait();  // everything before it is durable, too
    must(platform.engine->run_until_idle(), "running the pipeline");
    sample = rate(start, cpu_before, messages.count());
    platform.check_rows(messages.count());
  }
  std::filesystem::remove_all(folder);
  return {sample};
}

std::vector<columnar::Batch> columns_of(const std::vector<Reading>& readings, columnar::StringPool& devices,
                                        const columnar::SchemaPtr& schema) {
  std::vector<columnar::Batch> batches;
  columnar::BatchBuilder builder(schema, 0, &devices);
  for (const Reading& reading : readings) {
    builder.column(0).append(devices.intern(device_name(reading.device))->value);
    builder.column(1).append(reading.time_ms * kMicrosPerMilli);
    builder.column(2).append(reading.value);
    builder.end_row();
    if (builder.rows() == kFlushRows) batches.push_back(builder.finish());
  }
  if (builder.rows() > 0) batches.push_back(builder.finish());
  return batches;
}

std::vector<Sample> column_window(const std::vector<Reading>& readings, const char* query) {
  const io::SystemClock clock;
  columnar::StringPool devices;
  MemoryLog the_log;
  Platform platform(the_log, clock, devices, query);
  const StreamPtr stream = platform.setup.readings();
  const std::vector<columnar::Batch> batches = columns_of(readings, devices, stream->schema);
  const double cpu_before = own_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (const columnar::Batch& batch : batches) {
    the_log.append(stream->id, batch, [](Result<> done) { must(std::move(done), "appending"); });
    must(platform.engine->run_until_idle(), "running the pipeline");
  }
  const Sample sample = rate(start, cpu_before, readings.size());
  platform.check_rows(readings.size());
  return {sample};
}

}  // namespace

std::vector<Case> window_cases() {
  const auto messages = [](size_t count, uint32_t devices) {
    return std::make_shared<const Messages>(make_readings(count, devices));  // shared by the repetitions of a case
  };
  std::vector<Case> cases;
  cases.push_back({"json_window", "76-byte JSON in memory -> decode -> 10 s AVG and COUNT per device, 1,000 devices", 7,
                   [messages, made = std::shared_ptr<const Messages>()]() mutable {
                     if (!made) made = messages(3'000'000, 1000);
                     return json_window(*made);
                   }});
  cases.push_back({"json_window_1m", "the same with a million devices", 3,
                   [messages, made = std::shared_ptr<const Messages>()]() mutable {
                     if (!made) made = messages(4'000'000, 1'000'000);
                     return json_window(*made);
                   }});
  cases.push_back({"json_window_durable", "json_window on the embedded log: sealed, fsynced, epochs committed", 5,
                   [messages, made = std::shared_ptr<const Messages>()]() mutable {
                     if (!made) made = messages(3'000'000, 1000);
                     return json_window_durable(*made);
                   }});
  cases.push_back({"column_window", "the same window from columns in memory", 7, [] {
                     static const std::vector<Reading> kReadings = make_readings(10'000'000, 1000);
                     return column_window(kReadings, kAveragesQuery);
                   }});
  cases.push_back({"hop_3600_1", "hours that slide by a second, from columns in memory, 1,000 devices", 5, [] {
                     static const std::vector<Reading> kReadings = make_readings(8'000'000, 1000);
                     return column_window(kReadings, kSlidingQuery);
                   }});
  return cases;
}

}  // namespace tidegate::bench
