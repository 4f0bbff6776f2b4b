#include "engine/internal/live_query.h"

#include <algorithm>
#include <utility>

namespace tidegate::engine {

LiveQueue::LiveQueue(LiveOptions options, std::function<void()> wake_engine)
    : max_rows_(std::max<size_t>(options.max_queued_rows, 1)),
      max_bytes_(options.max_queued_bytes),
      on_ready_(std::move(options.on_ready)) {
  queue_.lock()->wake_engine = std::move(wake_engine);
}

bool LiveQueue::push(columnar::Batch rows) {
  auto queue = queue_.lock();
  if (queue->abandoned) return false;
  const size_t fits = is_full(*queue) ? 0 : std::min(rows.rows, max_rows_ - queue->rows);
  queue->update.missed_rows += rows.rows - fits;
  queue->fresh = true;
  if (fits == 0) return true;
  queue->rows += fits;
  queue->update.batches.push_back(columnar::slice(rows, 0, fits));
  queue->bytes += queue->update.batches.back().memory_bytes();
  return true;
}

void LiveQueue::end(std::string error) {
  auto queue = queue_.lock();
  queue->update.ended = true;
  queue->update.error = std::move(error);
  queue->wake_engine = nullptr;
  queue->fresh = true;
}

bool LiveQueue::abandoned() const { return queue_.lock()->abandoned; }

bool LiveQueue::full() const { return is_full(*queue_.lock()); }

void LiveQueue::notify() {
  const std::lock_guard lock(callback_mutex_);
  if (!std::exchange(queue_.lock()->fresh, false)) return;
  if (on_ready_) on_ready_();
}

LiveUpdate LiveQueue::take() {
  auto queue = queue_.lock();
  LiveUpdate update = std::move(queue->update);
  queue->update = {};
  queue->update.ended = update.ended;
  queue->update.error = update.error;
  const bool was_full = is_full(*queue);
  queue->rows = 0;
  queue->bytes = 0;
  if (was_full && queue->wake_engine) queue->wake_engine();
  return update;
}

void LiveQueue::abandon() {
  {
    const std::lock_guard lock(callback_mutex_);
    on_ready_ = nullptr;
  }
  auto queue = queue_.lock();
  queue->abandoned = true;
  queue->update = {};
  if (queue->wake_engine) queue->wake_engine();
}

// The queue is shared with the reader's LiveHandle; either may go first.
LiveTask::LiveTask(log::Log& log, const io::Clock& clock, columnar::StringPool& devices, const EngineOptions& options,
                   std::unique_ptr<ChainPlan> chain, std::shared_ptr<LiveQueue> queue, bool from_start,
                   std::function<void()> wake)
    : log_(log),
      clock_(clock),
      execution_(std::move(chain), devices, 1, options.max_batch_rows),
      reader_(log, execution_.chain().source().id, "live query"),
      queue_(std::move(queue)) {
  const StreamId stream = execution_.chain().source().id;
  catch_up_ = log.end(stream);
  reader_.seek(from_start ? log.begin(stream) : catch_up_);
  subscription_ = log.on_append(stream, std::move(wake));
}

// History is not lost on a slow reader; what is happening now does not wait for it.
bool LiveTask::waits_for_reader() const { return reader_.position() < catch_up_ && queue_->full(); }

bool LiveTask::has_input() const { return log_.end(execution_.chain().source().id) > reader_.position(); }

bool LiveTask::step(WorkerPool& pool) {
  if (over() || waits_for_reader()) return false;
  const bool input = has_input();
  const int64_t clock_us = std::max(last_clock_us_, clock_.now_us());
  if (!input && execution_.next_timer_us() > clock_us) return false;
  last_clock_us_ = clock_us;
  execution_.begin(clock_us);
  const Offset end = log_.end(execution_.chain().source().id);
  const Offset limit = reader_.position() < catch_up_ ? std::min(end, catch_up_) : end;
  const auto batches = reader_.read(kTurnRows, limit);
  if (!batches) {
    end_with(batches.error().to_string());
    return true;
  }
  execution_.process(*batches, pool);
  const bool changed = execution_.finish(!batches->empty());
  (void)execution_.take_late();
  for (columnar::Batch& batch : execution_.take_outputs()) {
    if (!queue_->push(std::move(batch))) return true;
  }
  queue_->notify();
  return input || changed;
}

int64_t LiveTask::next_step_us() const {
  if (over() || waits_for_reader()) return kNever;
  const int64_t now_us = clock_.monotonic_us();
  if (has_input()) return now_us;
  const int64_t timer_us = execution_.next_timer_us();
  return timer_us >= kNever ? kNever : now_us + (timer_us - std::max(last_clock_us_, clock_.now_us()));
}

void LiveTask::end_with(std::string error) {
  over_ = true;
  queue_->end(std::move(error));
  queue_->notify();
}

}  // namespace tidegate::engine
