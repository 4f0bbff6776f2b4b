// Tests only: a stream of measurements, plans over it built by hand, and an engine on a fake log. (Stream definitions
// are shared because a PipelineSpec shares them with the catalog.)
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/internal/fake_log.h"
#include "engine/late.h"

namespace tidegate::engine {

inline constexpr int64_t kSecond = kMicrosPerSecond;

struct Reading {
  std::string device;
  int64_t time_us = 0;
  double value = 0;
  bool timed = true;   // false: NULL event time
  bool valued = true;  // false: NULL value
};

// Columns of the stream: device STRING, ts TIMESTAMP_LTZ(3), value DOUBLE, n BIGINT (value as an integer), kind STRING.
[[nodiscard]] std::shared_ptr<catalog::StreamDefinition> readings_stream();

enum class GroupBy : uint8_t { kDevice, kDeviceAndKind, kKind, kNothing };

struct Query {
  GroupBy group_by = GroupBy::kDevice;
  sql::WindowSpec window{sql::WindowKind::kTumble, 10 * kSecond, 10 * kSecond, 0};
  std::string having;          // "": none; else results need COUNT(*) >= 2
  bool positive_only = false;  // WHERE value > 0
  bool every_aggregate = false;
  std::string operator_id = "window-1";
};

// SELECT keys, window_start, window_end, window_time, COUNT(*), COUNT(value), SUM(value), AVG(value), MIN(value),
// MAX(value), SUM(n), MAX(kind) ... GROUP BY; with `every_aggregate` also COUNT(DISTINCT value), COUNT(DISTINCT kind),
// SUM(DISTINCT n), VAR_POP(value), STDDEV_SAMP(n), FIRST_VALUE(value), LAST_VALUE(kind), APPROX_PERCENTILE(value, 0.9),
// TIME_WEIGHTED_AVG(value, ts), COUNTER_DELTA(value, 100, kind), COVERAGE(INTERVAL '1' SECOND).
[[nodiscard]] sql::Plan window_plan(std::shared_ptr<const catalog::StreamDefinition> stream, const Query& query);
// SELECT device, value FROM stream WHERE value > 0.
[[nodiscard]] sql::Plan filter_plan(std::shared_ptr<const catalog::StreamDefinition> stream);

// A batch's rows as text, "d1|0|10000000|...".
[[nodiscard]] std::vector<std::string> to_lines(const columnar::Batch& batch);
[[nodiscard]] std::vector<std::string> sorted(std::vector<std::string> lines);

// An engine in manual mode over a fake log that outlives it. Event and clock times are microseconds since kStart.
class Bench {
 public:
  static constexpr int64_t kStart = 1'700'000'000 * kSecond;

  Bench();
  explicit Bench(std::shared_ptr<catalog::StreamDefinition> stream);

  EngineOptions options;
  FakeLog log;
  io::ManualClock clock{kStart};
  columnar::StringPool devices;
  std::shared_ptr<catalog::StreamDefinition> source;
  std::shared_ptr<catalog::StreamDefinition> target;
  std::shared_ptr<catalog::StreamDefinition> late;
  std::unique_ptr<Engine> engine;
  std::vector<std::pair<StreamId, Offset>> starts;  // of a pipeline without a stored epoch

  void start(sql::Plan plan);
  void start(const Query& query) { start(window_plan(source, query)); }
  void run();
  // Ends the engine as a kill would, or cleanly; start() goes on from the log.
  void kill();
  void stop();
  // Appends rows; the engine is not run.
  void append(const std::vector<Reading>& readings) { append(readings, source->id); }
  // To another stream of the same columns.
  void append(const std::vector<Reading>& readings, StreamId stream);
  void push(const std::vector<Reading>& readings) {
    append(readings);
    run();
  }
  [[nodiscard]] std::vector<std::string> results() const { return lines_of(target->id); }
  [[nodiscard]] std::vector<std::string> late_rows() const { return lines_of(late->id); }
  [[nodiscard]] PipelineStatus status() const { return engine->status().at(0); }
  [[nodiscard]] std::vector<std::string> lines_of(StreamId stream) const;
};

}  // namespace tidegate::engine
