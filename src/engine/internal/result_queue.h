// Between a query over what is stored and its reader: rows that wait to be fetched, and what each tells the other.
#pragma once

#include <functional>
#include <mutex>

#include "base/guarded.h"
#include "engine/engine.h"

namespace tidegate::engine {

// Nothing is ever dropped: the query looks at full() before it goes on. Any thread.
class ResultQueue {
 public:
  ResultQueue(size_t max_rows, size_t max_bytes, std::function<void()> on_ready, std::function<void()> wake_engine);

  // The query's side.
  void push(columnar::Batch rows);
  void end(std::optional<Error> error);
  void report(const BoundedProgress& progress);
  [[nodiscard]] bool abandoned() const;
  [[nodiscard]] bool full() const;
  [[nodiscard]] size_t bytes() const;
  // Tells the reader, if there is something new since the last time.
  void notify();

  // The reader's side. abandon() waits for a notify() under way.
  [[nodiscard]] BoundedUpdate take();
  [[nodiscard]] BoundedProgress progress() const;
  void abandon();

 private:
  struct Queue {
    BoundedUpdate update;
    BoundedProgress progress;
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

}  // namespace tidegate::engine
