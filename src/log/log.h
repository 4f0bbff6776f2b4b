// The log: durable, replayable streams of records, and the atomic commit of epochs. Two implementations stand
// behind this face: embedded (here) and, later, Kafka.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "catalog/definitions.h"
#include "columnar/batch.h"

namespace tidegate::log {

// Committed records of one stream: row i has offset first.value + i. Immutable.
struct LogBatch {
  columnar::Batch batch;  // the stream's full schema; the device column is dictionary-encoded (devices pool)
  Offset first;
  IngestTime ingest_time;
  [[nodiscard]] Offset end() const { return Offset{first.value + static_cast<int64_t>(batch.rows)}; }
};
// Shared by the tail in memory and its readers.
using LogBatchPtr = std::shared_ptr<const LogBatch>;

// One key of a pipeline's own durable data (state pages, epoch records). The log seals values.
struct StatePut {
  std::string key;  // within the pipeline; stays readable on disk: operator, key group, time only
  std::string value;
};

// An epoch of a pipeline: all of it becomes durable, or nothing.
struct EpochCommit {
  PipelineId pipeline;
  std::vector<std::pair<StreamId, columnar::Batch>> outputs;  // appended in this order
  std::vector<StatePut> puts;
  std::vector<std::string> deletes;  // keys
};

// Tells what became of an append or an epoch, on the log's commit thread: be quick, never block.
// In the order of submission for one caller.
using Committed = std::function<void(Result<>)>;

class Log {
 public:
  virtual ~Log() = default;

  // Must precede any use of the stream; keeps what the log already holds of it. Of a stream that is open it changes the
  // definition: columns may come to the end, or go again. Whatever is read or appended after the return has them, with
  // NULL where it was written without; batches of fewer columns go on being taken.
  virtual Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition> stream) = 0;
  // Deletes its records for good.
  virtual Result<> drop_stream(StreamId stream) = 0;

  // Queues rows for the next group commit; `done` is called after they are durable (fsync), or with the error
  // (DiskFull, StoreFailed, ...) after which the rows are certainly not in the log's visible order.
  virtual void append(StreamId stream, columnar::Batch rows, Committed done) = 0;
  // Bytes queued and not yet durable; callers stop reading from their sockets above kMaxQueuedBytes.
  [[nodiscard]] virtual size_t queued_bytes() const = 0;
  static constexpr size_t kMaxQueuedBytes = 64U << 20;

  // Queues an epoch for the next group commit.
  virtual void commit(EpochCommit epoch, Committed done) = 0;

  // The next offset to be given out, of what is committed.
  [[nodiscard]] virtual Offset end(StreamId stream) const = 0;
  // The first offset still held.
  [[nodiscard]] virtual Offset begin(StreamId stream) const = 0;
  // The first offset whose record was ingested at or after `time`; end() if there is none.
  [[nodiscard]] virtual Result<Offset> offset_at(StreamId stream, IngestTime time) const = 0;

  // Committed records from `from` on: from memory when they are recent, else from the store. At least one row if
  // from < end(), at most about `max_rows` (whole batches; the first is cut so that it starts at `from`).
  // OffsetOutOfRange before begin(). A corrupted segment is quarantined and reported by
  // LogCorrupted, whose message says which offsets are lost; read on from `next_readable`.
  [[nodiscard]] virtual Result<std::vector<LogBatchPtr>> read(StreamId stream, Offset from, size_t max_rows) = 0;
  // The first offset at or after `from` that is not quarantined.
  [[nodiscard]] virtual Offset next_readable(StreamId stream, Offset from) const = 0;

  // A pipeline's own data, by key; keys in order for the scan.
  [[nodiscard]] virtual Result<std::optional<std::string>> get_state(PipelineId pipeline, std::string_view key) = 0;
  [[nodiscard]] virtual Result<std::vector<StatePut>> scan_state(PipelineId pipeline, std::string_view prefix) = 0;
  // Its keys that begin with `prefix`, in order.
  [[nodiscard]] virtual Result<std::vector<std::string>> state_keys(PipelineId pipeline, std::string_view prefix) = 0;
  virtual Result<> drop_state(PipelineId pipeline) = 0;

  // Calls `listener` on the commit thread after each group commit that added records to `stream`, until the
  // returned handle is destroyed (which waits for a call under way).
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };
  [[nodiscard]] virtual std::unique_ptr<Subscription> on_append(StreamId stream, std::function<void()> listener) = 0;
};

}  // namespace tidegate::log
