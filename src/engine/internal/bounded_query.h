// Queries over what is stored: the same graph as a pipeline's, over a range of each stream that is known beforehand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "engine/internal/bounded_source.h"
#include "engine/internal/execution.h"
#include "engine/internal/pipeline_tables.h"
#include "engine/internal/result_queue.h"
#include "engine/internal/row_sorter.h"

namespace tidegate::engine {

// begin -> survey (only if time plays a part) -> read -> the last windows -> sorted rows -> over. The query thread's
// alone.
class BoundedTask {
 public:
  // `queue` is shared with the reader's BoundedHandle; either may go first.
  BoundedTask(log::Log& log, const io::Clock& clock, columnar::StringPool& devices, const EngineOptions& engine_options,
              std::unique_ptr<GraphPlan> graph, const BoundedOptions& options, std::shared_ptr<ResultQueue> queue);

  // Does a turn's worth of work; true if it did anything.
  bool step(WorkerPool& pool);
  [[nodiscard]] bool over() const { return over_ || queue_->abandoned(); }
  [[nodiscard]] size_t memory_bytes() const;
  // As Pipeline::next_step_us().
  [[nodiscard]] int64_t next_step_us() const { return over() || queue_->full() ? kNever : clock_.monotonic_us(); }
  void end_with(std::optional<Error> error);

 private:
  // Rows taken or given at a time: queries share the thread, each gets its turn.
  static constexpr size_t kTurnRows = 65'536;

  void add_sources(log::Log& log, const BoundedOptions& options);
  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> check_limits() const;
  [[nodiscard]] Result<bool> survey();
  [[nodiscard]] Result<> turn(WorkerPool& pool);
  // The source that is furthest behind in time; nothing if all have been read.
  [[nodiscard]] std::optional<size_t> next_source() const;
  [[nodiscard]] Result<> read(WorkerPool& pool);
  void advance();
  void collect();
  void emit(const columnar::Batch& rows);
  void finish();
  void report();

  const io::Clock& clock_;
  Execution execution_;
  Result<PipelineTables::Versions> tables_;  // of lookup joins, as of the beginning
  const sql::Ordering ordering_;
  columnar::SchemaPtr schema_;
  std::optional<uint64_t> limit_;
  const size_t max_memory_bytes_;
  std::vector<BoundedSource> sources_;  // as GraphPlan::sources() has them
  std::optional<RowSorter> sorter_;
  int64_t watermark_ = -kNever;              // how far windows have come
  int64_t target_ = -kNever;                 // how far they may, by what was read
  std::shared_ptr<ResultQueue> queue_;       // shared with the reader's BoundedHandle; either may go first
  uint64_t to_skip_;                         // OFFSET
  int64_t deadline_us_;                      // monotonic
  std::optional<int64_t> resting_since_us_;  // waiting for the reader, which does not count
  uint64_t timeless_ = 0;
  bool begun_ = false;
  bool surveying_;
  bool giving_ = false;  // what was sorted
  bool over_ = false;
};

// What the reader gets to see: the root's columns without those that only ORDER BY needs.
[[nodiscard]] columnar::SchemaPtr visible_schema(const sql::Plan& plan);

// The reader's handle.
class BoundedHandle final : public BoundedQuery {
 public:
  BoundedHandle(std::shared_ptr<ResultQueue> queue, columnar::SchemaPtr schema)
      : queue_(std::move(queue)), schema_(std::move(schema)) {}
  ~BoundedHandle() override { queue_->abandon(); }
  BoundedHandle(const BoundedHandle&) = delete;
  BoundedHandle& operator=(const BoundedHandle&) = delete;
  [[nodiscard]] const columnar::SchemaPtr& schema() const override { return schema_; }
  [[nodiscard]] BoundedUpdate take() override { return queue_->take(); }
  [[nodiscard]] BoundedProgress progress() const override { return queue_->progress(); }

 private:
  std::shared_ptr<ResultQueue> queue_;  // shared with the task; either may go first
  columnar::SchemaPtr schema_;
};

}  // namespace tidegate::engine
