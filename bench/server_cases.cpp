// mqtt_qos0, mqtt_qos1_durable, end_to_end_latency, idle_memory: the real binary over loopback.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/harness.h"
#include "bench/mqtt_load.h"
#include "bench/server_process.h"
#include "bench/workload.h"

namespace tidegate::bench {
namespace {

const char* const kIngestTable =
    "CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, temperature DOUBLE, "
    "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('device' = 'device', 'mqtt.topic' = 'bench/readings');";

// Until all of it is in the log; QoS 0 has no acknowledgement, so what arrived is counted there.
void wait_for_records(const ServerProcess& server, uint64_t expected) {
  constexpr int64_t kPatienceUs = 60'000'000;
  const int64_t start_us = monotonic_us();
  while (server.stream_end("readings") < expected) {
    if (monotonic_us() - start_us > kPatienceUs) {
      fmt::print(stderr, "benchmark: {} of {} messages reached the log\n", server.stream_end("readings"), expected);
      std::exit(1);
    }
  }
}

enum class Senders : uint8_t {
  kAnybody,          // authentication is off
  kDevices,          // each connection is a device with a token
  kDevicesAndQuota,  // the same, and there is a quota, of another device
};

std::vector<Sample> throughput(const std::filesystem::path& binary, int qos, uint32_t in_flight, uint64_t messages,
                               Senders senders = Senders::kAnybody) {
  const ServerProcess server(binary, senders == Senders::kAnybody ? ServerMode::kOpen : ServerMode::kSecure);
  server.sql(kIngestTable);
  LoadOptions options;
  if (senders != Senders::kAnybody) options.accounts = server.add_devices("meter", 100);
  if (senders == Senders::kDevicesAndQuota) {
    server.call("PATCH", "/api/v1/quotas/device:meter-000000", R"({"connections":1000})");
    server.call("PATCH", "/api/v1/quotas/type:valve", R"({"messages_per_s":1})");
  }
  options.port = server.mqtt_port();
  options.qos = qos;
  options.in_flight = in_flight;
  options.messages = messages / 10;
  run_load(options);  // warms caches and the store
  wait_for_records(server, options.messages);
  options.messages = messages;
  const double cpu_before = cpu_seconds_of(server.pid());
  const int64_t start_us = monotonic_us();
  const LoadResult result = run_load(options);
  wait_for_records(server, messages + messages / 10);
  const double elapsed_s = qos == 0 ? static_cast<double>(monotonic_us() - start_us) * 1e-6 : result.seconds;
  const auto count = static_cast<double>(messages);
  return {{"messages_per_s", "1/s", count / elapsed_s, cpu_seconds_of(server.pid()) - cpu_before, count,
           rss_peak_bytes_of(server.pid())}};
}

// Reads the live results and notes when each probe came back.
class ProbeReader {
 public:
  explicit ProbeReader(const ServerProcess& server) : client_(server.client()) {
    thread_ = std::thread([this] { read(); });
    connected_.wait(false);
  }
  ~ProbeReader() {
    client_->cancel();
    thread_.join();
  }
  ProbeReader(const ProbeReader&) = delete;
  ProbeReader& operator=(const ProbeReader&) = delete;

  [[nodiscard]] std::map<uint32_t, int64_t> arrivals() {
    const std::lock_guard lock(mutex_);
    return arrivals_;
  }

 private:
  void read() {
    net::HttpCall call;
    call.target =
        "/api/v1/query/live?sql=" + net::percent_encode("SELECT temperature FROM readings WHERE device = 'probe'");
    const auto ended = client_->stream(call, [this](std::string_view chunk) {
      take(chunk, monotonic_us());
      return true;
    });
    if (!ended && ended.error().code != ErrorCode::Cancelled) fmt::print(stderr, "{}\n", ended.error().to_string());
    connected_ = true;
    connected_.notify_all();
  }

