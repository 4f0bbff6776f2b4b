// many_devices, idle_connections: a server with TLS and tokens, and a fleet of devices that each have their own.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "bench/fleet.h"
#include "bench/fleet_log.h"
#include "bench/harness.h"
#include "bench/mqtt_load.h"
#include "bench/server_process.h"
#include "io/process.h"
#include "net/tls_context.h"

namespace tidegate::bench {
namespace {

constexpr double kPatienceS = 60;  // the longest that a storm may last
constexpr size_t kBystanders = 20;

std::unique_ptr<net::TlsContext> trusting(const ServerProcess& server) {
  auto context = net::TlsContext::client({server.authority(), {}, {}});
  if (!context) give_up(context.error().to_string());
  return std::move(*context);
}

// Devices whose connections stay open while the others storm, on a thread of their own: how long their messages wait
// for an answer.
class Bystanders {
 public:
  Bystanders(FleetOptions options, std::vector<DeviceAccount> devices) {
    thread_ = std::thread([this, options = std::move(options), devices = std::move(devices)]() mutable {
      Fleet fleet(std::move(options), std::move(devices));
      fleet.connect_all(kPatienceS);
      fleet.set_rate(20.0 * kBystanders);
      while (!ends_) {
        fleet.wait(0.02);
        const std::vector<double> latencies = fleet.take_latencies_ms();
        if (counts_) latencies_ms_.insert(latencies_ms_.end(), latencies.begin(), latencies.end());
      }
      fleet.set_rate(0);
      fleet.settle(kPatienceS);
      messages_ = fleet.messages();
    });
  }
  ~Bystanders() {
    if (thread_.joinable()) end();
  }
  Bystanders(const Bystanders&) = delete;
  Bystanders& operator=(const Bystanders&) = delete;

  void count(bool on) { counts_ = on; }
  void end() {
    ends_ = true;
    thread_.join();
    std::ranges::sort(latencies_ms_);
  }
  // After the end.
  [[nodiscard]] double latency_ms(double share) const {
    if (latencies_ms_.empty()) return 0;
    const auto at = static_cast<size_t>(share * static_cast<double>(latencies_ms_.size()));
    return latencies_ms_[std::min(latencies_ms_.size() - 1, at)];
  }
  [[nodiscard]] const std::map<std::string, std::vector<bool>>& messages() const { return messages_; }

 private:
  std::atomic<bool> counts_{false};
  std::atomic<bool> ends_{false};
  std::vector<double> latencies_ms_;
  std::map<std::string, std::vector<bool>> messages_;
  std::thread thread_;
};

std::vector<Sample> many_devices(const std::filesystem::path& binary, size_t count, double messages_per_s) {
  if (io::raise_open_files() < count + 1000) give_up("too few open files are allowed here (ulimit -Hn)");
  ServerProcess server(binary, ServerMode::kSecure);
  server.sql(kFleetTable);
  const auto tls = trusting(server);
  const auto options = [&] { return FleetOptions{server.mqtts_port(), tls.get(), kFleetTopic, 3600}; };
  Bystanders bystanders(options(), server.add_devices("bystander", kBystanders));
  Fleet fleet(options(), server.add_devices("device", count));
  const double cpu_before = cpu_seconds_of(server.pid());
  const ConnectResult first = fleet.connect_all(kPatienceS);
  const double connect_cpu = cpu_seconds_of(server.pid()) - cpu_before;
  fleet.set_rate(messages_per_s);
  fleet.wait(5);

  bystanders.count(true);
  int64_t start_us = monotonic_us();
  fleet.cut();
  const ConnectResult storm = fleet.connect_all(kPatienceS);
  fleet.set_rate(0);
  fleet.settle(kPatienceS);
  const double storm_s = static_cast<double>(monotonic_us() - start_us) * 1e-6;
  bystanders.count(false);
  const uint64_t peak = rss_peak_bytes_of(server.pid());
  bystanders.end();

  fleet.set_rate(messages_per_s);
  fleet.wait(2);
  start_us = monotonic_us();
  server.kill_and_restart();
  fleet.cut();
  const ConnectResult restart = fleet.connect_all(kPatienceS);
  fleet.set_rate(0);
  fleet.settle(kPatienceS);
  const double restart_s = static_cast<double>(monotonic_us() - start_us) * 1e-6;
  auto sent = fleet.messages();
  sent.insert(bystanders.messages().begin(), bystanders.messages().end());
  const uint64_t twice = check_fleet_log(server, std::move(sent));
  if (storm_s > kPatienceS || restart_s > kPatienceS) give_up("a storm took too long");
  if (storm.sessions_present + restart.sessions_present < 2 * count) give_up("an MQTT session was lost");
  const auto number = [](auto value) { return static_cast<double>(value); };
  return {{"connections_per_s", "1/s", number(count) / first.seconds, connect_cpu, number(count), peak},
          {"storm_s", "s", storm_s, 0, 0, peak},
          {"storm_resumed", "", number(storm.tls_resumed)},
          {"storm_attempts", "", number(storm.attempts)},
          {"restart_storm_s", "s", restart_s},
          {"bystander_p50_ms", "ms", bystanders.latency_ms(0.5)},
          {"bystander_p99_ms", "ms", bystanders.latency_ms(0.99)},
          {"bystander_most_ms", "ms", bystanders.latency_ms(1)},
          {"acknowledged", "", number(fleet.acknowledged())},
          {"in_log_twice", "", number(twice)}};
}

double idle_bytes(const std::filesystem::path& binary, size_t count, bool with_tls) {
  const ServerProcess server(binary, ServerMode::kSecure);
  const auto tls = trusting(server);
  auto accounts = server.add_devices("device", count);
  const uint64_t before = rss_bytes_of(server.pid());
  Fleet fleet({with_tls ? server.mqtts_port() : server.mqtt_port(), with_tls ? tls.get() : nullptr, "", 0},
              std::move(accounts));
  fleet.connect_all(kPatienceS);
  fleet.wait(3);  // until what connecting left behind is written and given back
  return static_cast<double>(rss_bytes_of(server.pid()) - before) / static_cast<double>(count);
}

std::vector<Sample> idle_connections(const std::filesystem::path& binary, size_t count) {
  if (io::raise_open_files() < count + 1000) give_up("too few open files are allowed here (ulimit -Hn)");
  return {{"plain_bytes", "bytes", idle_bytes(binary, count, false)},
          {"tls_bytes", "bytes", idle_bytes(binary, count, true)}};
}

}  // namespace

std::vector<Case> fleet_cases(const std::filesystem::path& binary) {
  return {{"many_devices", "10,000 devices over TLS, each its own; all cut off at once and back; then kill -9", 1,
           [binary] { return many_devices(binary, 10'000, 2'000); }},
          {"many_devices_500", "the same with 500", 1, [binary] { return many_devices(binary, 500, 1'000); }},
          {"idle_connections", "resident bytes of an idle connection, 10,000 of them", 1,
           [binary] { return idle_connections(binary, 10'000); }}};
}

}  // namespace tidegate::bench
