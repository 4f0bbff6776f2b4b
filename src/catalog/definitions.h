// What the catalog holds, as plain typed values: streams, views and pipelines.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "columnar/batch.h"

namespace tidegate::catalog {

// Where the records of a stream also go. Every kind is a durable stream first; a deliverer with a
// stored position carries its records out (sinks/).
enum class Connector : uint8_t { kStream = 0, kMqtt = 1, kFile = 2 };

// Which rows hold back shared windows (src/engine/README.md): each device by itself, or the stream as a whole
// as Flink does it.
enum class WatermarkScope : uint8_t { kDevice = 0, kPartition = 1 };

// A stream as CREATE TABLE declares it. Options with a field of their own are also in `options`.
struct StreamDefinition {
  StreamId id;
  std::string name;
  columnar::SchemaPtr schema;
  std::optional<size_t> time_column;  // the column of WATERMARK FOR; TIMESTAMP(3) or TIMESTAMP_LTZ(3)
  int64_t watermark_delay_us = 0;     // the watermark is the greatest event time minus this
  // 'device' = 'column', STRING. Without it the stream has no device column; its records are placed by
  // the authenticated device.
  std::optional<size_t> device_column;
  Connector connector = Connector::kStream;
  WatermarkScope watermark_scope = WatermarkScope::kDevice;  // 'watermark.scope'
  int64_t max_skew_us = 5 * 60 * kMicrosPerSecond;           // 'max_skew': event time this far ahead is dead-lettered
  int64_t idle_timeout_us = 60 * kMicrosPerSecond;           // 'idle_timeout': releases shared windows
  int64_t close_after_us = 24 * 3600 * kMicrosPerSecond;     // 'close_after': closes a silent device's windows
  std::string mqtt_topic;                                    // 'mqtt.topic': filter for ingest, or target of a sink
  std::map<std::string, std::string> options;                // WITH (...) as written
  std::string sql;                                           // the statement, with columns that came later
};

struct ViewDefinition {
  std::string name;
  std::string query;  // the text after AS
  std::string sql;
};

enum class PipelineState : uint8_t { kRunning = 0, kStopped = 1, kFailed = 2 };

// INSERT INTO target SELECT ..., for ever.
struct PipelineDefinition {
  PipelineId id;
  std::string name;
  std::string target;  // name of the stream it writes
  std::string sql;
  PipelineState wanted = PipelineState::kRunning;
  // Streams that got columns since its query was made, by name in lower case: how many of their columns it knows. Its
  // `SELECT *` means those, and what it writes into such a stream has NULL in the others.
  std::map<std::string, uint32_t> known_columns = {};
  // Where it begins in the streams that it reads, until an epoch of it is stored; at the oldest record of any other.
  std::vector<std::pair<StreamId, Offset>> starts = {};
  // By whose clocks its windows of days, months and shifts go where neither they nor their stream say: as the
  // installation had it when the pipeline was made. Empty: UTC.
  std::string time_zone = {};
};

// `stream` as a pipeline knows it, and any stream without an entry as it is.
[[nodiscard]] std::shared_ptr<const StreamDefinition> as_known(std::shared_ptr<const StreamDefinition> stream,
                                                               const std::map<std::string, uint32_t>& known_columns);

}  // namespace tidegate::catalog