  void take(std::string_view chunk, int64_t now_us) {
    if (!connected_.exchange(true)) connected_.notify_all();
    constexpr std::string_view kField = "\"temperature\":";
    buffer_ += chunk;
    const std::lock_guard lock(mutex_);
    size_t at = 0;
    for (size_t found = buffer_.find(kField); found != std::string::npos; found = buffer_.find(kField, at)) {
      const size_t end = buffer_.find_first_of(",}", found + kField.size());
      if (end == std::string::npos) break;
      arrivals_.emplace(static_cast<uint32_t>(std::strtod(buffer_.c_str() + found + kField.size(), nullptr)), now_us);
      at = end;
    }
    buffer_.erase(0, std::max(at, buffer_.size() > 65'536 ? buffer_.size() - 256 : at));
  }

  std::unique_ptr<net::HttpClient> client_;
  std::atomic<bool> connected_{false};
  std::string buffer_;
  std::mutex mutex_;
  std::map<uint32_t, int64_t> arrivals_;
  std::thread thread_;
};

double percentile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

std::vector<Sample> latency(const std::filesystem::path& binary, double messages_per_s) {
  const ServerProcess server(binary);
  server.sql(kIngestTable);
  ProbeReader reader(server);
  LoadOptions options;
  options.port = server.mqtt_port();
  options.qos = 1;
  options.messages_per_s = messages_per_s;
  options.messages = static_cast<uint64_t>(messages_per_s * 8);
  options.probe_every = 500;
  std::map<uint32_t, int64_t> intended;
  run_load(options, [&](uint32_t number, int64_t intended_us) { intended[number] = intended_us; });
  const int64_t start_us = monotonic_us();
  while (reader.arrivals().size() < intended.size() && monotonic_us() - start_us < 10'000'000)
    std::this_thread::yield();
  const auto arrivals = reader.arrivals();
  std::vector<double> latencies_ms;
  for (const auto& [number, at_us] : intended) {
    const auto found = arrivals.find(number);
    const int64_t end_us = found == arrivals.end() ? monotonic_us() : found->second;  // a lost result counts in full
    latencies_ms.push_back(static_cast<double>(end_us - at_us) * 1e-3);
  }
  std::ranges::sort(latencies_ms);
  return {{"p50_ms", "ms", percentile(latencies_ms, 0.5)},
          {"p99_ms", "ms", percentile(latencies_ms, 0.99)},
          {"p999_ms", "ms", percentile(latencies_ms, 0.999)},
          {"messages_per_s", "1/s", messages_per_s}};
}

std::vector<Sample> end_to_end_latency(const std::filesystem::path& binary) {
  static const double kMaximum = throughput(binary, 1, 1000, 1'000'000).front().value;
  return latency(binary, kMaximum / 2);
}

std::vector<Sample> idle_memory(const std::filesystem::path& binary) {
  const ServerProcess server(binary);
  server.sql(kReadingsTable + std::string(";") + kAveragesTable + ";" + kAveragesQuery + ";");
  return {{"idle_rss_bytes", "bytes", static_cast<double>(rss_bytes_of(server.pid()))}};
}

}  // namespace

std::vector<Case> server_cases(const std::filesystem::path& binary) {
  std::vector<Case> cases;
  cases.push_back({"mqtt_qos0", "100 connections, decoded and in the log, not acknowledged", 5,
                   [binary] { return throughput(binary, 0, 0, 3'000'000); }});
  cases.push_back({"mqtt_qos1_durable", "100 connections, 1,000 in flight each, acknowledged after fsync", 5,
                   [binary] { return throughput(binary, 1, 1000, 2'000'000); }});
  cases.push_back({"mqtt_qos1_durable_20", "the same with 20 in flight each", 5,
                   [binary] { return throughput(binary, 1, 20, 1'000'000); }});
  cases.push_back({"mqtt_qos1_devices", "mqtt_qos1_durable from devices with tokens", 5,
                   [binary] { return throughput(binary, 1, 1000, 2'000'000, Senders::kDevices); }});
  cases.push_back({"mqtt_qos1_quota_elsewhere", "mqtt_qos1_devices with quotas that limit others", 5,
                   [binary] { return throughput(binary, 1, 1000, 2'000'000, Senders::kDevicesAndQuota); }});
  cases.push_back({"end_to_end_latency", "publish to live result of a filter, at half of the QoS 1 maximum", 3,
                   [binary] { return end_to_end_latency(binary); }});
  cases.push_back({"idle_memory", "a server with two streams and a pipeline and nothing to do", 3,
                   [binary] { return idle_memory(binary); }});
  return cases;
}

}  // namespace tidegate::bench
