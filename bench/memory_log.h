// A log that keeps records in memory only and forgets what was read: for measuring the engine without the disk.
#pragma once

#include <map>
#include <vector>

#include "log/log.h"

namespace tidegate::bench {

// One thread.
class MemoryLog final : public log::Log {
 public:
  Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition> stream) override;
  Result<> drop_stream(StreamId stream) override;
  void append(StreamId stream, columnar::Batch rows, log::Committed done) override;
  [[nodiscard]] size_t queued_bytes() const override { return 0; }
  void commit(log::EpochCommit epoch, log::Committed done) override;
  [[nodiscard]] Offset end(StreamId stream) const override;
  [[nodiscard]] Offset begin(StreamId stream) const override;
  [[nodiscard]] Result<Offset> offset_at(StreamId stream, IngestTime time) const override;
  [[nodiscard]] Result<std::vector<log::LogBatchPtr>> read(StreamId stream, Offset from, size_t max_rows) override;
  [[nodiscard]] Offset next_readable(StreamId stream, Offset from) const override;
  [[nodiscard]] Result<std::optional<std::string>> get_state(PipelineId pipeline, std::string_view key) override;
  [[nodiscard]] Result<std::vector<log::StatePut>> scan_state(PipelineId pipeline, std::string_view prefix) override;
  [[nodiscard]] Result<std::vector<std::string>> state_keys(PipelineId pipeline, std::string_view prefix) override;
  Result<> drop_state(PipelineId pipeline) override;
  [[nodiscard]] std::unique_ptr<Subscription> on_append(StreamId stream, std::function<void()> listener) override;

 private:
  struct Stream {
    std::vector<log::LogBatchPtr> batches;
    int64_t begin = 0;
    int64_t end = 0;
  };
  void publish(StreamId stream, columnar::Batch rows);

  std::map<StreamId, Stream> streams_;
};

}  // namespace tidegate::bench
