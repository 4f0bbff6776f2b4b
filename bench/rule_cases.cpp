// rules_1000: a thousand rules, each a pipeline of its own, over one stream.
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <latch>
#include <memory>
#include <utility>

#include "bench/harness.h"
#include "bench/workload.h"
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

constexpr size_t kRules = 1000;
constexpr size_t kAppendRows = 8192;
constexpr size_t kAppendsPerTurn = 4;  // what gathers while a turn of all rules goes on

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(fmt::format("{} failed: {}", what, result.error().to_string()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // shared as in the catalog

// Everything on one core: the engine, the log's commits and what feeds them.
void stay_on_one_core() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0) give_up("the process cannot be kept on one core");
}

// The readings, and the stream that all alerts go to.
class Streams final : public sql::Names {
 public:
  Streams()
      : readings(table(kReadingsTable, 1)),
        alerts(
            table("CREATE TABLE alerts (device STRING, event STRING, `value` DOUBLE, at_time TIMESTAMP_LTZ(3))", 2)) {}

  [[nodiscard]] StreamPtr find_stream(std::string_view name) const override {
    return name == "readings" ? readings : name == "alerts" ? alerts : nullptr;
  }
  [[nodiscard]] std::optional<catalog::ViewDefinition> find_view(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] sql::Statement analyzed(const std::string& text) const {
    sql::ScriptSettings settings;
    return *must(sql::analyze({text, {1, 1}}, *this, settings), "analysing a statement");
  }

 private:
  [[nodiscard]] StreamPtr table(const std::string& text, uint32_t id) const {
    auto definition = std::get<sql::CreateTable>(analyzed(text)).definition;
    definition.id = StreamId{id};
    return std::make_shared<const catalog::StreamDefinition>(std::move(definition));
  }

 public:
  const StreamPtr readings;
  const StreamPtr alerts;
};

// The workload's values are from 15 to 34.99: each rule has a limit of its own near the top, so that alerts are rare.
std::string rule_text(size_t rule, bool one_device) {
  const std::string table =
      one_device ? fmt::format("(SELECT * FROM readings WHERE device = '{}')", device_name(static_cast<uint32_t>(rule)))
                 : std::string("readings");
  return fmt::format(
      "INSERT INTO alerts SELECT device, event, `value`, event_time FROM TABLE(DETECT_THRESHOLD(TABLE {} PARTITION BY "
      "device, ON => DESCRIPTOR(temperature), ABOVE => {}, CLEAR_BELOW => 30))",
      table, 34.9 + 0.00009 * static_cast<double>(rule));
}

engine::PipelineSpec rule_spec(const Streams& streams, log::Log& the_log, size_t rule, bool one_device) {
  const std::string text = rule_text(rule, one_device);
  auto statement = streams.analyzed(text);
  auto& insert = std::get<sql::InsertInto>(statement);
  const auto number = static_cast<uint32_t>(rule);
  auto late = std::make_shared<catalog::StreamDefinition>();
  late->id = StreamId{10 + number};
  late->name = fmt::format("rule_{}_late", rule);
  late->schema = engine::late_schema(insert.plan);
  must(the_log.open_stream(late), "opening a late stream");
  return {{PipelineId{1 + number}, fmt::format("rule_{}", rule), "alerts", text, catalog::PipelineState::kRunning},
          std::move(insert.plan),
          streams.alerts,
          std::move(late)};
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
    if (builder.rows() == kAppendRows) batches.push_back(builder.finish());
  }
  if (builder.rows() > 0) batches.push_back(builder.finish());
  return batches;
}

