#include "sinks/internal/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <semaphore>

#include "base/bytes.h"
#include "base/logging.h"

namespace tidegate::sinks {

namespace {

// State of a sink: docs/formats/sink_position.md.
constexpr std::string_view kPositionKey = "position";
constexpr uint8_t kFormatVersion = 1;

}  // namespace

Result<std::unique_ptr<Sink>> Sink::open(log::Log& log, const io::Clock& clock,
                                         std::shared_ptr<const catalog::StreamDefinition> stream,
                                         std::unique_ptr<Outlet> outlet) {
  const StreamId id = stream->id;
  std::unique_ptr<Sink> sink(new Sink(log, clock, std::move(stream), std::move(outlet)));
  TRY_ASSIGN(const auto stored, log.get_state(sink_pipeline_id(id), kPositionKey));
  if (stored) {
    ByteReader reader(*stored);
    const auto version = reader.fixed<uint8_t>();
    sink->position_ = Offset{reader.fixed<int64_t>()};
    sink->mark_ = reader.text();
    if (version != kFormatVersion || !reader.finished()) {
      return fail(ErrorCode::FormatUnknown,
                  fmt::format("the position of sink '{}' cannot be read", sink->stream().name));
    }
  } else {
    sink->position_ = log.begin(id);
  }
  sink->shared_.lock()->position = sink->position_;
  return sink;
}

bool Sink::deliver() {
  const int64_t retry_at_us = shared_.lock()->retry_at_us;
  if (retry_at_us != 0 && clock_.monotonic_us() < retry_at_us) return false;
  Result<bool> moved = deliver_chunk();
  if (!moved) {
    note_failure(moved.error());
    return false;
  }
  if (*moved || retry_at_us != 0) {
    retry_us_ = 0;
    auto shared = shared_.lock();
    shared->retry_at_us = 0;
    shared->last_error.clear();
  }
  return *moved;
}

Result<bool> Sink::deliver_chunk() {
  if (!resumed_) {
    TRY(outlet_->resume(mark_));
    // Before the first delivery, so that a crash during it leaves nothing that the next start would not know of.
    if (mark_ != outlet_->mark()) TRY(store(position_));
    resumed_ = true;
  }
  if (position_ >= log_.end(stream_->id)) return false;
  auto batches = log_.read(stream_->id, position_, kRowsPerChunk);
  if (!batches) return skip_unreadable(batches.error());
  Offset reached = position_;
  std::optional<Error> stopped;
  uint64_t rows = 0;
  for (const log::LogBatchPtr& batch : *batches) {
    Delivered delivered = outlet_->deliver(gate_.internal(batch->batch), batch->first);
    rows += delivered.rows;
    if (delivered.rows > 0) reached = Offset{batch->first.value + static_cast<int64_t>(delivered.rows)};
    stopped = std::move(delivered.error);
    if (stopped) break;
  }
  if (reached > position_) TRY(store(reached));
  shared_.lock()->delivered += rows;
  if (stopped) return fail(std::move(*stopped));
  return rows > 0;
}

// Records that expired or were quarantined before they went out: reported and passed over.
Result<bool> Sink::skip_unreadable(const Error& error) {
  Offset next = position_;
  if (error.code == ErrorCode::OffsetOutOfRange) next = log_.begin(stream_->id);
  if (error.code == ErrorCode::LogCorrupted) next = log_.next_readable(stream_->id, position_);
  if (next <= position_) return fail(error);
  log_warn("sink skipped records that can no longer be read",
           {{"stream", stream_->name}, {"from", position_.value}, {"to", next.value}, {"error", error.message}});
  TRY(store(next));
  return true;
}

// Durable on return.
Result<> Sink::store(Offset position) {
  std::string value;
  ByteWriter writer(value);
  writer.fixed(kFormatVersion);
  writer.fixed(position.value);
  writer.text(outlet_->mark());
  log::EpochCommit commit;
  commit.pipeline = sink_pipeline_id(stream_->id);
  commit.puts.push_back({std::string(kPositionKey), std::move(value)});
  std::binary_semaphore answered(0);
  Result<> outcome;
  log_.commit(std::move(commit), [&](Result<> result) {
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

void Sink::note_failure(const Error& error) {
  retry_us_ = std::clamp(retry_us_ * 2, kFirstRetryUs, kLongestRetryUs);
  log_warn("sink failed, will try again",
           {{"stream", stream_->name}, {"error", error.message}, {"retry_in_ms", retry_us_ / kMicrosPerMilli}});
  auto shared = shared_.lock();
  shared->last_error = error.to_string();
  shared->retry_at_us = clock_.monotonic_us() + retry_us_;
}

std::optional<int64_t> Sink::retry_in_us() const {
  const int64_t retry_at_us = shared_.lock()->retry_at_us;
  if (retry_at_us == 0) return std::nullopt;
  return std::max<int64_t>(0, retry_at_us - clock_.monotonic_us());
}

SinkStatus Sink::status() const {
  const int64_t end = log_.end(stream_->id).value;
  const auto shared = shared_.lock();
  return {stream_->name, shared->position, std::max<int64_t>(0, end - shared->position.value), shared->delivered,
          shared->last_error};
}

}  // namespace tidegate::sinks
