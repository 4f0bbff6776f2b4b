#include "api/internal/wait_json.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "codec/timestamp_text.h"
#include "net/http_problem.h"

namespace tidegate::api {

namespace {

using net::json_string;

// A sink that has fewer records than this before it is only doing its work.
constexpr int64_t kSlowSinkRows = 10'000;

std::string clock_text(int64_t time_us) {
  std::string out;
  codec::append_timestamp(time_us / kMicrosPerSecond * kMicrosPerSecond, columnar::TypeKind::kTimestampLtz, out);
  return out;
}

// Two units at most: "2 h 5 min".
std::string duration_text(int64_t span_us) {
  const int64_t seconds = span_us / kMicrosPerSecond;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds / 3600 % 24);
}

std::string device_text(const engine::Wait& wait) {
  return wait.device ? fmt::format("device '{}'", *wait.device) : "the records without a device";
}

}  // namespace

std::string wait_text(const engine::Wait& wait, int64_t now_us) {
  switch (wait.reason) {
    case engine::WaitReason::kSourceSilent:
      return fmt::format("no record in '{}' for {}", wait.stream, duration_text(now_us - wait.since_us));
    case engine::WaitReason::kWatermarkHeld:
      return fmt::format(
          "windows over all devices wait for {} of '{}', which is {} behind the newest; if it falls "
          "silent they go on without it from {}",
          device_text(wait), wait.stream, duration_text(wait.behind_us), clock_text(wait.until_us));
    case engine::WaitReason::kDeviceSilent:
      return fmt::format("open windows of {} of '{}' wait for its next record, silent for {}; at {} they close without",
                         device_text(wait), wait.stream, duration_text(now_us - wait.since_us),
                         clock_text(wait.until_us));
    case engine::WaitReason::kBehind: return fmt::format("{} records behind", wait.rows);
  }
  return "";
}

std::string slow_sink_text(const sinks::SinkStatus& sink) {
  if (!sink.last_error.empty()) {
    return fmt::format("{} records of '{}' have not gone out: {}", sink.lag_rows, sink.stream, sink.last_error);
  }
  if (sink.lag_rows < kSlowSinkRows) return "";
  return fmt::format("{} records of '{}' have not gone out yet: the receiver is slower than the pipeline",
                     sink.lag_rows, sink.stream);
}

std::string waits_json(const std::vector<engine::Wait>& waits, std::string_view target,
                       const std::vector<sinks::SinkStatus>& sinks, int64_t now_us) {
  std::string out = "[";
  for (const engine::Wait& wait : waits) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"reason":"{}","text":{})", engine::wait_reason_name(wait.reason),
                       json_string(wait_text(wait, now_us)));
    if (!wait.stream.empty()) out += ",\"stream\":" + json_string(wait.stream);
    if (wait.device) out += ",\"device\":" + json_string(*wait.device);
    out += '}';
  }
  for (const sinks::SinkStatus& sink : sinks) {
    const std::string text = sink.stream == target ? slow_sink_text(sink) : "";
    if (text.empty()) continue;
    if (out.size() > 1) out += ',';
    out +=
        fmt::format(R"({{"reason":"slow_sink","text":{},"stream":{}}})", json_string(text), json_string(sink.stream));
  }
  return out + "]";
}

}  // namespace tidegate::api
