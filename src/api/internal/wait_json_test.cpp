#include "api/internal/wait_json.h"

#include <doctest/doctest.h>

#include "base/ids.h"

namespace tidegate::api {

using engine::Wait;
using engine::WaitReason;

namespace {
constexpr int64_t kNow = 1'700'000'000 * kMicrosPerSecond;  // 2023-11-14T22:13:20Z
}

TEST_CASE("each reason is a sentence that names stream, device and times") {
  const int64_t minute = 60 * kMicrosPerSecond;
  CHECK(wait_text(
            {.reason = WaitReason::kSourceSilent, .stream = "readings", .device = {}, .since_us = kNow - 125 * minute},
            kNow) == "no record in 'readings' for 2 h 5 min");
  CHECK(wait_text({.reason = WaitReason::kWatermarkHeld,
                   .stream = "readings",
                   .device = "m-7",
                   .behind_us = 90 * kMicrosPerSecond,
                   .until_us = kNow + minute},
                  kNow) ==
        "windows over all devices wait for device 'm-7' of 'readings', which is 1 min 30 s behind the newest; if it "
        "falls "
        "silent they go on without it from 2023-11-14T22:14:20.000Z");
  CHECK(wait_text({.reason = WaitReason::kDeviceSilent,
                   .stream = "readings",
                   .device = {},
                   .since_us = kNow - 26 * 60 * minute,
                   .until_us = kNow},
                  kNow) ==
        "open windows of the records without a device of 'readings' wait for its next record, silent for 1 d 2 h; at "
        "2023-11-14T22:13:20.000Z they close without");
  CHECK(wait_text({.reason = WaitReason::kBehind, .stream = {}, .device = {}, .rows = 7}, kNow) == "7 records behind");
}

TEST_CASE("a sink is slow when it fails or lies far behind, and only that of the pipeline's own stream counts") {
  sinks::SinkStatus sink;
  sink.stream = "alerts";
  sink.lag_rows = 9'999;
  CHECK(slow_sink_text(sink).empty());
  CHECK(waits_json({}, "alerts", {sink}, kNow) == "[]");
  sink.lag_rows = 10'000;
  CHECK(waits_json({}, "other", {sink}, kNow) == "[]");
  CHECK(waits_json({}, "alerts", {sink}, kNow).starts_with(R"([{"reason":"slow_sink","text":"10000 records of)"));
  sink.lag_rows = 1;
  sink.last_error = "connection refused";
  CHECK(slow_sink_text(sink) == "1 records of 'alerts' have not gone out: connection refused");
  const std::vector<Wait> waits{
      {.reason = WaitReason::kSourceSilent, .stream = "a\"b", .device = {}, .since_us = kNow}};
  const std::string both = waits_json(waits, "alerts", {sink}, kNow);
  CHECK(both.starts_with(R"([{"reason":"source_silent","text":"no record in 'a\"b' for 0 s","stream":"a\"b"},)"));
  CHECK(both.find(R"({"reason":"slow_sink")") != std::string::npos);
}

}  // namespace tidegate::api
