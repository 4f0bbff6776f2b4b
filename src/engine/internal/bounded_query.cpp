#include "engine/internal/bounded_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tidegate::engine {

namespace {

std::optional<uint64_t> least_of(std::optional<uint64_t> a, std::optional<uint64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// Everything that is before `time` for sure, with event times of whole milliseconds.
int64_t watermark_before(int64_t time) {
  if (time >= kFarTime) return kEndOfTime;
  const int64_t rest = time % kMicrosPerMilli;
  return time - (rest < 0 ? rest + kMicrosPerMilli : rest) - kMicrosPerMilli;
}

}  // namespace

columnar::SchemaPtr visible_schema(const sql::Plan& plan) {
  const size_t hidden = plan.ordering ? plan.ordering->hidden : 0;
  if (hidden == 0) return plan.root->output;
  auto schema = std::make_shared<columnar::Schema>(*plan.root->output);  // shared as every schema
  schema->fields.resize(schema->fields.size() - hidden);
  return schema;
}

BoundedTask::BoundedTask(log::Log& log, const io::Clock& clock, columnar::StringPool& devices,
                         const EngineOptions& engine_options, std::unique_ptr<GraphPlan> graph,
                         const BoundedOptions& options, std::shared_ptr<ResultQueue> queue)
    : clock_(clock),
      execution_(std::move(graph), devices, 1, engine_options.max_batch_rows),
      tables_(PipelineTables(execution_.graph().tables(), engine_options.tables, log, {}).newest()),
      ordering_(execution_.graph().plan().ordering.value_or(sql::Ordering{})),
      schema_(visible_schema(execution_.graph().plan())),
      limit_(least_of(ordering_.limit, options.max_rows)),
      max_memory_bytes_(options.max_memory_bytes),
      queue_(std::move(queue)),
      to_skip_(ordering_.offset),
      deadline_us_(clock.monotonic_us() + options.max_time_us),
      surveying_(execution_.graph().has_state()) {
  if (!ordering_.keys.empty()) {
    constexpr uint64_t kAll = UINT64_MAX;
    const bool few = limit_ && *limit_ < kAll - to_skip_;
    sorter_.emplace(ordering_.keys, few ? std::optional(*limit_ + to_skip_) : std::nullopt);
  }
  add_sources(log, options);
  report();
}

// The index of a large lookup table takes a while.
Result<> BoundedTask::begin() {
  TRY(tables_);
  execution_.use_tables(*tables_);
  execution_.begin_given();
  begun_ = true;
  return {};
}

void BoundedTask::add_sources(log::Log& log, const BoundedOptions& options) {
  for (const catalog::StreamDefinition* stream : execution_.graph().sources()) {
    Offset from = log.begin(stream->id);
    Offset to = log.end(stream->id);
    for (const SourceRange& range : options.ranges) {
      if (range.stream != stream->id) continue;
      from = std::clamp(range.from, from, to);
      to = std::clamp(range.to, from, to);
    }
    sources_.emplace_back(log, *stream, from, to, surveying_);
  }
}

bool BoundedTask::step(WorkerPool& pool) {
  if (over()) return false;
  if (queue_->full()) {
    if (!resting_since_us_) resting_since_us_ = clock_.monotonic_us();
    return false;
  }
  if (resting_since_us_) deadline_us_ += clock_.monotonic_us() - *resting_since_us_;
  resting_since_us_.reset();
  const auto work = [&]() -> Result<> {
    TRY(check_limits());
    if (!begun_) {
      TRY(begin());
    } else if (surveying_) {
      TRY_ASSIGN(surveying_, survey());
    } else {
      TRY(turn(pool));
    }
    return {};
  };
  if (Result<> done = work(); !done) end_with(std::move(done.error()));
  report();
  queue_->notify();
  return true;
}

Result<> BoundedTask::check_limits() const {
  if (memory_bytes() > max_memory_bytes_) {
    return fail(
        ErrorCode::QueryTooLarge, fmt::format("the query needs more than {} MB of memory", max_memory_bytes_ >> 20),
        sorter_ ? "Add a LIMIT to ORDER BY, or ask for less time." : "Ask for less time or for larger windows.");
  }
  if (clock_.monotonic_us() <= deadline_us_) return {};
  return fail(ErrorCode::QueryTooLong, "the query took longer than it may",
              "Ask for less time, or allow it a longer timeout.");
}

Result<bool> BoundedTask::survey() {
  for (BoundedSource& source : sources_) {
    TRY_ASSIGN(const bool more, source.survey(kTurnRows));
    if (more) return true;
  }
  return false;
}

std::optional<size_t> BoundedTask::next_source() const {
  std::optional<size_t> next;
  for (size_t at = 0; at < sources_.size(); ++at) {
    if (sources_[at].at_end()) continue;
    if (!next || sources_[at].least_time_to_come() < sources_[*next].least_time_to_come()) next = at;
  }
  return next;
}

Result<> BoundedTask::turn(WorkerPool& pool) {
  if (giving_ || limit_ == 0U) {
    finish();
    return {};
  }
  if (watermark_ == target_) TRY(read(pool));
  if (watermark_ < target_) advance();
  collect();
  if (over_) return {};
  TRY(check_limits());
  if (watermark_ == target_ && !next_source()) finish();
  return {};
}

// Some more rows; what windows may close by them.
Result<> BoundedTask::read(WorkerPool& pool) {
  if (const auto source = next_source()) {
    TRY_ASSIGN(const std::vector<columnar::Batch> batches, sources_[*source].read(kTurnRows));
    execution_.process(*source, batches, pool);
  }
  if (!execution_.graph().has_state()) return {};
  int64_t least = kNever;
  for (const BoundedSource& source : sources_) least = std::min(least, source.least_time_to_come());
  target_ = std::max(watermark_, watermark_before(least));
  return {};
}

void BoundedTask::advance() {
  int64_t newest = -kFarTime;
  for (const BoundedSource& source : sources_) newest = std::max(newest, source.newest_time());
  // Deadlines go by the time that the records show: nobody knows what they would say later.
  const int64_t stop = target_ == kEndOfTime && watermark_ < newest ? newest : target_;
  watermark_ = execution_.next_watermark(watermark_, stop, kTurnRows);
  execution_.advance(watermark_);
}

void BoundedTask::collect() {
  for (const columnar::Batch& late : execution_.take_late()) timeless_ += late.rows;
  for (columnar::Batch& batch : execution_.take_outputs()) {
    if (over_) return;
    if (sorter_) {
      sorter_->add(std::move(batch));
    } else {
      emit(batch);
    }
  }
}

// What OFFSET and LIMIT leave of the rows, without hidden columns.
void BoundedTask::emit(const columnar::Batch& rows) {
  const auto skipped = static_cast<size_t>(std::min<uint64_t>(to_skip_, rows.rows));
  to_skip_ -= skipped;
  const uint64_t left = rows.rows - skipped;
  const uint64_t wanted = limit_ ? std::min(*limit_, left) : left;
  columnar::Batch out = columnar::slice(rows, skipped, static_cast<size_t>(wanted));
  out.columns.resize(schema_->fields.size());
  out.schema = schema_;
  queue_->push(std::move(out));
  if (!limit_) return;
  *limit_ -= wanted;
  if (*limit_ == 0 && !sorter_) finish();
}

// All rows are there; sorted ones are given as their reader takes them.
void BoundedTask::finish() {
  if (!sorter_) return end_with(std::nullopt);
  if (!std::exchange(giving_, true)) sorter_->sort();
  while (!queue_->full()) {
    std::optional<columnar::Batch> batch = sorter_->next();
    if (!batch || limit_ == 0U) return end_with(std::nullopt);
    emit(*batch);
  }
}

void BoundedTask::end_with(std::optional<Error> error) {
  if (over_) return;
  over_ = true;
  report();
  queue_->end(std::move(error));
  queue_->notify();
}

void BoundedTask::report() {
  BoundedProgress progress;
  for (const BoundedSource& source : sources_) {
    progress.rows_to_read += source.rows();
    progress.rows_read += surveying_ ? 0 : source.rows_passed();
    progress.skipped += surveying_ ? 0 : source.skipped();
  }
  progress.timeless = timeless_;
  progress.memory_bytes = memory_bytes();
  queue_->report(progress);
}

size_t BoundedTask::memory_bytes() const {
  return execution_.memory_bytes() + (sorter_ ? sorter_->memory_bytes() : 0) + queue_->bytes();
}

}  // namespace tidegate::engine
