// Runs a graph over epochs: the workers' copies of the operators, and what they share between epochs (watermarks,
// merged windows). Knows neither the log nor durability: pipelines and live queries are built on it.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "engine/internal/graph.h"
#include "engine/internal/worker.h"
#include "engine/internal/worker_pool.h"
#include "engine/late.h"

namespace tidegate::engine {

// The shared watermarks, as of the end of the last epoch. Part of a pipeline's state.
struct Watermarks {
  int64_t least = -kNever;          // over all inputs: how far the pipeline as a whole has come
  int64_t scanned_at_us = -kNever;  // clock reading of the epoch that last looked at all devices
  std::vector<int64_t> stages;      // by StagePlan::shared_index: over the inputs below
};

// One thread at a time (the coordinator's).
class Execution {
 public:
  Execution(std::unique_ptr<GraphPlan> graph, columnar::StringPool& devices, int workers, size_t max_batch_rows);

  // The versions that lookup joins use from now on, by GraphPlan::tables(). Before the first epoch, if there are any.
  void use_tables(const std::vector<lookup::TableVersionPtr>& tables);
  // One epoch: begin, process any number of times, finish.
  void begin(int64_t clock_us);
  void process(size_t source, std::span<const columnar::Batch> batches, WorkerPool& pool);
  // Watermarks, idle and close decisions, shared windows. True if a watermark moved or a window was emitted. `behind`:
  // much input is still unread, so that a device of which nothing came need not be silent; none is taken for it.
  // StateIncompatible: spilled state that was due could not be read; the operators' state is of no use any more.
  [[nodiscard]] Result<bool> finish(bool had_input, bool behind);

  // Instead of begin() and finish(), where the watermark is known and not worked out: rows are in no way judged by
  // the clock or by each other, and what advance() closes comes out. No row to come may be at or before it.
  void begin_given();
  void advance(int64_t watermark);
  // How far to advance() from `from` towards `to` for about so many results: all the way, unless windows overlap.
  [[nodiscard]] int64_t next_watermark(int64_t from, int64_t to, size_t results) const;

  // LimitReached if the state has grown beyond so many bytes; 0: it may.
  [[nodiscard]] Result<> check_memory(size_t limit_bytes) const;
  [[nodiscard]] std::vector<columnar::Batch> take_outputs();
  // As late_schema() has them.
  [[nodiscard]] std::vector<columnar::Batch> take_late();
  [[nodiscard]] size_t output_bytes() const;

  // The clock reading at which an epoch is due even without input; kNever: none.
  [[nodiscard]] int64_t next_timer_us() const;

  [[nodiscard]] const GraphPlan& graph() const { return *graph_; }
  [[nodiscard]] std::deque<Worker>& workers() { return workers_; }
  [[nodiscard]] const std::deque<Worker>& workers() const { return workers_; }
  // In the workers' tables, of all inputs that go by time.
  [[nodiscard]] size_t devices() const;
  [[nodiscard]] Watermarks& watermarks() { return watermarks_; }
  [[nodiscard]] const Watermarks& watermarks() const { return watermarks_; }
  [[nodiscard]] size_t memory_bytes() const;
  // Of these, what can be spilled.
  [[nodiscard]] size_t spillable_bytes() const;
  // The shared watermark that operator `op` of GraphPlan::state_ids() goes by; -kNever if it does not.
  [[nodiscard]] int64_t watermark_of_state(size_t op) const;
  [[nodiscard]] std::vector<OperatorStatus> operator_status() const;

 private:
  // With more devices than this, looking at all of them is worth doing only every kScanInterval of the clock.
  static constexpr size_t kManyDevices = 4096;
  static constexpr int64_t kScanIntervalUs = 200 * kMicrosPerMilli;

  [[nodiscard]] uint64_t fired() const;
  [[nodiscard]] bool has_open(size_t stage) const;
  bool move_watermarks(bool had_input);
  [[nodiscard]] bool scan_can_wait(bool had_input) const;
  [[nodiscard]] int64_t watermark_of(size_t input);
  [[nodiscard]] int64_t scan_devices(size_t input);
  [[nodiscard]] Result<bool> finish_stage(size_t stage);
  [[nodiscard]] int64_t next_timer_us(size_t stage) const;

  std::unique_ptr<GraphPlan> graph_;
  LateLayout late_;
  std::deque<Worker> workers_;  // operators refer to their worker: no moving
  EpochTimes epoch_;
  int64_t silence_clock_us_ = -kFarTime;  // what silence is measured by: the epoch's clock, or long ago
  std::vector<LookupIndexPtr> lookups_;   // by GraphPlan::lookups()
  Watermarks watermarks_;
  bool scan_due_ = false;  // the last epoch did without looking at all devices
  // When the next device becomes idle. Not known until all devices were looked at: at once, so that a pipeline that has
  // just been restored does not wait for input to notice who is silent.
  int64_t next_idle_us_ = -kNever;
};

}  // namespace tidegate::engine
