#include "registry/device_monitor.h"

#include <filesystem>

#include "log/embedded_log.h"
// After base/check.h, whose CHECK it takes the place of.
#undef CHECK
#include <doctest/doctest.h>

namespace tidegate::registry {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

// A registry, a log that commits at once and a monitor, all on one clock that the test moves.
class Site {
 public:
  Site()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-monitor-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    open();
  }
  ~Site() {
    close();
    std::filesystem::remove_all(folder_);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void open() {
    store_ = must(store::Store::open(folder_ / "store"));
    keys_ = must(crypto::KeyRing::open(folder_ / "keys", random_));
    registry = must(Registry::open(*store_, *keys_, random_, clock));
    log_ = must(log::EmbeddedLog::open(*store_, *keys_, random_, clock, devices_, {.manual = true}));
    auto events = device_events_definition();
    events.id = StreamId{3};
    events_ = std::make_shared<const catalog::StreamDefinition>(std::move(events));
    catalog::StreamDefinition readings;
    readings.id = StreamId{4};
    readings.name = "readings";
    readings.schema =
        std::make_shared<const columnar::Schema>(columnar::Schema{{{"device", columnar::TypeKind::kString, false}}});
    readings.device_column = 0;
    readings_ = std::make_shared<const catalog::StreamDefinition>(std::move(readings));
    REQUIRE(log_->open_stream(events_));
    REQUIRE(log_->open_stream(readings_));
    last_values_ = LastValues::create(*log_, devices_, {.manual = true});
    last_values_->follow(readings_);
    monitor = DeviceMonitor::create({*log_, *registry, *last_values_, devices_, clock, events_}, true);
  }
  void close() {
    monitor.reset();
    last_values_.reset();
    log_.reset();
    registry.reset();
    keys_.reset();
    store_.reset();
  }
  void reopen() {
    close();
    open();
  }
  void add(std::string name, int64_t interval_s) {
    Device device;
    device.name = std::move(name);
    device.interval_us = interval_s * 1'000'000;
    REQUIRE(registry->add_devices({device}, {}));
  }
  void record(std::string_view device) {
    columnar::BatchBuilder rows(readings_->schema, 0, &devices_);
    rows.column(0).append<uint32_t>(devices_.intern(device)->value);
    rows.end_row();
    log_->append(readings_->id, rows.finish(), [](const Result<>& outcome) { REQUIRE(outcome); });
  }
  // Lets the clock go on second by second, and looks each time.
  void wait(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance_us(1'000'000);
      last_values_->catch_up();
      monitor->look();
    }
  }
  // Every event of the stream as "second device event reason".
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& batch : must(log_->read(events_->id, log_->begin(events_->id), 1000))) {
      for (size_t row = 0; row < batch->batch.rows; ++row) {
        const auto& columns = batch->batch.columns;
        out.push_back(std::to_string(columns[1]->values<int64_t>()[row] / 1'000'000) + " " +
                      std::string(columns[0]->string_at(row)) + " " + std::string(columns[2]->string_at(row)) + " " +
                      std::string(columns[3]->string_at(row)));
      }
    }
    return out;
  }

  io::ManualClock clock{1'000'000'000};
  std::unique_ptr<Registry> registry;
  std::unique_ptr<DeviceMonitor> monitor;

 private:
  io::SystemRandom random_;
  std::filesystem::path folder_;
  columnar::StringPool devices_;
  std::shared_ptr<const catalog::StreamDefinition> events_;
  std::shared_ptr<const catalog::StreamDefinition> readings_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<crypto::KeyRing> keys_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<LastValues> last_values_;
};

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("silence, connections and records become events of a stream") {
  Site site;
  site.add("meter", 10);
  site.record("meter");
  site.wait(2);
  CHECK(site.events() == Events{"1000 meter online record"});
  site.wait(20);
  site.monitor->connected("phone");
  site.wait(1);
  site.monitor->disconnected("phone", false);
  site.record("meter");
  site.wait(1);
  CHECK(site.events() == Events{"1000 meter online record", "1016 meter offline silent", "1022 phone online connected",
                                "1023 phone offline connection lost", "1023 meter online record"});
  CHECK(site.monitor->presence("meter")->online == true);
  CHECK(!site.monitor->presence("nobody"));
}

TEST_CASE("a change of the interval counts from when it is made") {
  Site site;
  site.add("meter", 0);
  site.wait(100);
  CHECK(site.events() == Events{});
  REQUIRE(site.registry->change_device("meter", std::nullopt, [](Device& device) -> Result<> {
    device.interval_us = 10'000'000;
    return {};
  }));
  site.wait(15);
  CHECK(site.events() == Events{});
  site.wait(1);
  CHECK(site.events() == Events{"1116 meter offline silent"});
}

TEST_CASE("after a restart nothing is said twice, and who does not come back is offline") {
  Site site;
  site.add("meter", 10);
  site.record("meter");
  site.monitor->connected("phone");
  site.wait(1);
  const Events before{"1000 phone online connected", "1000 meter online record"};
  CHECK(site.events() == before);
  site.reopen();
  CHECK(site.monitor->presence("phone")->online == true);
  site.wait(5);
  CHECK(site.events() == before);
  site.record("meter");
  site.wait(10);
  CHECK(site.events() == before);
  site.wait(110);
  const auto after = site.events();
  REQUIRE(after.size() == 4);
  CHECK(after[2] == "1022 meter offline silent");
  CHECK(after[3] == "1121 phone offline not back after a restart");
}

}  // namespace tidegate::registry
