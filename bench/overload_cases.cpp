// overload: devices that send ten times of what the server can take, beside devices that send what they should.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <semaphore>
#include <thread>

#include "bench/fleet.h"
#include "bench/fleet_log.h"
#include "bench/harness.h"
#include "bench/mqtt_load.h"
#include "bench/server_process.h"

namespace tidegate::bench {
namespace {

constexpr size_t kWellBehaved = 20;
constexpr double kMessagesPerS = 400;  // of all of them
constexpr double kTimes = 10;          // what is offered, over what the server takes
constexpr double kPatienceS = 60;

const char* const kScript =
    "CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, temperature DOUBLE, "
    "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) "
    "WITH ('device' = 'device', 'mqtt.topic' = 'bench/readings', 'retention' = '1 min');"
    "CREATE TABLE hot (device STRING, temperature DOUBLE);"
    "INSERT INTO hot SELECT device, temperature FROM readings WHERE temperature > 34.98;";

double seconds_since(int64_t start_us) { return static_cast<double>(monotonic_us() - start_us) * 1e-6; }

// An administrator who looks at the pipelines again and again, and at how much memory the server takes.
class Administrator {
 public:
  explicit Administrator(const ServerProcess& server) {
    thread_ = std::thread([this, &server] {
      do look(server);
      while (!ends_.try_acquire_for(kPause));
    });
  }
  ~Administrator() {
    ends_.release();
    thread_.join();
  }
  Administrator(const Administrator&) = delete;
  Administrator& operator=(const Administrator&) = delete;

  [[nodiscard]] double slowest_ms() const { return slowest_ms_; }
  [[nodiscard]] double most_bytes() const { return most_bytes_; }
  [[nodiscard]] double lag_rows() const { return lag_rows_; }

 private:
  void look(const ServerProcess& server) {
    const int64_t start_us = monotonic_us();
    const auto answer = boost::json::parse(server.call("GET", "/api/v1/pipelines/hot"));
    slowest_ms_ = std::max(slowest_ms_.load(), seconds_since(start_us) * 1e3);
    most_bytes_ = std::max(most_bytes_.load(), static_cast<double>(rss_bytes_of(server.pid())));
    lag_rows_ = answer.at("lag_rows").to_number<double>();
  }

  static constexpr std::chrono::milliseconds kPause{200};

  std::binary_semaphore ends_{0};
  std::atomic<double> slowest_ms_{0};
  std::atomic<double> most_bytes_{0};
  std::atomic<double> lag_rows_{0};
  std::thread thread_;
};

struct Span {
  double messages_per_s = 0;
  double p99_ms = 0;
};

// What the well-behaved ones got in so long.
Span watch(Fleet& fleet, double seconds) {
  const uint64_t before = fleet.acknowledged();
  (void)fleet.take_latencies_ms();
  const int64_t start_us = monotonic_us();
  fleet.wait(seconds);
  const double elapsed_s = seconds_since(start_us);
  std::vector<double> latencies = fleet.take_latencies_ms();
  std::ranges::sort(latencies);
  const double p99_ms = latencies.empty() ? seconds * 1e3 : latencies[latencies.size() * 99 / 100];
  return {static_cast<double>(fleet.acknowledged() - before) / elapsed_s, p99_ms};
}

// Until the well-behaved ones wait no longer than before, and the pipeline has read everything.
double recover(Fleet& fleet, const Administrator& administrator, const Span& before) {
  const int64_t start_us = monotonic_us();
  while (seconds_since(start_us) < kPatienceS) {
    const Span now = watch(fleet, 0.5);
    if (now.p99_ms <= before.p99_ms * 2 + 10 && administrator.lag_rows() == 0) break;
  }
  return seconds_since(start_us);
}

LoadOptions flood_of(const ServerProcess& server, std::vector<DeviceAccount> accounts) {
  LoadOptions options;
  options.port = server.mqtt_port();
  options.accounts = std::move(accounts);
  return options;
}

std::vector<Sample> overload(const std::filesystem::path& binary, double seconds) {
  const ServerProcess server(binary, ServerMode::kSecure);
  server.sql(std::string(kScript) + kFleetTable);
  LoadOptions options = flood_of(server, server.add_devices("flood", 100));
  options.qos = 1;
  options.messages = 1'000'000;
  const LoadResult most = run_load(options);
  const double sustainable = static_cast<double>(most.acknowledged) / most.seconds;

  Fleet fleet({server.mqtt_port(), nullptr, kFleetTopic, 3600}, server.add_devices("steady", kWellBehaved));
  fleet.connect_all(kPatienceS);
  fleet.set_rate(kMessagesPerS);
  const Administrator administrator(server);
  const Span before = watch(fleet, 5);

  // QoS 0: nothing tells these devices to wait but the network.
  options.qos = 0;
  options.messages_per_s = sustainable * kTimes;
  options.messages = static_cast<uint64_t>(options.messages_per_s * seconds);
  options.seconds = seconds;
  LoadResult taken;
  std::thread flood([&] { taken = run_load(options); });
  const Span during = watch(fleet, seconds);
  flood.join();
  const double recovery_s = recover(fleet, administrator, before);
  fleet.set_rate(0);
  fleet.settle(kPatienceS);
  check_fleet_log(server, fleet.messages());
  return {{"sustainable_per_s", "1/s", sustainable},
          {"offered_per_s", "1/s", options.messages_per_s},
          {"taken_per_s", "1/s", static_cast<double>(taken.sent) / seconds},
          {"steady_share", "ratio", during.messages_per_s / before.messages_per_s},
          {"steady_before_p99_ms", "ms", before.p99_ms},
          {"steady_p99_ms", "ms", during.p99_ms},
          {"administrator_most_ms", "ms", administrator.slowest_ms()},
          {"recovery_s", "s", recovery_s},
          {"rss_most_bytes", "bytes", administrator.most_bytes()}};
}

}  // namespace

std::vector<Case> overload_cases(const std::filesystem::path& binary) {
  const auto what = [](std::string_view time) {
    return fmt::format("ten times of what the server takes for {}, beside {} devices that send {} a second", time,
                       kWellBehaved, kMessagesPerS);
  };
  return {{"overload", what("five minutes"), 1, [binary] { return overload(binary, 300); }},
          {"overload_10s", what("ten seconds"), 1, [binary] { return overload(binary, 10); }}};
}

}  // namespace tidegate::bench
