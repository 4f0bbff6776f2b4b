#include "sinks/internal/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <semaphore>

#include "base/bytes.h"
#include "base/logging.h"
#include "sinks/internal/undelivered.h"

namespace tidegate::sinks {

namespace {

// State of a sink: docs/formats/sink_position.md.
constexpr std::string_view kPositionKey = "position";
constexpr uint8_t kFormatVersion = 1;
constexpr uint8_t kFormatVersionWithFlight = 2;

}  // namespace

Result<std::unique_ptr<Sink>> Sink::open(SinkParts parts, StreamPtr stream, StreamPtr dead_letters,
                                         std::unique_ptr<Outlet> outlet) {
  const StreamId id = stream->id;
  std::unique_ptr<Sink> sink(new Sink(parts, std::move(stream), std::move(dead_letters), std::move(outlet)));
  TRY_ASSIGN(const auto stored, parts.log.get_state(sink_pipeline_id(id), kPositionKey));
  if (stored) {
    ByteReader reader(*stored);
    const auto version = reader.fixed<uint8_t>();
    sink->position_ = Offset{reader.fixed<int64_t>()};
    sink->mark_ = reader.text();
    if (version == kFormatVersionWithFlight) sink->flight_end_ = Offset{reader.fixed<int64_t>()};
    if (version < kFormatVersion || version > kFormatVersionWithFlight || !reader.finished()) {
      return fail(ErrorCode::FormatUnknown,
                  fmt::format("the position of sink '{}' cannot be read", sink->stream().name));
    }
  } else {
    sink->position_ = parts.log.begin(id);
  }
  sink->shared_.lock()->position = sink->position_;
  return sink;
}

bool Sink::deliver() {
  const int64_t due_us = shared_.lock()->due_us;
  if (due_us != 0 && parts_.clock.monotonic_us() < due_us) return false;
  Result<Step> step = deliver_next();
  if (!step) {
    if (step.error().code != ErrorCode::Cancelled) note_failure(step.error());
    return false;
  }
  if (*step == Step::kMoved) note_success();
  return *step != Step::kNothing;
}

Result<Sink::Step> Sink::deliver_next() {
  TRY(resume_outlet());
  if (position_ >= parts_.log.end(stream_->id)) {
    if (retry_us_ != 0) note_success();  // what failed was getting ready, or a record that was given up
    return Step::kNothing;
  }
  if (const int64_t early_us = outlet_->not_before_us() - parts_.clock.now_us(); early_us > 0) {
    wait_for(early_us);
    return Step::kNothing;
  }
  auto next = next_delivery();
  if (!next) return skip_unreadable(next.error());
  if (!*next) return Step::kNothing;
  Delivery& delivery = **next;
  if (outlet_->keeps_deliveries_together()) {
    TRY(store_flight(delivery.after(delivery.rows())));
  }
  Delivered delivered = outlet_->deliver(delivery);
  if (delivered.rows > 0) {
    const Offset reached = delivery.after(delivered.rows);
    if (reached >= flight_end_) flight_end_ = {};
    TRY(store(reached));
    refusals_ = 0;
    shared_.lock()->delivered += delivered.rows;
  }
  if (delivered.error) return after_failure(delivery, std::move(delivered));
  if (row_limit_ != 0) row_limit_ *= 2;
  if (row_limit_ >= outlet_->max_rows()) row_limit_ = 0;
  return Step::kMoved;
}

// Before the first attempt, so that a crash during it leaves what the delivery was.
Result<> Sink::store_flight(Offset end) {
  const Offset before = std::exchange(flight_end_, end);
  if (before == end) return {};
  auto stored = store(position_);
  if (!stored) flight_end_ = before;
  return stored;
}

Result<> Sink::resume_outlet() {
  if (resumed_) return {};
  TRY(outlet_->resume(mark_));
  // Before the first delivery, so that a crash during it leaves nothing that the next start would not know of.
  if (mark_ != outlet_->mark()) TRY(store(position_));
  resumed_ = true;
  return {};
}

// What was under way at a crash goes out as it was; else as many records as there are and fit.
Result<std::optional<Delivery>> Sink::next_delivery() {
  const bool in_flight = flight_end_ > position_;
  size_t limit = outlet_->max_rows();
  if (row_limit_ != 0) limit = std::min(limit, row_limit_);
  if (in_flight) limit = static_cast<size_t>(flight_end_.value - position_.value);
  const Offset end = in_flight ? flight_end_ : parts_.log.end(stream_->id);
  Delivery delivery;
  Offset at = position_;
  size_t rows = 0;
  while (rows < limit && at < end) {
    auto batches = parts_.log.read(stream_->id, at, limit - rows);
    if (!batches && rows > 0) break;  // what is readable goes out first
    if (!batches) return fail(std::move(batches.error()));
    if (batches->empty()) break;
    for (const log::LogBatchPtr& batch : *batches) {
      const auto before_end = static_cast<size_t>(std::max<int64_t>(0, end.value - batch->first.value));
      const size_t take = std::min({batch->batch.rows, limit - rows, before_end});
      at = batch->end();
      if (take == 0) break;
      columnar::Batch piece = take == batch->batch.rows ? batch->batch : columnar::slice(batch->batch, 0, take);
      delivery.pieces.push_back({gate_.internal(std::move(piece)), batch->first});
      rows += take;
    }
  }
  if (rows == 0) return std::nullopt;
  if (!in_flight) delivery.keep(outlet_->fitting_rows(delivery), gate_);
  return delivery;
}

// A record that is refused is singled out by halves; alone, it gets its attempts and then becomes a dead letter.
Result<Sink::Step> Sink::after_failure(const Delivery& delivery, Delivered delivered) {
  const int max_refusals = outlet_->retry_policy().max_refusals;
  retry_after_us_ = std::clamp<int64_t>(delivered.retry_after_us, 0, kLongestRetryAfterUs);
  if (!delivered.refused || max_refusals == 0) return fail(std::move(*delivered.error));
  if (const size_t rows = delivery.rows(); rows > 1) {
    row_limit_ = rows / 2;
    flight_end_ = {};
    auto shared = shared_.lock();
    ++shared->retries;
    shared->last_error = delivered.error->to_string();
    if (shared->failing_since_us == 0) shared->failing_since_us = parts_.clock.now_us();
    return Step::kAgain;
  }
  if (++refusals_ >= max_refusals && dead_letters_) return give_up(delivery, *delivered.error);
  return fail(std::move(*delivered.error));
}

Result<Sink::Step> Sink::give_up(const Delivery& delivery, const Error& error) {
  Undelivered undelivered(dead_letters_, parts_.devices);
  std::vector<std::pair<StreamId, columnar::Batch>> outputs;
  outputs.emplace_back(dead_letters_->id,
                       undelivered.rows(*stream_, delivery, outlet_->target(), error, parts_.clock.now_us()));
  flight_end_ = {};
  TRY(store(delivery.after(1), std::move(outputs)));
  refusals_ = 0;
  log_warn("sink gave a record up; it is in the dead letters",
           {{"stream", stream_->name}, {"offset", delivery.first().value}, {"error", error.message}});
  ++shared_.lock()->dead_letters;
  // The pause stays as long as it was: if it is the receiver and not the record, few records go this way.
  wait_for(retry_us_);
  return Step::kNothing;
}

// Records that expired or were quarantined before they went out: reported and passed over.
Result<Sink::Step> Sink::skip_unreadable(const Error& error) {
  Offset next = position_;
  if (error.code == ErrorCode::OffsetOutOfRange) next = parts_.log.begin(stream_->id);
  if (error.code == ErrorCode::LogCorrupted) next = parts_.log.next_readable(stream_->id, position_);
  if (next <= position_) return fail(error);
  log_warn("sink skipped records that can no longer be read",
           {{"stream", stream_->name}, {"from", position_.value}, {"to", next.value}, {"error", error.message}});
  flight_end_ = {};
  TRY(store(next));
  return Step::kMoved;
}

// Durable on return, together with `outputs`.
Result<> Sink::store(Offset position, std::vector<std::pair<StreamId, columnar::Batch>> outputs) {
  const bool in_flight = flight_end_ > position;
  std::string value;
  ByteWriter writer(value);
  writer.fixed(in_flight ? kFormatVersionWithFlight : kFormatVersion);
  writer.fixed(position.value);
  writer.text(outlet_->mark());
  if (in_flight) writer.fixed(flight_end_.value);
  log::EpochCommit commit;
  commit.pipeline = sink_pipeline_id(stream_->id);
  commit.outputs = std::move(outputs);
  commit.puts.push_back({std::string(kPositionKey), std::move(value)});
  std::binary_semaphore answered(0);
  Result<> outcome;
  parts_.log.commit(std::move(commit), [&](Result<> result) {
    outcome = std::move(result);
    answered.release();
  });
  answered.acquire();
  if (!outcome) {
    resumed_ = false;  // the outlet goes back to the mark that is stored
    return outcome;
  }
  mark_ = outlet_->mark();
  position_ = position;
  shared_.lock()->position = position;
  return {};
}

void Sink::note_success() {
  retry_us_ = 0;
  auto shared = shared_.lock();
  shared->due_us = 0;
  shared->failing_since_us = 0;
  shared->last_error.clear();
}

void Sink::note_failure(const Error& error) {
  const RetryPolicy policy = outlet_->retry_policy();
  retry_us_ = std::clamp(retry_us_ * 2, policy.first_us, policy.longest_us);
  int64_t pause_us = retry_us_;
  if (policy.jitter) pause_us -= static_cast<int64_t>(parts_.random.unit() * static_cast<double>(pause_us) / 2);
  pause_us = std::max(pause_us, std::exchange(retry_after_us_, 0));
  log_warn("sink failed, will try again",
           {{"stream", stream_->name}, {"error", error.message}, {"retry_in_ms", pause_us / kMicrosPerMilli}});
  auto shared = shared_.lock();
  shared->last_error = error.to_string();
  ++shared->retries;
  if (shared->failing_since_us == 0) shared->failing_since_us = parts_.clock.now_us();
  shared->due_us = parts_.clock.monotonic_us() + pause_us;
}

std::optional<int64_t> Sink::due_in_us() const {
  const int64_t due_us = shared_.lock()->due_us;
  if (due_us == 0) return std::nullopt;
  return std::max<int64_t>(0, due_us - parts_.clock.monotonic_us());
}

SinkStatus Sink::status() const {
  const int64_t end = parts_.log.end(stream_->id).value;
  const auto shared = shared_.lock();
  SinkStatus status;
  status.stream = stream_->name;
  status.connector = stream_->connector;
  status.position = shared->position;
  status.lag_rows = std::max<int64_t>(0, end - shared->position.value);
  status.delivered = shared->delivered;
  status.retries = shared->retries;
  status.dead_letters = shared->dead_letters;
  status.last_error = shared->last_error;
  status.failing_since_us = shared->failing_since_us;
  if (shared->due_us != 0) status.due_in_us = std::max<int64_t>(0, shared->due_us - parts_.clock.monotonic_us());
  if (shared->failing_since_us != 0) {
    status.state = SinkState::kRetrying;
  } else if (status.lag_rows > 0) {
    status.state = status.due_in_us > 0 ? SinkState::kWaiting : SinkState::kDelivering;
  }
  return status;
}

}  // namespace tidegate::sinks
