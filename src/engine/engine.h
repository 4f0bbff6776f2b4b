// The engine: runs pipelines over the log, exactly once, and answers live queries.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "columnar/string_pool.h"
#include "engine/wait.h"
#include "io/clock.h"
#include "log/log.h"
#include "lookup/table_version.h"
#include "sql/plan.h"

namespace tidegate::engine {

struct EngineOptions {
  int threads = 1;                  // workers; each owns a set of key groups
  size_t max_batch_rows = 8192;     // rows an operator sees at once
  size_t max_epoch_rows = 262'144;  // input rows of one epoch
  size_t max_epoch_output_bytes = 16U << 20;
  int64_t min_epoch_us = 5'000;                          // an epoch is not shorter than this while input keeps coming
  int64_t snapshot_interval_us = 10 * kMicrosPerSecond;  // state is snapshotted this often ...
  size_t snapshot_dirty_bytes = 64U << 20;               // ... or when this much of it has changed
  // Pages of a snapshot of more than this go into the log a part after the other, between others' commits.
  size_t snapshot_commit_bytes = 8U << 20;
  // State of one pipeline or live query; one that needs more stops with an error, so that the others go on. 0: any.
  size_t max_state_bytes = 0;
  // From here on a pipeline spills what state can be spilled to the store, with a snapshot. 0: never.
  size_t spill_state_bytes = 0;
  // Where lookup joins get their tables; null: there are none. Must outlive the engine.
  const lookup::TableReader* tables = nullptr;
  // Tests: no threads; the caller drives with run_until_idle().
  bool manual = false;
  // Tests: false leaves pipelines as a kill would, without a last epoch and snapshot.
  bool clean_stop = true;
};

struct PipelineSpec {
  catalog::PipelineDefinition definition;
  sql::Plan plan;
  std::shared_ptr<const catalog::StreamDefinition> target;
  std::shared_ptr<const catalog::StreamDefinition> late;  // null if no operator can find a record late
  // Where rows go that do not fit the rules of the target's values; may be null if it has none.
  std::shared_ptr<const catalog::StreamDefinition> dead_letters = nullptr;
};

struct OperatorStatus {
  std::string operator_id;
  std::string kind;  // "scan", "filter", "project", "lookup", "window", ...
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t late = 0;
  uint64_t errors = 0;  // values that could not be computed and are NULL, since the start
  size_t memory_bytes = 0;
};

struct PipelineStatus {
  PipelineId id;
  std::string name;
  catalog::PipelineState state = catalog::PipelineState::kRunning;
  std::string error;  // why it failed, or why its last epoch is not stored yet
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;
  uint64_t late = 0;
  uint64_t dead_letters = 0;  // output rows that did not fit the target's rules since the pipeline started
  uint64_t skipped = 0;       // input rows that the log had lost (quarantined or expired) since the pipeline started
  uint64_t epochs = 0;
  int64_t lag_rows = 0;                 // committed input not yet processed
  Watermark watermark = kMinWatermark;  // shared; the least over devices that are not idle
  int64_t watermark_lag_us = 0;         // clock minus watermark; 0 while there is none
  size_t memory_bytes = 0;
  uint64_t spilled_bytes = 0;    // state that is in the store only, before it is sealed
  double commit_latency_ms = 0;  // of the last epoch
  std::vector<Wait> waits;       // what it waits for; empty when results come as they should
  std::vector<OperatorStatus> operators;
};

// What a live query has for its reader since the last take().
struct LiveUpdate {
  std::vector<columnar::Batch> batches;
  uint64_t missed_rows = 0;  // dropped because the reader was slow
  bool ended = false;        // the query is over: `error` says why, or the engine stops
  std::string error;
};

// A SELECT that runs for its reader only: from the streams' ends (or `starts`), without durable state. The
// reader's queue is bounded; what does not fit is counted, never waited for. Destroying it ends the query.
class LiveQuery {
 public:
  virtual ~LiveQuery() = default;
  [[nodiscard]] virtual const columnar::SchemaPtr& schema() const = 0;
  [[nodiscard]] virtual LiveUpdate take() = 0;
};

// Where to begin in a stream; what is not there (any more) is left out.
struct SourceStart {
  StreamId stream;
  Offset from;
};

struct LiveOptions {
  std::vector<SourceStart> starts;  // of the streams that are not read from their ends on
  size_t max_queued_rows = 65'536;
  size_t max_queued_bytes = 16U << 20;  // about; rows may be large, and a server has many readers
  std::function<void()> on_ready;       // from an engine thread, when take() has something new; be quick
};

// What a query over what is stored has for its reader since the last take().
struct BoundedUpdate {
  std::vector<columnar::Batch> batches;
  bool ended = false;          // nothing more comes
  std::optional<Error> error;  // why, if not because all is done
};

struct BoundedProgress {
  uint64_t rows_read = 0;
  uint64_t rows_to_read = 0;  // in all; what a LIMIT makes superfluous is not read
  uint64_t skipped = 0;       // rows that the log had lost or dropped by the time they were to be read
  uint64_t timeless = 0;      // rows that belong to no window, for want of an event time
  size_t memory_bytes = 0;
};

// A SELECT over the records that are there when it is opened; its result does not depend on what comes later.
// Destroying it ends the query.
class BoundedQuery {
 public:
  virtual ~BoundedQuery() = default;
  // Without the columns that only ORDER BY needs.
  [[nodiscard]] virtual const columnar::SchemaPtr& schema() const = 0;
  [[nodiscard]] virtual BoundedUpdate take() = 0;
  [[nodiscard]] virtual BoundedProgress progress() const = 0;
};

// Records [from, to) of a stream; what is not there is left out.
struct SourceRange {
  StreamId stream;
  Offset from;
  Offset to;
};

struct BoundedOptions {
  std::vector<SourceRange> ranges;                  // of the streams that are not read as a whole
  std::optional<uint64_t> max_rows = std::nullopt;  // as a LIMIT, below that of the query if there is one
  size_t max_memory_bytes = 256U << 20;             // of operators, sorting and waiting results; then QueryTooLarge
  int64_t max_time_us = 60 * kMicrosPerSecond;      // waiting for the reader left out; then QueryTooLong
  // The query rests while so much waits for its reader.
  size_t max_queued_rows = 65'536;
  size_t max_queued_bytes = 8U << 20;
  std::function<void()> on_ready;  // from an engine thread, when take() has something new; be quick
};

// Any thread.
class Engine {
 public:
  [[nodiscard]] static std::unique_ptr<Engine> create(log::Log& log, const io::Clock& clock,
                                                      columnar::StringPool& devices, EngineOptions options);
  virtual ~Engine() = default;  // stops all pipelines cleanly: a last epoch with a snapshot

  // Recovers its state from the log if it has run before.
  [[nodiscard]] virtual Result<> start(PipelineSpec spec) = 0;
  [[nodiscard]] virtual Result<> stop(PipelineId pipeline) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<LiveQuery>> open_live(sql::Plan plan, LiveOptions options) = 0;
  // On a thread of its own that gives way to everything else. Rows come in the order of the log, those of windows and
  // OVER as they are done, or as ORDER BY says; nothing is late, since what is still to come is known.
  [[nodiscard]] virtual Result<std::unique_ptr<BoundedQuery>> open_bounded(sql::Plan plan, BoundedOptions options) = 0;
  [[nodiscard]] virtual std::vector<PipelineStatus> status() const = 0;

  // EngineOptions::manual only: runs epochs until no pipeline has input left and no timer is due.
  [[nodiscard]] virtual Result<> run_until_idle() = 0;
};

}  // namespace tidegate::engine
