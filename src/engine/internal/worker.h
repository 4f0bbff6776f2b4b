// One worker's copy of a pipeline's graph, over the devices it owns.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "engine/internal/device_follower.h"
#include "engine/internal/graph.h"
#include "engine/internal/stateless_stage.h"
#include "log/log.h"

namespace tidegate::engine {

struct EpochTimes {
  int64_t clock_us = 0;
  std::vector<int64_t> shared_watermarks;   // by StagePlan::shared_index; as of the epoch's start
  std::span<const LookupIndexPtr> lookups;  // by the graph's lookups
  bool given = false;                       // watermarks come from outside; rows move none
};

// One thread at a time. `graph` must outlive it.
class Worker {
 public:
  Worker(const GraphPlan& graph, columnar::StringPool& devices, int index, int count, size_t max_batch_rows);

  // The worker's share of these rows of a source.
  void process(size_t source, const columnar::Batch& rows, const EpochTimes& epoch);
  // Moves the devices of a stage by those of its feeds, and fires what is due by that; true if a watermark moved.
  bool follow(size_t stage, const EpochTimes& epoch, int64_t silence_clock_us);
  // When follow() may move something though no row has come; kNever: not.
  [[nodiscard]] int64_t next_idle_us(size_t stage) const;
  // Moves all devices of the inputs, or of a stage that has its own, on to a watermark.
  void raise_inputs(int64_t watermark);
  void raise_stage(size_t stage, int64_t watermark);
  // Hands what a stage has emitted to what takes it.
  void flush(size_t stage, const EpochTimes& epoch);

  [[nodiscard]] StatefulOperator& op(size_t stage) { return *stages_[stage].op; }
  [[nodiscard]] const StatefulOperator& op(size_t stage) const { return *stages_[stage].op; }
  // Of an input below a stage.
  [[nodiscard]] DeviceTable& devices(size_t input) { return *inputs_[input].devices; }
  [[nodiscard]] const DeviceTable& devices(size_t input) const { return *inputs_[input].devices; }
  // What snapshots store, as GraphPlan::state_ids() names it.
  [[nodiscard]] const std::vector<KeyedState*>& states() const { return states_; }

  // Hands over what came out so far.
  [[nodiscard]] std::vector<columnar::Batch> take_outputs();
  [[nodiscard]] size_t output_bytes() const { return output_bytes_; }
  [[nodiscard]] size_t memory_bytes() const;
  // `operators` has one entry per node of the graph.
  void add_status(std::vector<OperatorStatus>& operators) const;

 private:
  struct Input {
    const InputPlan& plan;
    StatelessStage device_filters;
    StatelessStage steps;                  // behind them
    std::unique_ptr<DeviceTable> devices;  // null if no stage above goes by time
    std::unique_ptr<InputDevices> state;   // null if the stage above stores the devices
    RowTimes times;
    uint64_t rows = 0;
  };
  struct Stage {
    const StagePlan& plan;
    StatelessStage steps;                      // behind it
    DeviceTable* devices;                      // its input's, or its own
    std::unique_ptr<DeviceTable> own_devices;  // null if it goes by its input's
    std::unique_ptr<DeviceFollower> follower;  // only with own devices and own watermarks
    std::unique_ptr<StatefulOperator> op;
    RowTimes times;
    uint64_t rows_in = 0;
    uint64_t rows_out = 0;
  };

  void add_input(const InputPlan& plan);
  void add_stage(const StagePlan& plan);
  void process_all(Input& input, const columnar::Batch& rows, const EpochTimes& epoch);
  void process_own(Input& input, const columnar::Batch& rows, const EpochTimes& epoch);
  void process_part(Input& input, columnar::Batch batch, const EpochTimes& epoch);
  void process_batch(Input& input, columnar::Batch batch, const EpochTimes& epoch);
  void deliver(const Link& link, columnar::Batch batch, const RowTimes* times, const EpochTimes& epoch);
  static columnar::Batch cut(const InputPlan& plan, const columnar::Batch& rows, size_t first, size_t count);
  [[nodiscard]] static StageTime time_of(const StagePlan& plan, const EpochTimes& epoch);

  const GraphPlan& graph_;
  columnar::StringPool& names_;
  const int index_;
  const int count_;
  const size_t max_batch_rows_;
  std::deque<Input> inputs_;  // what refers to one another does not move
  std::deque<Stage> stages_;
  std::vector<KeyedState*> states_;
  std::vector<uint32_t> own_;
  std::vector<columnar::Batch> outputs_;
  size_t output_bytes_ = 0;
};

}  // namespace tidegate::engine
