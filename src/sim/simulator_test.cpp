#include "sim/simulator.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "io/file.h"
#include "net/mqtt_listener.h"

namespace tidegate::sim {
namespace {

class Somebody final : public net::MqttIdentity {
 public:
  explicit Somebody(std::string_view name) : name_(name) {}
  [[nodiscard]] std::string_view name() const override { return name_; }

 private:
  std::string name_;
};

// Takes devices whose password is "right", remembers what they publish, refuses payloads that contain `refused`.
class Collector final : public net::MqttHandler {
 public:
  [[nodiscard]] Result<std::shared_ptr<const net::MqttIdentity>> authenticate(
      const net::MqttCredentials& who) override {
    if (who.password != "right") return fail(ErrorCode::NotAuthenticated, "wrong");
    return std::make_shared<const Somebody>(who.client_id);
  }
  [[nodiscard]] bool may_publish(const net::MqttIdentity&, std::string_view) override { return true; }
  [[nodiscard]] bool may_subscribe(const net::MqttIdentity&, std::string_view) override { return true; }
  [[nodiscard]] bool may_receive(const net::MqttIdentity&, std::string_view) override { return true; }
  [[nodiscard]] std::unique_ptr<net::MqttLane> open_lane() override { return std::make_unique<Lane>(*this); }
  [[nodiscard]] bool overloaded() override { return false; }

  // Blocks until so many publications have come.
  void wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return total_ >= count; });
  }
  [[nodiscard]] size_t total() {
    const std::lock_guard lock(mutex_);
    return total_;
  }
  [[nodiscard]] std::set<std::string> different() {
    const std::lock_guard lock(mutex_);
    return different_;
  }
  std::string refused = "never";
  std::atomic<bool>* stop = nullptr;  // set when the hundredth publication comes

 private:
  class Lane final : public net::MqttLane {
   public:
    explicit Lane(Collector& owner) : owner_(owner) {}
    [[nodiscard]] Result<net::MqttTaken> publish(const net::MqttArrival& arrival) override {
      const bool refused = arrival.payload.find(owner_.refused) != std::string_view::npos;
      if (refused) return fail(ErrorCode::RecordDoesNotFit, "no");
      owner_.take(arrival.topic, arrival.payload);
      return net::MqttTaken{};
    }
    bool flush(std::function<void(Result<>)>) override { return false; }
    [[nodiscard]] size_t waiting_rows() const override { return 0; }

   private:
    Collector& owner_;
  };

  void take(std::string_view topic, std::string_view payload) {
    const std::lock_guard lock(mutex_);
    ++total_;
    different_.insert(fmt::format("{} {}", topic, payload));
    if (stop != nullptr && total_ >= 100) stop->store(true);
    arrived_.notify_all();
  }

  std::mutex mutex_;  // with a condition variable
  std::condition_variable arrived_;
  size_t total_ = 0;
  std::set<std::string> different_;
};

struct Site {
  Site() : broker(net::MqttBroker::create({}, collector, nullptr, clock, random).value()) { listen(0); }
  void listen(uint16_t at) {
    net::MqttListenerOptions options;
    options.plain_address = "127.0.0.1";
    options.plain_port = at;
    listener = net::MqttListener::start(options, *broker, collector, clock).value();
    port = listener->plain_port();
  }
  io::SystemClock clock;
  io::SystemRandom random;
  Collector collector;
  std::unique_ptr<net::MqttBroker> broker;
  std::unique_ptr<net::MqttListener> listener;
  uint16_t port = 0;
};

Profile test_profile(uint32_t devices) {
  Profile profile;
  profile.time_column = "t";
  profile.time_format = "epoch_s";
  profile.sequence_field = "seq";
  profile.device_name = "d{n}";
  profile.topic = "test/{device}";
  profile.devices = devices;
  profile.speed = 0;
  return profile;
}

RecordFile records(const Profile& profile, int count) {
  std::string text = "t,v\n";
  for (int at = 0; at < count; ++at) text += fmt::format("{},{}\n", at, at);
  return RecordFile::parse(profile, text, true).value();
}

SimulatorOptions options_for(const Site& site, const Profile& profile) {
  SimulatorOptions options;
  options.port = site.port;
  for (uint32_t device = 0; device < profile.devices; ++device) options.tokens[device_name(profile, device)] = "right";
  return options;
}

constexpr int64_t kStart = 1'700'000'000'000'000;

