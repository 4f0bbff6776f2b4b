#include "engine/internal/result_queue.h"

#include <algorithm>
#include <utility>

namespace tidegate::engine {

ResultQueue::ResultQueue(size_t max_rows, size_t max_bytes, std::function<void()> on_ready,
                         std::function<void()> wake_engine)
    : max_rows_(std::max<size_t>(max_rows, 1)), max_bytes_(max_bytes), on_ready_(std::move(on_ready)) {
  queue_.lock()->wake_engine = std::move(wake_engine);
}

void ResultQueue::push(columnar::Batch rows) {
  if (rows.rows == 0) return;
  auto queue = queue_.lock();
  if (queue->abandoned) return;
  queue->fresh = true;
  queue->rows += rows.rows;
  queue->bytes += rows.memory_bytes();
  queue->update.batches.push_back(std::move(rows));
}

void ResultQueue::end(std::optional<Error> error) {
  auto queue = queue_.lock();
  queue->update.ended = true;
  queue->update.error = std::move(error);
  queue->wake_engine = nullptr;
  queue->fresh = true;
}

void ResultQueue::report(const BoundedProgress& progress) { queue_.lock()->progress = progress; }

bool ResultQueue::abandoned() const { return queue_.lock()->abandoned; }

bool ResultQueue::full() const { return is_full(*queue_.lock()); }

size_t ResultQueue::bytes() const { return queue_.lock()->bytes; }

void ResultQueue::notify() {
  const std::lock_guard lock(callback_mutex_);
  if (!std::exchange(queue_.lock()->fresh, false)) return;
  if (on_ready_) on_ready_();
}

BoundedUpdate ResultQueue::take() {
  auto queue = queue_.lock();
  BoundedUpdate update = std::exchange(queue->update, {});
  queue->update.ended = update.ended;
  queue->update.error = update.error;
  const bool was_full = is_full(*queue);
  queue->rows = 0;
  queue->bytes = 0;
  if (was_full && queue->wake_engine) queue->wake_engine();
  return update;
}

BoundedProgress ResultQueue::progress() const { return queue_.lock()->progress; }

void ResultQueue::abandon() {
  {
    const std::lock_guard lock(callback_mutex_);
    on_ready_ = nullptr;
  }
  auto queue = queue_.lock();
  queue->abandoned = true;
  queue->update = {};
  if (queue->wake_engine) queue->wake_engine();
}

}  // namespace tidegate::engine