// On the real log: appended, committed, read by all rules, their epochs committed. A turn of the rules after every
// few appends, as when the engine is busy while rows come in. The first turn, in which rules make their keys and first
// snapshots, is not counted.
Sample feed(log::Log& the_log, engine::Engine& engine, const Streams& streams,
            const std::vector<columnar::Batch>& batches, size_t events) {
  double cpu_before = 0;
  auto start = std::chrono::steady_clock::now();
  for (size_t at = 0; at < batches.size(); at += kAppendsPerTurn) {
    const size_t last = std::min(at + kAppendsPerTurn, batches.size());
    std::latch durable(static_cast<std::ptrdiff_t>(last - at));
    for (size_t each = at; each < last; ++each) {
      the_log.append(streams.readings->id, batches[each], [&durable](Result<> done) {
        must(std::move(done), "appending");
        durable.count_down();
      });
    }
    durable.wait();
    must(engine.run_until_idle(), "running the rules");
    if (at > 0) continue;
    cpu_before = own_cpu_seconds();
    start = std::chrono::steady_clock::now();
  }
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const engine::PipelineStatus& status : engine.status()) {
    if (status.rows_in != events) give_up(fmt::format("{} saw {} of {} rows", status.name, status.rows_in, events));
  }
  const auto count = static_cast<double>(events - kAppendsPerTurn * kAppendRows);
  return {"events_per_s", "1/s", count / elapsed, own_cpu_seconds() - cpu_before, count, own_rss_peak_bytes()};
}

std::vector<Sample> run_rules(const std::vector<Reading>& readings, bool one_device) {
  stay_on_one_core();
  io::SystemRandom random;
  const io::SystemClock clock;
  columnar::StringPool devices;
  const auto folder = std::filesystem::path("build") / fmt::format("bench-{:016x}", random.next_u64());
  std::filesystem::create_directories(folder);
  std::vector<Sample> samples;
  {
    auto store = must(store::Store::open(folder / "store"), "opening the store");
    auto keys = must(crypto::KeyRing::open(folder / "keys", random), "opening the keys");
    auto the_log = must(log::EmbeddedLog::open(*store, *keys, random, clock, devices, {}), "opening the log");
    const Streams streams;
    for (const StreamPtr& stream : {streams.readings, streams.alerts}) {
      must(the_log->open_stream(stream), "opening a stream");
    }
    const std::vector<columnar::Batch> batches = columns_of(readings, devices, streams.readings->schema);
    engine::EngineOptions options;
    options.manual = true;
    auto engine = engine::Engine::create(*the_log, clock, devices, options);
    const uint64_t before = rss_bytes_of(getpid());
    for (size_t rule = 0; rule < kRules; ++rule) {
      must(engine->start(rule_spec(streams, *the_log, rule, one_device)), "starting a rule");
    }
    samples.push_back(feed(*the_log, *engine, streams, batches, readings.size()));
    uint64_t state = 0;
    uint64_t alerts = 0;
    for (const engine::PipelineStatus& status : engine->status()) {
      state += status.memory_bytes;
      alerts += status.rows_out;
    }
    constexpr auto kCount = static_cast<double>(kRules);
    samples.push_back({"alerts", "", static_cast<double>(alerts)});
    samples.push_back({"state_per_rule", "bytes", static_cast<double>(state) / kCount});
    // Later repetitions find memory that the earlier ones gave back. The newest rows, which the log keeps for readers,
    // are in it.
    static bool first = true;
    const auto grown = static_cast<double>(rss_bytes_of(getpid())) - static_cast<double>(before);
    if (std::exchange(first, false)) samples.push_back({"memory_per_rule", "bytes", grown / kCount});
  }
  std::filesystem::remove_all(folder);
  return samples;
}

}  // namespace

std::vector<Case> rule_cases() {
  std::vector<Case> cases;
  cases.push_back(
      {"rules_1000", "1,000 threshold rules, each on a device of its own, on one stream and one core", 3, [] {
         static const std::vector<Reading> kReadings = make_readings(1'000'000, kRules);
         return run_rules(kReadings, true);
       }});
  cases.push_back({"rules_1000_all_devices", "1,000 threshold rules, each on all of 1,000 devices, on one core", 3, [] {
                     static const std::vector<Reading> kReadings = make_readings(200'000, kRules);
                     return run_rules(kReadings, false);
                   }});
  return cases;
}

}  // namespace tidegate::bench
