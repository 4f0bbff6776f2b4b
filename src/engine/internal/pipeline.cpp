#include "engine/internal/pipeline.h"

#include <algorithm>

#include "base/logging.h"
#include "engine/internal/commit_parts.h"
#include "engine/internal/epoch_outputs.h"

namespace tidegate::engine {

Pipeline::Pipeline(const PipelineContext& context, PipelineSpec spec, std::unique_ptr<GraphPlan> graph,
                   OutputCheck check, const std::function<void()>& wake)
    : context_(context),
      spec_(std::move(spec)),
      check_(std::move(check)),
      execution_(std::move(graph), context.devices, std::max(context.options.threads, 1),
                 context.options.max_batch_rows),
      snapshots_(execution_, context.log, spec_.definition.id),
      tables_(execution_.graph().tables(), context.options.tables, context.log, spec_.definition.id),
      slot_(wake) {
  for (const catalog::StreamDefinition* source : execution_.graph().sources()) {
    readers_.emplace_back(context.log, source->id, spec_.definition.name);
    subscriptions_.push_back(context.log.on_append(source->id, wake));
    progress_.lock()->sources.push_back(
        {source->name, context.clock.now_us(), std::min(source->idle_timeout_us, kFarTime)});
  }
  auto status = status_.lock();
  status->id = spec_.definition.id;
  status->name = spec_.definition.name;
}

bool Pipeline::step(WorkerPool& pool) {
  switch (phase_) {
    case Phase::kFailed: return false;
    case Phase::kCommitting: {
      const auto result = slot_.take_result();
      if (!result) return false;
      on_committed(*result);
      return true;
    }
    case Phase::kRetrying:
      if (context_.clock.monotonic_us() < retry_at_us_) return false;
      submit();
      return true;
    case Phase::kIdle: break;
  }
  if (!context_.options.manual && context_.clock.monotonic_us() < not_before_us_) return false;
  if (!has_input() && !timer_due() && !snapshot_due(false) && !snapshots_.full()) return false;
  return run_epoch(pool);
}

int64_t Pipeline::next_step_us() const {
  const int64_t now_us = context_.clock.monotonic_us();
  switch (phase_) {
    case Phase::kFailed:
    case Phase::kCommitting: return kNever;
    case Phase::kRetrying: return retry_at_us_;
    case Phase::kIdle: break;
  }
  if (has_input()) return std::max(now_us, not_before_us_);
  int64_t timer_us = execution_.next_timer_us();
  if (last_.id > snapshot_epoch_ && execution_.graph().has_state()) {
    const int64_t rest_us = std::max(context_.options.snapshot_interval_us, snapshot_cost_us_ * kSnapshotShare);
    timer_us = std::min(timer_us, snapshot_at_us_ + rest_us);
  }
  if (timer_us >= kNever) return kNever;
  return std::max(now_us + (timer_us - next_clock()), not_before_us_);
}

bool Pipeline::has_input() const {
  for (size_t at = 0; at < readers_.size(); ++at) {
    if (context_.log.end(source(at).id) > readers_[at].position()) return true;
  }
  return false;
}

// The clock as epochs see it: it never goes back.
int64_t Pipeline::next_clock() const { return std::max(last_.clock_us, context_.clock.now_us()); }

bool Pipeline::timer_due() const { return execution_.next_timer_us() <= next_clock(); }

bool Pipeline::snapshot_due(bool had_input) const {
  if (!execution_.graph().has_state()) return had_input;  // a position is all the state there is
  if (!had_input && last_.id == snapshot_epoch_) return false;
  if (snapshot_epoch_.value == 0) return true;  // from the first epoch on, the store says which query it is of
  const EngineOptions& options = context_.options;
  const int64_t age_us = next_clock() - snapshot_at_us_;
  // State so large that writing it takes long must not be written all the time, nor one of which more than the limit
  // changes all the time.
  const int64_t rest_us = snapshot_cost_us_ * kSnapshotShare;
  if (age_us >= std::max(options.snapshot_interval_us, rest_us)) return true;
  return age_us >= std::max(options.snapshot_interval_us / 4, rest_us) &&
         snapshots_.dirty_bytes() >= options.snapshot_dirty_bytes;
}

bool Pipeline::spill_due() const {
  const size_t limit = context_.options.spill_state_bytes;
  if (snapshots_.full()) return true;
  // Of what mostly cannot be spilled, spilling the rest again and again would be all that it does.
  return limit != 0 && execution_.memory_bytes() > limit && execution_.spillable_bytes() > limit / 4;
}

bool Pipeline::take_tables() {
  auto versions = tables_.newest();
  if (!versions) {
    not_before_us_ = context_.clock.monotonic_us() + kTableWaitUs;
    status_.lock()->error = "waits: " + versions.error().to_string();
    return false;
  }
  if (versions_.empty() && !versions->empty()) status_.lock()->error.clear();
  versions_ = std::move(*versions);
  execution_.use_tables(versions_);
  return true;
}

bool Pipeline::run_epoch(WorkerPool& pool) {
  if (!take_tables()) return false;
  // Before an epoch, as after its commit: all of the last one is stored, so that a start with more memory goes on from
  // there. What a restart has loaded is looked at here.
  if (const Result<> fits = execution_.check_memory(context_.options.max_state_bytes); !fits) {
    fail_pipeline(fits.error());
    return true;
  }
  const int64_t clock_us = next_clock();
  not_before_us_ = context_.clock.monotonic_us() + context_.options.min_epoch_us;
  const std::vector<Offset> from = positions();
  execution_.begin(clock_us);
  const Result<size_t> rows = feed(pool);
  const bool had_input = positions() != from;
  const bool behind = snapshots_.full() || (rows && *rows >= context_.options.max_epoch_rows && has_input());
  const Result<bool> changed = rows ? execution_.finish(had_input, behind) : std::unexpected(rows.error());
  if (!changed) {
    fail_pipeline(changed.error());
    return true;
  }
  spills_ = spill_due();
  const bool with_snapshot = spills_ || snapshot_due(had_input || *changed);
  if (!had_input && !*changed && !with_snapshot) return false;
  last_.id = EpochId{last_.id.value + 1};
  last_.clock_us = clock_us;
  last_.behind = behind;
  last_.rows_in += *rows;
  commit_epoch(from, with_snapshot);
  return true;
}

// The epoch's input, a round at a time: everybody does its share of a round before the next one starts, and every
// source gets its turn.
Result<size_t> Pipeline::feed(WorkerPool& pool) {
  const EngineOptions& options = context_.options;
  size_t rows = 0;
  for (bool more = !snapshots_.full(); more;) {
    more = false;
    for (size_t at = 0; at < readers_.size(); ++at) {
      if (rows >= options.max_epoch_rows || execution_.output_bytes() >= options.max_epoch_output_bytes) return rows;
      TRY_ASSIGN(const size_t read, feed_round(at, std::min(kRoundRows, options.max_epoch_rows - rows), pool));
      rows += read;
      more = more || read > 0;
    }
  }
  return rows;
}

Result<size_t> Pipeline::feed_round(size_t at, size_t wanted, WorkerPool& pool) {
  TRY_ASSIGN(const std::vector<columnar::Batch> batches, readers_[at].read(wanted, context_.log.end(source(at).id)));
  if (batches.empty()) return size_t{0};
  execution_.process(at, batches, pool);
  size_t rows = 0;
  for (const columnar::Batch& batch : batches) rows += batch.rows;
  return rows;
}

std::vector<Offset> Pipeline::positions() const {
  std::vector<Offset> all;
  for (const SourceReader& reader : readers_) all.push_back(reader.position());
  return all;
}

std::vector<SourceRange> Pipeline::ranges_since(const std::vector<Offset>& from) const {
  std::vector<SourceRange> ranges;
  for (size_t at = 0; at < readers_.size(); ++at) {
    ranges.push_back({source(at).id, from[at], readers_[at].position()});
  }
  return ranges;
}

void Pipeline::commit_epoch(const std::vector<Offset>& from, bool snapshot_due) {
  snapshot_began_us_ = snapshot_due ? std::optional(context_.clock.monotonic_us()) : std::nullopt;
  log::EpochCommit commit{spec_.definition.id, {}, {}, {}};
  add_outputs(commit);
  last_.shared_watermark = execution_.watermarks().least;
  last_.stage_watermarks = execution_.watermarks().stages;
  last_.sources = ranges_since(from);
  if (snapshot_due) {
    last_.tables.clear();
    commit.deletes = std::exchange(stale_, {});
    tables_.forget_others(versions_, commit);
    snapshots_.write(last_, commit);
    snapshot_at_us_ = last_.clock_us;
    snapshot_epoch_ = last_.id;
  } else {
    tables_.record(versions_, last_, commit);
    stale_.push_back(epoch_key(last_.id));
    commit.puts.push_back({stale_.back(), encode(last_)});
  }
  publish_progress(from);
  pending_ = in_parts(std::move(commit), context_.options.snapshot_commit_bytes);
  submitted_us_ = context_.clock.monotonic_us();
  submit();
}

void Pipeline::add_outputs(log::EpochCommit& commit) {
  for (columnar::Batch& batch : execution_.take_outputs()) {
    last_.rows_out += check_.add(std::move(batch), last_.clock_us, context_.devices, commit);
  }
  for (columnar::Batch& batch : execution_.take_late()) {
    last_.late += batch.rows;
    if (spec_.late == nullptr) continue;
    add_rows(spec_.late->id, as_rows_of(*spec_.late, std::move(batch), context_.devices), commit);
  }
}

void Pipeline::submit() {
  phase_ = Phase::kCommitting;
  slot_.submit(context_.log, pending_.front());
}

void Pipeline::on_committed(const Result<>& result) {
  if (!result) return on_failed_commit(result.error());
  pending_.pop_front();
  retry_delay_us_ = kFirstRetryUs;
  if (!pending_.empty()) return submit();
  phase_ = Phase::kIdle;
  if (snapshot_began_us_) snapshot_cost_us_ = context_.clock.monotonic_us() - *snapshot_began_us_;
  publish_position();
  {
    auto status = status_.lock();
    status->error.clear();
    status->epochs += 1;
    status->commit_latency_ms = static_cast<double>(context_.clock.monotonic_us() - submitted_us_) / 1000.0;
  }
  if (std::exchange(spills_, false)) {
    // The snapshot is stored, and no row has come since: what is in memory is what is there.
    const size_t stays = execution_.memory_bytes() - execution_.spillable_bytes();
    const size_t limit = std::max(context_.options.spill_state_bytes, stays);
    const Result<> spilled = snapshots_.spill((limit - stays) / 2);  // well below what makes it spill again
    if (!spilled) return fail_pipeline(spilled.error());
  }
  publish();
  if (const Result<> fits = execution_.check_memory(context_.options.max_state_bytes); !fits) {
    fail_pipeline(fits.error());  // at once: the memory must not be held until something comes
  }
}

void Pipeline::on_failed_commit(const Error& error) {
  phase_ = Phase::kRetrying;
  retry_at_us_ = context_.clock.monotonic_us() + retry_delay_us_;
  retry_delay_us_ = std::min(retry_delay_us_ * 2, kLastRetryUs);
  auto status = status_.lock();
  const bool again = !status->error.empty();
  status->error = "not yet stored, will be tried again: " + error.to_string();
  if (again) return;
  log_warn("engine.commit_failed", {{"pipeline", spec_.definition.name}, {"error", error.to_string()}});
}

Result<> Pipeline::wait_commit() {
  while (phase_ == Phase::kCommitting) {
    const Result<> result = slot_.wait_result();
    on_committed(result);
    if (result) continue;
    retry_at_us_ = 0;
    return result;
  }
  return {};
}

void Pipeline::stop() {
  if (phase_ == Phase::kRetrying) submit();
  if (!wait_commit() || phase_ != Phase::kIdle) return;
  if (!execution_.graph().has_state() || last_.id == snapshot_epoch_) return;
  const std::vector<Offset> from = positions();
  if (!take_tables()) return;
  execution_.begin(next_clock());
  if (const Result<bool> finished = execution_.finish(false, last_.behind); !finished) {
    return fail_pipeline(finished.error());
  }
  last_.clock_us = next_clock();
  last_.id = EpochId{last_.id.value + 1};
  commit_epoch(from, true);
  if (const Result<> result = wait_commit(); !result) {
    log_warn("engine.last_snapshot_failed",
             {{"pipeline", spec_.definition.name}, {"error", result.error().to_string()}});
  }
}

void Pipeline::fail_pipeline(const Error& error) {
  phase_ = Phase::kFailed;
  auto status = status_.lock();
  status->state = catalog::PipelineState::kFailed;
  status->error = error.to_string();
  log_error("engine.pipeline_failed", {{"pipeline", spec_.definition.name}, {"error", status->error}});
}

void Pipeline::publish() {
  auto status = status_.lock();
  status->rows_in = last_.rows_in;
  status->rows_out = last_.rows_out;
  status->late = last_.late;
  status->dead_letters = check_.misfits();
  status->skipped = 0;
  for (const SourceReader& reader : readers_) status->skipped += reader.skipped();
  const int64_t watermark = execution_.watermarks().least;
  status->watermark = watermark == -kNever ? kMinWatermark : Watermark{watermark};
  status->memory_bytes = execution_.memory_bytes();
  status->spilled_bytes = snapshots_.spilled_bytes();
  status->operators = execution_.operator_status();
}

void Pipeline::publish_progress(const std::vector<Offset>& from) {
  const int64_t clock_us = last_.clock_us;
  const bool look = execution_.devices() <= kManyDevices || clock_us - looked_at_us_ >= kProgressIntervalUs;
  std::optional<HeldWatermark> held;
  std::optional<OpenDevice> open;
  if (look) {
    looked_at_us_ = clock_us;
    held = held_watermark(execution_, clock_us);
    open = longest_open(execution_);
  }
  auto progress = progress_.lock();
  for (size_t at = 0; at < readers_.size(); ++at) {
    if (readers_[at].position() > from[at]) progress->sources[at].last_input_us = clock_us;
  }
  if (!look) return;
  progress->held = std::move(held);
  progress->open = std::move(open);
}

void Pipeline::publish_position() {
  int64_t sum = 0;
  for (const SourceReader& reader : readers_) sum += reader.position().value;
  position_ = sum;
}

PipelineStatus Pipeline::status() const {
  PipelineStatus status = *status_.lock();
  int64_t end = 0;
  for (const catalog::StreamDefinition* source : execution_.graph().sources())
    end += context_.log.end(source->id).value;
  status.lag_rows = std::max<int64_t>(end - position_, 0);
  const int64_t now_us = context_.clock.now_us();
  if (status.watermark != kMinWatermark) status.watermark_lag_us = now_us - status.watermark.value;
  if (status.state == catalog::PipelineState::kRunning) {
    status.waits = waits_of(*progress_.lock(), now_us, status.lag_rows, context_.options.max_epoch_rows);
  }
  return status;
}

}  // namespace tidegate::engine
