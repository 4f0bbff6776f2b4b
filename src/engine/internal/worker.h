// One worker's copy of a pipeline's operators, over the devices it owns.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/internal/chain.h"
#include "engine/internal/window_operator.h"
#include "log/log.h"

namespace tidegate::engine {

struct EpochInputs {
  int64_t clock_us = 0;
  int64_t shared_watermark = -kNever;  // as of the epoch's start
};

// One thread at a time. `chain` must outlive it.
class Worker {
 public:
  Worker(const ChainPlan& chain, columnar::StringPool& devices, int index, int count, size_t max_batch_rows);

  // The worker's share of these rows.
  void process(const columnar::Batch& rows, const EpochInputs& epoch);
  // Runs what the window has emitted through the rest of the chain.
  void finish_results();

  [[nodiscard]] WindowOperator* window() { return window_ ? &*window_ : nullptr; }
  [[nodiscard]] const WindowOperator* window() const { return window_ ? &*window_ : nullptr; }
  [[nodiscard]] DeviceTable& devices() { return devices_; }
  [[nodiscard]] const DeviceTable& devices() const { return devices_; }
  // Hands over what came out so far.
  [[nodiscard]] std::vector<columnar::Batch> take_outputs();
  [[nodiscard]] size_t output_bytes() const { return output_bytes_; }
  [[nodiscard]] size_t memory_bytes() const;
  // `operators` has one entry per node of the chain.
  void add_status(std::vector<OperatorStatus>& operators) const;

 private:
  void process_batch(columnar::Batch batch, const EpochInputs& epoch);
  [[nodiscard]] columnar::Batch cut(const columnar::Batch& rows, size_t first, size_t count) const;
  void process_own(const columnar::Batch& rows, const EpochInputs& epoch);

  const ChainPlan& chain_;
  const int index_;
  const int count_;
  const size_t max_batch_rows_;
  DeviceTable devices_;
  StatelessStage before_;
  std::optional<WindowOperator> window_;
  StatelessStage after_;
  RowTimes times_;
  std::vector<uint32_t> own_;
  std::vector<columnar::Batch> outputs_;
  size_t output_bytes_ = 0;
  uint64_t rows_in_ = 0;
  uint64_t window_in_ = 0;
  uint64_t window_out_ = 0;
};

}  // namespace tidegate::engine
