// stored_window, stored_filter: queries over what the embedded log holds, opened anew so that nothing is in memory.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <latch>
#include <memory>

#include "bench/harness.h"
#include "bench/workload.h"
#include "columnar/string_pool.h"
#include "crypto/key_ring.h"
#include "engine/engine.h"
#include "io/clock.h"
#include "io/random.h"
#include "log/embedded_log.h"
#include "sql/sql.h"
#include "store/store.h"

namespace tidegate::bench {
namespace {

constexpr size_t kRows = 5'000'000;
constexpr size_t kBatchRows = 8192;
constexpr const char* kWindowQuery =
    "SELECT device, window_start, AVG(temperature), COUNT(*) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), "
    "INTERVAL '10' "
    "SECOND)) GROUP BY device, window_start, window_end";
constexpr const char* kFilterQuery =
    "SELECT device, ts, temperature FROM readings WHERE temperature > 34.9 ORDER BY temperature DESC LIMIT 100";

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(fmt::format("{}: {}", what, result.error().to_string()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class Setup final : public sql::Names {
 public:
  Setup() {
    auto statement = analyzed(kReadingsTable);
    auto definition = std::get<sql::CreateTable>(std::move(statement)).definition;
    definition.id = StreamId{1};
    readings_ = std::make_shared<const catalog::StreamDefinition>(std::move(definition));  // shared as in the catalog
  }
  [[nodiscard]] std::shared_ptr<const catalog::StreamDefinition> find_stream(std::string_view name) const override {
    return name == "readings" ? readings_ : nullptr;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] sql::Statement analyzed(const char* text) const {
    sql::ScriptSettings settings;
    return *must(sql::analyze({text, {1, 1}}, *this, settings), "analysing");
  }

 private:
  std::shared_ptr<const catalog::StreamDefinition> readings_;
};

// The readings in a log of their own, below build/; gone with it.
class StoredReadings {
 public:
  StoredReadings()
      : folder_(std::filesystem::path("build") / fmt::format("bench-{:016x}", io::SystemRandom().next_u64())) {
    std::filesystem::create_directories(folder_);
    open();
    write();
    log_.reset();
    store_.reset();
    open();
  }
  ~StoredReadings() {
    log_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  StoredReadings(const StoredReadings&) = delete;
  StoredReadings& operator=(const StoredReadings&) = delete;

  // Rows that came out; all that are stored are read.
  size_t run(const char* query) {
    engine::EngineOptions options;
    options.manual = true;
    const auto engine = engine::Engine::create(*log_, clock_, devices_, options);
    auto statement = setup_.analyzed(query);
    const auto task =
        must(engine->open_bounded(std::move(std::get<sql::Select>(statement).plan), {}), "opening the query");
    size_t rows = 0;
    for (bool ended = false; !ended;) {
      must(engine->run_until_idle(), "running the query");
      const engine::BoundedUpdate update = task->take();
      if (update.error) give_up(update.error->to_string());
      for (const columnar::Batch& batch : update.batches) rows += batch.rows;
      ended = update.ended;
    }
    if (task->progress().rows_read != kRows) give_up("not all of the stored readings were read");
    return rows;
  }

 private:
  void open() {
    store_ = must(store::Store::open(folder_ / "store"), "opening the store");
    if (keys_ == nullptr) keys_ = must(crypto::KeyRing::open(folder_ / "keys", random_), "opening the keys");
    log_ = must(log::EmbeddedLog::open(*store_, *keys_, random_, clock_, devices_, {}), "opening the log");
    must(log_->open_stream(setup_.find_stream("readings")), "opening the stream");
  }
  void write() {
    const auto stream = setup_.find_stream("readings");
    columnar::BatchBuilder builder(stream->schema, 0, &devices_);
    const std::vector<Reading> readings = make_readings(kRows, 1000);
    for (size_t at = 0; at < readings.size(); ++at) {
      builder.column(0).append(devices_.intern(device_name(readings[at].device))->value);
      builder.column(1).append(readings[at].time_ms * kMicrosPerMilli);
      builder.column(2).append(readings[at].value);
      builder.end_row();
      if (builder.rows() < kBatchRows && at + 1 < readings.size()) continue;
      std::latch durable(1);
      log_->append(stream->id, builder.finish(), [&](Result<> done) {
        must(std::move(done), "appending");
        durable.count_down();
      });
      durable.wait();
    }
  }

  Setup setup_;
  io::SystemRandom random_;
  io::SystemClock clock_;
  columnar::StringPool devices_;
  std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
  std::unique_ptr<log::EmbeddedLog> log_;
};

std::vector<Sample> over_stored(StoredReadings& stored, const char* query, bool some) {
  const double cpu_before = own_cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  const size_t rows = stored.run(query);
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = own_cpu_seconds() - cpu_before;
  if (some != (rows > 0)) give_up(fmt::format("{} rows came out", rows));
  const auto count = static_cast<double>(kRows);
  return {{"rows_per_s", "1/s", count / elapsed, cpu, count, own_rss_peak_bytes()}};
}

}  // namespace

std::vector<Case> query_cases() {
  const auto on_log = [](const char* query) {
    return [query, stored = std::shared_ptr<StoredReadings>()]() mutable {  // shared by the repetitions of a case
      if (stored == nullptr) stored = std::make_shared<StoredReadings>();
      return over_stored(*stored, query, true);
    };
  };
  return {{"stored_window", "a SELECT over 5 million stored readings: 10 s AVG and COUNT per device, 1,000 devices", 5,
           on_log(kWindowQuery)},
          {"stored_filter", "a SELECT over 5 million stored readings: those that a condition leaves, sorted", 5,
           on_log(kFilterQuery)}};
}

}  // namespace tidegate::bench