TEST_CASE("everything the source makes arrives, at every quality of service") {
  const Profile profile = test_profile(5);
  const RecordFile file = records(profile, 300);
  for (const uint8_t qos : {uint8_t{0}, uint8_t{1}, uint8_t{2}}) {
    Site site;
    SimulatorOptions options = options_for(site, profile);
    options.qos = qos;
    options.window = 10;
    MessageSource source(profile, file, kStart);
    const std::atomic<bool> stop{false};
    const auto done = Simulator(profile, source, options, site.clock, stop).run({});
    REQUIRE(done.has_value());
    CHECK(done->sent == 1500);
    CHECK(done->acked == 1500);
    CHECK(done->in_flight == 0);
    CHECK(done->reconnects == 0);
    site.collector.wait_for(1500);
    CHECK(site.collector.different().size() == 1500);
    CHECK(site.collector.total() == 1500);
  }
}

TEST_CASE("a refused device and a server that is not there end the run with their error") {
  const Profile profile = test_profile(2);
  const RecordFile file = records(profile, 10);
  const std::atomic<bool> stop{false};
  Site site;
  SimulatorOptions options = options_for(site, profile);
  options.tokens["d2"] = "wrong";
  MessageSource source(profile, file, kStart);
  const auto refused = Simulator(profile, source, options, site.clock, stop).run({});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::NotAuthenticated);

  site.listener->stop();
  MessageSource again(profile, file, kStart);
  const auto absent = Simulator(profile, again, options, site.clock, stop).run({});
  REQUIRE_FALSE(absent.has_value());
  CHECK(absent.error().code == ErrorCode::ConnectionFailed);
}

TEST_CASE("what a broken connection left without an answer is sent again, and the record says so") {
  const Profile profile = test_profile(4);
  const RecordFile file = records(profile, 3000);
  Site site;
  SimulatorOptions options = options_for(site, profile);
  options.record = std::filesystem::temp_directory_path() / "tidegate_sim_sent.ndjson";
  MessageSource source(profile, file, kStart);
  const std::atomic<bool> stop{false};
  std::thread breaker([&site] {
    site.collector.wait_for(1000);
    const uint16_t port = site.port;
    site.listener->stop();
    site.listen(port);
  });
  const auto done = Simulator(profile, source, options, site.clock, stop).run({});
  breaker.join();
  REQUIRE(done.has_value());
  CHECK(done->reconnects >= 4);
  CHECK(done->acked == 12'000);
  CHECK(site.collector.different().size() == 12'000);
  CHECK(done->sent == 12'000 + done->resent);
  const std::string sent = io::read_file(options.record).value();
  CHECK(std::count(sent.begin(), sent.end(), '\n') == 12'000);
  CHECK(sent.find("\"acked\":false") == std::string::npos);
  CHECK(sent.starts_with("{\"device\":\"d"));
  std::filesystem::remove(options.record);
}

TEST_CASE("refusals are counted and recorded as not acknowledged") {
  const Profile profile = test_profile(1);
  const RecordFile file = records(profile, 100);
  Site site;
  site.collector.refused = "\"seq\":7,";
  SimulatorOptions options = options_for(site, profile);
  MessageSource source(profile, file, kStart);
  const std::atomic<bool> stop{false};
  const auto done = Simulator(profile, source, options, site.clock, stop).run({});
  REQUIRE(done.has_value());
  CHECK(done->refused == 1);
  CHECK(done->acked == 99);
}

TEST_CASE("drop-outs lose nothing, and a limit ends the run with everything delivered") {
  Profile profile = test_profile(3);
  profile.faults.drop_out = 0.01;
  profile.faults.drop_out_us = 50'000'000;
  const RecordFile file = records(profile, 2000);
  Site site;
  SimulatorOptions options = options_for(site, profile);
  options.limit = 3000;
  MessageSource source(profile, file, kStart);
  const std::atomic<bool> stop{false};
  const auto done = Simulator(profile, source, options, site.clock, stop).run({});
  REQUIRE(done.has_value());
  CHECK(done->faults.drop_outs > 5);
  CHECK(done->in_flight == 0);
  CHECK(done->acked + done->resent == done->sent);
}

TEST_CASE("a replay without end stops when told") {
  Profile profile = test_profile(2);
  profile.loop = true;
  const RecordFile file = records(profile, 10);
  Site site;
  std::atomic<bool> stop{false};
  site.collector.stop = &stop;
  const SimulatorOptions options = options_for(site, profile);
  MessageSource source(profile, file, kStart);
  const auto done = Simulator(profile, source, options, site.clock, stop).run({});
  REQUIRE(done.has_value());
  CHECK(done->sent >= 100);
}

}  // namespace
}  // namespace tidegate::sim
