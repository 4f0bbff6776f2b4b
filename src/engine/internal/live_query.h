// Live queries: a chain without durable state, whose results wait in a bounded queue for one reader.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "engine/engine.h"
#include "engine/internal/execution.h"
#include "engine/internal/pipeline_tables.h"
#include "engine/internal/source_reader.h"
#include "engine/internal/wake.h"

namespace tidegate::engine {

// Between a live query's task and its reader. Any thread.
class LiveQueue {
 public:
  LiveQueue(LiveOptions options, std::function<void()> wake_engine);

  // The task's side. push() drops what does not fit; false once the reader is gone.
  // `all`: room or not. False: its reader has gone.
  bool push(const columnar::Batch& rows, bool all);
  void end(std::string error);
  [[nodiscard]] bool abandoned() const;
  // Takes nothing more until the reader has come.
  [[nodiscard]] bool full() const;
  // Tells the reader, if there is something new since the last time.
  void notify();

  // The reader's side.
  [[nodiscard]] LiveUpdate take();
  void abandon();

 private:
  struct Queue {
    LiveUpdate update;
    size_t rows = 0;
    size_t bytes = 0;
    bool fresh = false;  // something the reader was not told of
    bool abandoned = false;
    std::function<void()> wake_engine;  // empty once the query has ended
  };
  [[nodiscard]] bool is_full(const Queue& queue) const { return queue.rows >= max_rows_ || queue.bytes >= max_bytes_; }

  const size_t max_rows_;
  const size_t max_bytes_;
  std::mutex callback_mutex_;  // held while on_ready_ runs, so that abandon() can wait for it
  std::function<void()> on_ready_;
  Guarded<Queue> queue_;
};

// The engine's side of a live query. The live thread's alone.
class LiveTask {
 public:
  LiveTask(log::Log& log, const io::Clock& clock, columnar::StringPool& devices, const EngineOptions& options,
           std::unique_ptr<GraphPlan> graph, std::shared_ptr<LiveQueue> queue, const std::vector<SourceStart>& starts,
           const std::function<void()>& wake);

  // Does what there is to do; true if it did anything.
  bool step(WorkerPool& pool);
  [[nodiscard]] bool over() const { return over_ || queue_->abandoned(); }
  // As Pipeline::next_step_us().
  [[nodiscard]] int64_t next_step_us() const;
  void end_with(std::string error);

 private:
  // Rows taken at a time: many queries share the thread, each gets its turn.
  static constexpr size_t kTurnRows = 65'536;
  [[nodiscard]] bool waits_for_reader() const;
  [[nodiscard]] bool has_input() const;
  // Reads and processes what each source has; the number of rows.
  [[nodiscard]] Result<size_t> feed(WorkerPool& pool);

  // A stream that the query reads.
  struct Source {
    StreamId stream;
    SourceReader reader;
    Offset catch_up;  // rows before it wait for the reader; later ones are dropped if it is slow
    std::unique_ptr<log::Log::Subscription> subscription;
    [[nodiscard]] bool behind() const { return reader.position() < catch_up; }
  };

  log::Log& log_;
  const io::Clock& clock_;
  Execution execution_;
  std::vector<Source> sources_;
  PipelineTables tables_;
  const size_t max_state_bytes_;
  std::shared_ptr<LiveQueue> queue_;  // shared with the reader's LiveQuery; either may go first
  int64_t last_clock_us_ = 0;
  bool over_ = false;
};

// The reader's handle.
class LiveHandle final : public LiveQuery {
 public:
  LiveHandle(std::shared_ptr<LiveQueue> queue, columnar::SchemaPtr schema)
      : queue_(std::move(queue)), schema_(std::move(schema)) {}
  ~LiveHandle() override { queue_->abandon(); }
  LiveHandle(const LiveHandle&) = delete;
  LiveHandle& operator=(const LiveHandle&) = delete;
  [[nodiscard]] const columnar::SchemaPtr& schema() const override { return schema_; }
  [[nodiscard]] LiveUpdate take() override { return queue_->take(); }

 private:
  std::shared_ptr<LiveQueue> queue_;  // shared with the task; either may go first
  columnar::SchemaPtr schema_;
};

}  // namespace tidegate::engine
