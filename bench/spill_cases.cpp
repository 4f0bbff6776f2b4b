// spill: hours of two million groups, whose state takes half a gigabyte, with 64 MB of memory for it and with as much
// as it likes, on the embedded log.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <latch>
#include <span>
#include <vector>

#include "bench/harness.h"
#include "columnar/string_pool.h"
#include "crypto/key_ring.h"
#include "engine/engine.h"
#include "engine/late.h"
#include "io/clock.h"
#include "io/random.h"
#include "log/embedded_log.h"
#include "sql/sql.h"
#include "store/store.h"

namespace tidegate::bench {
namespace {

constexpr size_t kBatchRows = 8192;
constexpr size_t kBatchesAtOnce = 16;
constexpr size_t kEvents = 8'000'000;
constexpr uint32_t kMeters = 20'000;
constexpr uint32_t kRegisters = 100;
constexpr size_t kLittleMemory = 64U << 20;

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(fmt::format("{} failed: {}", what, result.error().to_string()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // as the catalog shares them

// `group`: "device, register_no" closes by each device's own watermark, "register_no, place" by the shared one.
class Setup final : public sql::Names {
 public:
  explicit Setup(const std::string& group) {
    readings_ = table(
        "CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3), register_no INT, place INT, v DOUBLE, "
        "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('device' = 'device')",
        1);
    hours_ = table("CREATE TABLE hours (n BIGINT, mean DOUBLE, least DOUBLE, greatest DOUBLE)", 2);
    sql_ =
        "INSERT INTO hours SELECT COUNT(*), AVG(v), MIN(v), MAX(v) FROM TABLE(TUMBLE(TABLE readings, "
        "DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY " +
        group + ", window_start, window_end";
    auto insert = std::get<sql::InsertInto>(analyzed(sql_));
    catalog::StreamDefinition late;
    late.id = StreamId{3};
    late.name = "hours_late";
    late.schema = engine::late_schema(insert.plan);
    late_ = std::make_shared<const catalog::StreamDefinition>(std::move(late));
    spec_ = {{PipelineId{1}, "hours", "hours", sql_, catalog::PipelineState::kRunning},
             std::move(insert.plan),
             hours_,
             late_};
  }

  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] StreamPtr find_stream(std::string_view name) const override {
    return name == "readings" ? readings_ : name == "hours" ? hours_ : nullptr;
  }
  [[nodiscard]] std::vector<StreamPtr> streams() const { return {readings_, hours_, late_}; }
  [[nodiscard]] engine::PipelineSpec take_pipeline() { return std::move(spec_); }

 private:
  sql::Statement analyzed(const std::string& text) const {
    sql::ScriptSettings settings;
    return *must(sql::analyze({text, {1, 1}}, *this, settings), "analysing the query");
  }
  StreamPtr table(const std::string& text, uint32_t id) const {
    auto definition = std::get<sql::CreateTable>(analyzed(text)).definition;
    definition.id = StreamId{id};
    return std::make_shared<const catalog::StreamDefinition>(std::move(definition));
  }

  StreamPtr readings_;
  StreamPtr hours_;
  StreamPtr late_;
  std::string sql_;
  engine::PipelineSpec spec_;
};

// An hour of readings, each of a random group, and then one of each meter that closes the hour.
class Readings {
 public:
  Readings(const columnar::SchemaPtr& schema, columnar::StringPool& devices) : schema_(schema), devices_(devices) {
    io::SeededRandom random(1);
    std::vector<bool> seen(size_t{kMeters} * kRegisters);
    for (size_t at = 0; at < kEvents; ++at) {
      const auto meter = static_cast<uint32_t>(random.below(kMeters));
      const auto number = static_cast<uint32_t>(random.below(kRegisters));
      add(meter, number, static_cast<int64_t>(at * 3'600'000 / kEvents), static_cast<double>(random.below(1000)));
      groups_ += seen[meter * kRegisters + number] ? 0 : 1;
      seen[meter * kRegisters + number] = true;
    }
    for (uint32_t meter = 0; meter < kMeters; ++meter) add(meter, 0, 3'606'000, 0);
    if (builder_.rows() > 0) batches_.push_back(builder_.finish());
  }
  [[nodiscard]] const std::vector<columnar::Batch>& batches() const { return batches_; }
  [[nodiscard]] size_t groups() const { return groups_; }

 private:
  void add(uint32_t meter, uint32_t number, int64_t time_ms, double value) {
    builder_.column(0).append(devices_.intern(fmt::format("meter-{:07}", meter))->value);
    builder_.column(1).append((1'699'999'200'000 + time_ms) * kMicrosPerMilli);
    builder_.column(2).append(static_cast<int32_t>(number));
    builder_.column(3).append(static_cast<int32_t>(meter));
    builder_.column(4).append(value);
    builder_.end_row();
    if (builder_.rows() == kBatchRows) batches_.push_back(builder_.finish());
  }

  columnar::SchemaPtr schema_;
  columnar::StringPool& devices_;
  columnar::BatchBuilder builder_{schema_, 0, &devices_};
  std::vector<columnar::Batch> batches_;
  size_t groups_ = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Sample> spill(const std::string& group, size_t memory) {
  static columnar::StringPool devices;
  Setup setup(group);
  const StreamPtr stream = setup.find_stream("readings");
  static const Readings kReadings(stream->schema, devices);
  io::SystemRandom random;
  const io::SystemClock clock;
  const auto folder = std::filesystem::path("build") / fmt::format("bench-{:016x}", random.next_u64());
  std::filesystem::create_directories(folder);
  std::vector<Sample> samples;
  {
    auto store = must(store::Store::open(folder / "store"), "opening the store");
    auto keys = must(crypto::KeyRing::open(folder / "keys", random), "opening the keys");
    auto the_log = must(log::EmbeddedLog::open(*store, *keys, random, clock, devices, {}), "opening the log");
    for (const StreamPtr& one : setup.streams()) must(the_log->open_stream(one), "opening a stream");
    engine::EngineOptions options;
    options.manual = true;
    options.clean_stop = false;
    options.spill_state_bytes = memory;
    const auto engine = engine::Engine::create(*the_log, clock, devices, options);
    must(engine->start(setup.take_pipeline()), "starting the pipeline");
    size_t most = 0;
    uint64_t most_spilled = 0;
    const double cpu_before = own_cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    const std::span all(kReadings.batches());
    for (size_t at = 0; at < all.size(); at += kBatchesAtOnce) {
      const auto batches = all.subspan(at, std::min(kBatchesAtOnce, all.size() - at));
      std::latch durable(static_cast<ptrdiff_t>(batches.size()));
      for (const columnar::Batch& batch : batches) {
        the_log->append(stream->id, batch, [&durable](Result<> done) {
          must(std::move(done), "appending");
          durable.count_down();
        });
      }
      durable.wait();
      must(engine->run_until_idle(), "running the pipeline");
      const engine::PipelineStatus status = engine->status().front();
      most = std::max(most, status.memory_bytes);
      most_spilled = std::max(most_spilled, status.spilled_bytes);
    }
    // Of many devices the shared watermark is worked out from time to time only.
    while (engine->status().front().rows_out < kReadings.groups() && seconds_since(start) < 300) {
      must(engine->run_until_idle(), "running the pipeline");
    }
    const double elapsed = seconds_since(start);
    const double cpu = own_cpu_seconds() - cpu_before;
    const uint64_t results = engine->status().front().rows_out;
    if (results != kReadings.groups()) give_up(fmt::format("{} of {} windows came out", results, kReadings.groups()));
    const auto count = static_cast<double>(kEvents);
    samples = {{"events_per_s", "1/s", count / elapsed, cpu, count, own_rss_peak_bytes()},
               {"state_mb", "MB", static_cast<double>(most) / 1e6, 0, 0, 0},
               {"spilled_mb", "MB", static_cast<double>(most_spilled) / 1e6, 0, 0, 0}};
  }
  std::filesystem::remove_all(folder);
  return samples;
}

}  // namespace

std::vector<Case> spill_cases() {
  const std::string own = "device, register_no";
  const std::string shared = "register_no, place";
  return {{"spill", "2 million groups in hour windows with 64 MB of memory for them, by each device's watermark", 3,
           [own] { return spill(own, kLittleMemory); }},
          {"spill_none", "the same with all memory they like", 3, [own] { return spill(own, 0); }},
          {"spill_shared", "2 million groups in hour windows with 64 MB of memory, by the shared watermark", 3,
           [shared] { return spill(shared, kLittleMemory); }},
          {"spill_shared_none", "the same with all memory they like", 3, [shared] { return spill(shared, 0); }}};
}

}  // namespace tidegate::bench
