// recovery: a server whose pipeline holds a gigabyte of state is killed under load, and serves again.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "bench/harness.h"
#include "bench/mqtt_load.h"
#include "bench/server_process.h"

namespace tidegate::bench {
namespace {

constexpr double kStateBytes = 1e9;
constexpr uint64_t kDevices = 200'000;
constexpr uint64_t kRowsPerCall = 50'000;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kFirstMs = 1'700'000'000'000 / kHourMs * kHourMs;
constexpr double kPatienceS = 120;

// Rows may be two days late, so that the windows of two days are open for every device.
const char* const kScript =
    "CREATE TABLE readings (device STRING NOT NULL, ts TIMESTAMP_LTZ(3) NOT NULL, temperature DOUBLE, "
    "WATERMARK FOR ts AS ts - INTERVAL '2' DAY) WITH ('device' = 'device');"
    "CREATE TABLE hours (device STRING, starts TIMESTAMP_LTZ(3), n BIGINT, mean DOUBLE, least DOUBLE, greatest DOUBLE, "
    "spread DOUBLE);"
    "INSERT INTO hours SELECT device, window_start, COUNT(*), AVG(temperature), MIN(temperature), MAX(temperature), "
    "STDDEV_POP(temperature) FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' HOUR)) "
    "GROUP BY device, window_start, window_end;";

struct PipelineState {
  double rows_in = 0;
  double memory_bytes = 0;
};

PipelineState pipeline_of(const ServerProcess& server) {
  const auto answer = boost::json::parse(server.call("GET", "/api/v1/pipelines/hours"));

  return {answer.at("rows_in").to_number<double>(), answer.at("memory_bytes").to_number<double>()};
}

PipelineState wait_for_rows(const ServerProcess& server, uint64_t rows) {
  const int64_t start_us = monotonic_us();
  while (true) {
    const PipelineState state = pipeline_of(server);
    if (state.rows_in >= static_cast<double>(rows)) return state;
    if (static_cast<double>(monotonic_us() - start_us) > kPatienceS * 1e6) give_up("the pipeline does not go on");
  }
}

// Row number `number`: all devices within an hour, then the next hour.
void append_row(std::string& out, uint64_t number) {
  const uint64_t device = number % kDevices;
  const int64_t ts = kFirstMs + static_cast<int64_t>(number / kDevices) * kHourMs + static_cast<int64_t>(device % 3600);
  fmt::format_to(std::back_inserter(out), R"({{"device":"meter-{:06}","ts":{},"temperature":{}.{}}})", device, ts,
                 15 + device % 20, number % 10);
  out += '\n';
}

void send_rows(const ServerProcess& server, uint64_t first, uint64_t count) {
  std::string body;
  for (uint64_t number = first; number < first + count; ++number) append_row(body, number);
  net::HttpCall call;
  call.method = "POST";
  call.target = "/api/v1/streams/readings/records";
  call.body = std::move(body);
  const int64_t start_us = monotonic_us();
  while (true) {
    const auto reply = server.client()->send(call);
    if (reply && reply->ok()) return;
    const bool busy = reply && reply->status == 503;  // a large snapshot is on its way to the disk
    if (!busy || static_cast<double>(monotonic_us() - start_us) > kPatienceS * 1e6) give_up("rows are not taken");
  }
}

std::vector<Sample> recover(const std::filesystem::path& binary) {
  ServerProcess server(binary);
  server.sql(kScript);
  uint64_t sent = 0;
  PipelineState state;
  while (state.memory_bytes < kStateBytes) {
    for (uint64_t sent_before = sent; sent < sent_before + kDevices; sent += kRowsPerCall) {
      send_rows(server, sent, kRowsPerCall);
    }
    state = wait_for_rows(server, sent);
  }
  const auto before = static_cast<double>(rss_bytes_of(server.pid()));
  const int64_t killed_us = monotonic_us();
  server.kill_and_restart();
  const int64_t ready_us = monotonic_us();
  send_rows(server, sent, 1);
  const PipelineState after = wait_for_rows(server, sent + 1);
  const int64_t serving_us = monotonic_us();
  if (after.rows_in != static_cast<double>(sent + 1)) give_up("the pipeline counts other rows than were sent");
  if (after.memory_bytes < state.memory_bytes * 0.8) give_up("the pipeline came back with less state");
  const auto ms_since_kill = [&](int64_t time_us) { return static_cast<double>(time_us - killed_us) * 1e-3; };
  return {{"ready_ms", "ms", ms_since_kill(ready_us)},
          {"serving_ms", "ms", ms_since_kill(serving_us)},
          {"state_bytes", "bytes", state.memory_bytes},
          {"rss_before_bytes", "bytes", before},
          {"rss_after_bytes", "bytes", static_cast<double>(rss_bytes_of(server.pid()))}};
}

}  // namespace

std::vector<Case> recovery_cases(const std::filesystem::path& binary) {
  return {{"recovery", "kill -9 of a server with 1 GB of window state, until a new row has gone through the pipeline",
           3, [binary] { return recover(binary); }}};
}

}  // namespace tidegate::bench
