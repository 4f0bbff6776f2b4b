// Runs a chain over epochs: the workers' copies of the operators, and what they share between epochs (watermark,
// merged windows). Knows neither the log nor durability: pipelines and live queries are built on it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/internal/chain.h"
#include "engine/internal/window_merger.h"
#include "engine/internal/worker.h"
#include "engine/internal/worker_pool.h"

namespace tidegate::engine {

// The shared watermark, as of the end of the last epoch. Part of a pipeline's state.
struct SharedWatermark {
  int64_t value = -kNever;
  int64_t scanned_at_us = -kNever;  // clock reading of the epoch that last looked at all devices
};

// One thread at a time (the coordinator's).
class Execution {
 public:
  Execution(std::unique_ptr<ChainPlan> chain, columnar::StringPool& devices, int workers, size_t max_batch_rows);

  // One epoch: begin, process any number of times, finish.
  void begin(int64_t clock_us);
  void process(std::span<const columnar::Batch> batches, WorkerPool& pool);
  // Watermarks, idle and close decisions, shared windows. True if a watermark moved or a window was emitted.
  bool finish(bool had_input);

  [[nodiscard]] std::vector<columnar::Batch> take_outputs();
  [[nodiscard]] std::vector<columnar::Batch> take_late();
  [[nodiscard]] size_t output_bytes() const;

  // The clock reading at which an epoch is due even without input; kNever: none.
  [[nodiscard]] int64_t next_timer_us() const;

  [[nodiscard]] const ChainPlan& chain() const { return *chain_; }
  [[nodiscard]] std::vector<Worker>& workers() { return workers_; }
  [[nodiscard]] SharedWatermark& watermark() { return watermark_; }
  [[nodiscard]] const SharedWatermark& watermark() const { return watermark_; }
  [[nodiscard]] size_t memory_bytes() const;
  [[nodiscard]] std::vector<OperatorStatus> operator_status() const;

 private:
  // With more devices than this, looking at all of them is worth doing only every kScanInterval of the clock.
  static constexpr size_t kManyDevices = 4096;
  static constexpr int64_t kScanIntervalUs = 200 * kMicrosPerMilli;

  [[nodiscard]] uint64_t windows_fired() const;
  [[nodiscard]] bool has_open_windows() const;
  int64_t next_watermark(bool had_input);
  int64_t scan_devices();
  void fire_shared();

  std::unique_ptr<ChainPlan> chain_;
  std::vector<Worker> workers_;
  std::unique_ptr<WindowMerger> merger_;  // only with several workers
  EpochInputs epoch_;
  SharedWatermark watermark_;
  bool scan_due_ = false;  // the last epoch did without looking at all devices
  // When the next device becomes idle. Not known until all devices were looked at: at once, so that a pipeline that has
  // just been restored does not wait for input to notice who is silent.
  int64_t next_idle_us_ = -kNever;
};

}  // namespace tidegate::engine
