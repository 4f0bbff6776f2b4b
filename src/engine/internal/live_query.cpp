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

bool LiveQueue::push(const columnar::Batch& rows, bool all) {
  auto queue = queue_.lock();
  if (queue->abandoned) return false;
  const size_t room = is_full(*queue) ? 0 : max_rows_ - queue->rows;
  const size_t fits = all ? rows.rows : std::min(rows.rows, room);
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
                   std::unique_ptr<GraphPlan> graph, std::shared_ptr<LiveQueue> queue,
                   const std::vector<SourceStart>& starts, const std::function<void()>& wake)
    : log_(log),
      clock_(clock),
      execution_(std::move(graph), devices, 1, options.max_batch_rows),
      tables_(execution_.graph().tables(), options.tables, log, {}),
      max_state_bytes_(options.max_state_bytes),
      queue_(std::move(queue)) {
  for (const catalog::StreamDefinition* stream : execution_.graph().sources()) {
    Source source{stream->id, SourceReader(log, stream->id, "live query"), log.end(stream->id), nullptr};
    const auto start = std::ranges::find(starts, stream->id, &SourceStart::stream);
    source.reader.seek(start == starts.end() ? source.catch_up
                                             : std::clamp(start->from, log.begin(stream->id), source.catch_up));
    source.subscription = log.on_append(stream->id, wake);
    sources_.push_back(std::move(source));
  }
}

// History is not lost on a slow reader; what is happening now does not wait for it.
bool LiveTask::waits_for_reader() const { return std::ranges::any_of(sources_, &Source::behind) && queue_->full(); }

bool LiveTask::has_input() const {
  return std::ranges::any_of(
      sources_, [this](const Source& source) { return log_.end(source.stream) > source.reader.position(); });
}

bool LiveTask::step(WorkerPool& pool) {
  if (over() || waits_for_reader()) return false;
  const bool input = has_input();
  const int64_t clock_us = std::max(last_clock_us_, clock_.now_us());
  if (!input && execution_.next_timer_us() > clock_us) return false;
  last_clock_us_ = clock_us;
  const bool history = std::ranges::any_of(sources_, &Source::behind);  // a turn's rows of it, room or not
  const auto versions = tables_.newest();
  if (!versions) {
    end_with(versions.error().to_string());
    return true;
  }
  if (const Result<> fits = execution_.check_memory(max_state_bytes_); !fits) {
    end_with(fits.error().to_string());
    return true;
  }
  execution_.use_tables(*versions);
  execution_.begin(clock_us);
  const Result<size_t> rows = feed(pool);
  if (!rows) {
    end_with(rows.error().to_string());
    return true;
  }
  const Result<bool> changed = execution_.finish(*rows > 0, std::ranges::any_of(sources_, &Source::behind));
  if (!changed) {
    end_with(changed.error().to_string());
    return true;
  }
  (void)execution_.take_late();
  for (const columnar::Batch& batch : execution_.take_outputs()) {
    if (!queue_->push(batch, history)) return true;
  }
  queue_->notify();
  return input || *changed;
}

Result<size_t> LiveTask::feed(WorkerPool& pool) {
  size_t rows = 0;
  for (size_t at = 0; at < sources_.size(); ++at) {
    Source& source = sources_[at];
    const Offset end = log_.end(source.stream);
    const Offset limit = source.behind() ? std::min(end, source.catch_up) : end;
    TRY_ASSIGN(const std::vector<columnar::Batch> batches, source.reader.read(kTurnRows, limit));
    execution_.process(at, batches, pool);
    for (const columnar::Batch& batch : batches) rows += batch.rows;
  }
  return rows;
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
