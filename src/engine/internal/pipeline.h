// A running pipeline: turns committed input into committed output, epoch by epoch.
//
//   idle --input or timer--> an epoch is computed --> committing --ok--> idle
//                                                       |  ^
//                                                 error v  | after a pause
//                                                      retrying          (an operator's error: failed, for good)
//
// All but status() and lag_rows() from the coordinator's thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/guarded.h"
#include "engine/engine.h"
#include "engine/internal/commit_slot.h"
#include "engine/internal/epoch_record.h"
#include "engine/internal/execution.h"
#include "engine/internal/output_check.h"
#include "engine/internal/pipeline_tables.h"
#include "engine/internal/progress.h"
#include "engine/internal/snapshot.h"
#include "engine/internal/source_reader.h"

namespace tidegate::engine {

struct PipelineContext {
  log::Log& log;
  const io::Clock& clock;
  columnar::StringPool& devices;
  const EngineOptions& options;
};

class Pipeline {
 public:
  // `wake` is called from the log's commit thread when there is something to do.
  Pipeline(const PipelineContext& context, PipelineSpec spec, std::unique_ptr<GraphPlan> graph, OutputCheck check,
           const std::function<void()>& wake);

  // Loads the snapshot and replays the epochs after it. Before anything else; any one thread.
  [[nodiscard]] Result<> recover(WorkerPool& pool);

  // Does what there is to do; true if it did anything.
  bool step(WorkerPool& pool);
  // When step() should be called again if nothing wakes it, in clock.monotonic_us() terms; kNever: not.
  [[nodiscard]] int64_t next_step_us() const;
  // Waits for the epoch under way; manual mode. The error of a commit, which a later step() tries again.
  [[nodiscard]] Result<> wait_commit();
  // A last snapshot, waited for.
  void stop();

  [[nodiscard]] PipelineStatus status() const;
  [[nodiscard]] PipelineId id() const { return spec_.definition.id; }

 private:
  enum class Phase : uint8_t { kIdle, kCommitting, kRetrying, kFailed };

  // A failed commit is tried again after this, doubling up to the limit: disk space may come back.
  static constexpr int64_t kFirstRetryUs = 100 * kMicrosPerMilli;
  static constexpr int64_t kLastRetryUs = 10 * kMicrosPerSecond;
  // With more devices than this, looking at all of them is for once in kProgressIntervalUs, not for every epoch.
  static constexpr size_t kManyDevices = 4096;
  static constexpr int64_t kProgressIntervalUs = 2 * kMicrosPerSecond;
  // From one snapshot to the next it is so many times as long as the first one took: large state costs a quarter of the
  // throughput, and a restart computes that much more again.
  static constexpr int64_t kSnapshotShare = 4;
  // Rows between two looks at the size of the epoch's output; enough to keep all workers busy.
  static constexpr size_t kRoundRows = 65'536;
  // Between two looks for a lookup table that has never held anything.
  static constexpr int64_t kTableWaitUs = kMicrosPerSecond;

  bool run_epoch(WorkerPool& pool);
  // The newest versions of the lookup tables for the next epoch; false, and not before a while, if there are none.
  [[nodiscard]] bool take_tables();
  [[nodiscard]] Result<size_t> feed(WorkerPool& pool);
  [[nodiscard]] Result<size_t> feed_round(size_t source, size_t wanted, WorkerPool& pool);
  // From where the readers were to where they are.
  [[nodiscard]] std::vector<SourceRange> ranges_since(const std::vector<Offset>& from) const;
  [[nodiscard]] std::vector<Offset> positions() const;
  [[nodiscard]] const catalog::StreamDefinition& source(size_t at) const { return *execution_.graph().sources()[at]; }
  void commit_epoch(const std::vector<Offset>& from, bool snapshot_due);
  void submit();
  void on_committed(const Result<>& result);
  void on_failed_commit(const Error& error);
  void add_outputs(log::EpochCommit& commit);
  [[nodiscard]] bool snapshot_due(bool had_input) const;
  [[nodiscard]] bool spill_due() const;
  [[nodiscard]] bool timer_due() const;
  [[nodiscard]] bool has_input() const;
  [[nodiscard]] int64_t next_clock() const;
  void fail_pipeline(const Error& error);
  void publish();
  void publish_progress(const std::vector<Offset>& from);
  void publish_position();

  [[nodiscard]] Result<> restore(const Manifest& manifest, WorkerPool& pool);
  [[nodiscard]] Offset first_of(StreamId stream) const;
  // Pages of a snapshot that was never finished go with the next one; `manifest` is that of the last one that was.
  [[nodiscard]] Result<> forget_pages_ahead(const std::optional<Manifest>& manifest);
  [[nodiscard]] Result<std::vector<EpochRecord>> records_after(EpochId snapshot);
  [[nodiscard]] Result<> replay(const EpochRecord& record, WorkerPool& pool);
  [[nodiscard]] Result<> replay_rows(const EpochRecord& record, WorkerPool& pool);
  [[nodiscard]] std::vector<int64_t> stage_watermarks(const EpochRecord& record) const;
  void adopt(const EpochRecord& record);

  PipelineContext context_;
  PipelineSpec spec_;
  OutputCheck check_;
  Execution execution_;
  Snapshots snapshots_;
  PipelineTables tables_;
  PipelineTables::Versions versions_;  // of the newest epoch computed
  std::vector<SourceReader> readers_;  // by source
  CommitSlot slot_;
  std::vector<std::unique_ptr<log::Log::Subscription>> subscriptions_;

  Phase phase_ = Phase::kIdle;
  EpochRecord last_;                          // the newest epoch computed
  int64_t snapshot_at_us_ = 0;                // clock of the last snapshot
  EpochId snapshot_epoch_{};                  // its epoch
  std::optional<int64_t> snapshot_began_us_;  // monotonic; if there is one in the epoch under way
  int64_t snapshot_cost_us_ = 0;              // what the last one took, from its pages to its commit
  bool spills_ = false;                       // once the snapshot under way is stored
  std::vector<std::string> stale_;            // keys that the next snapshot makes superfluous
  std::deque<log::EpochCommit> pending_;      // what the epoch has left to commit; the first is under way
  int64_t submitted_us_ = 0;                  // monotonic
  int64_t retry_at_us_ = 0;                   // monotonic
  int64_t retry_delay_us_ = kFirstRetryUs;
  int64_t not_before_us_ = 0;         // monotonic: the next epoch's earliest start
  std::atomic<int64_t> position_{0};  // the sum over the sources
  Guarded<PipelineStatus> status_;
  Guarded<Progress> progress_;
  int64_t looked_at_us_ = 0;  // clock of the last look at all devices
};

}  // namespace tidegate::engine
