#include "bench/memory_log.h"

namespace tidegate::bench {

Result<> MemoryLog::open_stream(std::shared_ptr<const catalog::StreamDefinition> stream) {
  streams_[stream->id];
  return {};
}

Result<> MemoryLog::drop_stream(StreamId stream) {
  streams_.erase(stream);
  return {};
}

void MemoryLog::publish(StreamId stream, columnar::Batch rows) {
  Stream& to = streams_[stream];
  const Offset first{to.end};
  to.end += static_cast<int64_t>(rows.rows);
  to.batches.push_back(std::make_shared<const log::LogBatch>(log::LogBatch{std::move(rows), first, IngestTime{0}}));
}

void MemoryLog::append(StreamId stream, columnar::Batch rows, log::Committed done) {
  publish(stream, std::move(rows));
  done({});
}

void MemoryLog::commit(log::EpochCommit epoch, log::Committed done) {
  for (auto& [stream, rows] : epoch.outputs) publish(stream, std::move(rows));
  done({});
}

Offset MemoryLog::end(StreamId stream) const { return Offset{streams_.at(stream).end}; }
Offset MemoryLog::begin(StreamId stream) const { return Offset{streams_.at(stream).begin}; }
Result<Offset> MemoryLog::offset_at(StreamId stream, IngestTime) const { return begin(stream); }
Offset MemoryLog::next_readable(StreamId, Offset from) const { return from; }

// Reading hands everything from `from` on out and forgets what lies before it.
Result<std::vector<log::LogBatchPtr>> MemoryLog::read(StreamId stream, Offset from, size_t max_rows) {
  Stream& source = streams_.at(stream);
  std::vector<log::LogBatchPtr> found;
  size_t rows = 0;
  while (!source.batches.empty() && source.batches.front()->end() <= from) source.batches.erase(source.batches.begin());
  for (const log::LogBatchPtr& batch : source.batches) {
    if (rows >= max_rows) break;
    rows += batch->batch.rows;
    found.push_back(batch);
  }
  return found;
}

Result<std::optional<std::string>> MemoryLog::get_state(PipelineId, std::string_view) { return std::nullopt; }
Result<std::vector<log::StatePut>> MemoryLog::scan_state(PipelineId, std::string_view) {
  return std::vector<log::StatePut>{};
}
Result<std::vector<std::string>> MemoryLog::state_keys(PipelineId, std::string_view) {
  return std::vector<std::string>{};
}
Result<> MemoryLog::drop_state(PipelineId) { return {}; }

std::unique_ptr<log::Log::Subscription> MemoryLog::on_append(StreamId, std::function<void()>) {
  return std::make_unique<Subscription>();
}

}  // namespace tidegate::bench
