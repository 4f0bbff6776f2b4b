// For tests: one stream and its state in memory; answers at once.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "log/log.h"
#include "sinks/sink_runner.h"

namespace tidegate::sinks {

// Any thread. What goes to another stream (dead letters) is kept in `others`.
class FakeLog final : public log::Log {
 public:
  static constexpr StreamId kStream{3};

  Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition>) override { return {}; }
  Result<> drop_stream(StreamId) override { return {}; }
  void append(StreamId, columnar::Batch rows, log::Committed done) override {
    const int64_t first = end(kStream).value;
    data_.lock()->batches.push_back({std::move(rows), Offset{first}, IngestTime{0}});
    done({});
    std::function<void()> listener = data_.lock()->listener;
    if (listener) listener();
  }
  [[nodiscard]] size_t queued_bytes() const override { return 0; }
  void commit(log::EpochCommit epoch, log::Committed done) override {
    if (fail_commits) return done(fail(ErrorCode::DiskFull, "full"));
    for (log::StatePut& put : epoch.puts) data_.lock()->state[put.key] = put.value;
    for (auto& [stream, rows] : epoch.outputs) others.push_back(std::move(rows));
    CHECK(epoch.pipeline == sink_pipeline_id(kStream));
    done({});
  }
  [[nodiscard]] Offset end(StreamId) const override {
    auto data = data_.lock();
    return data->batches.empty() ? Offset{data->begin} : data->batches.back().end();
  }
  [[nodiscard]] Offset begin(StreamId) const override { return Offset{data_.lock()->begin}; }
  [[nodiscard]] Result<Offset> offset_at(StreamId, IngestTime) const override { return Offset{0}; }
  [[nodiscard]] Result<std::vector<log::LogBatchPtr>> read(StreamId, Offset from, size_t) override {
    auto data = data_.lock();
    if (from.value < data->begin) return fail(ErrorCode::OffsetOutOfRange, "expired");
    std::vector<log::LogBatchPtr> out;
    for (const log::LogBatch& batch : data->batches) {
      if (batch.end() <= from) continue;
      const auto skip = static_cast<size_t>(std::max<int64_t>(0, from.value - batch.first.value));
      out.push_back(std::make_shared<log::LogBatch>(
          log::LogBatch{columnar::slice(batch.batch, skip, batch.batch.rows - skip),
                        Offset{batch.first.value + static_cast<int64_t>(skip)}, batch.ingest_time}));
    }
    return out;
  }
  [[nodiscard]] Offset next_readable(StreamId, Offset from) const override { return from; }
  [[nodiscard]] Result<std::optional<std::string>> get_state(PipelineId, std::string_view key) override {
    auto data = data_.lock();
    const auto found = data->state.find(key);
    return found == data->state.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] Result<std::vector<log::StatePut>> scan_state(PipelineId, std::string_view) override {
    return std::vector<log::StatePut>{};
  }
  [[nodiscard]] Result<std::vector<std::string>> state_keys(PipelineId, std::string_view) override {
    return std::vector<std::string>{};
  }
  Result<> drop_state(PipelineId) override {
    data_.lock()->state.clear();
    return {};
  }
  [[nodiscard]] std::unique_ptr<Subscription> on_append(StreamId, std::function<void()> listener) override {
    data_.lock()->listener = std::move(listener);
    return std::make_unique<Handle>(*this);
  }
  // The stream got columns: what is there has NULL in them.
  void pad(const columnar::SchemaPtr& schema) {
    for (log::LogBatch& batch : data_.lock()->batches) {
      for (size_t at = batch.batch.columns.size(); at < schema->fields.size(); ++at) {
        columnar::ColumnBuilder nulls(schema->fields[at].type);
        for (size_t row = 0; row < batch.batch.rows; ++row) nulls.append_null();
        batch.batch.columns.push_back(nulls.finish());
      }
      batch.batch.schema = schema;
    }
  }
  void expire_before(int64_t offset) { data_.lock()->begin = offset; }
  [[nodiscard]] bool has_state() const { return !data_.lock()->state.empty(); }

  bool fail_commits = false;
  std::vector<columnar::Batch> others;

 private:
  struct Handle final : Subscription {
    explicit Handle(FakeLog& owner) : log(owner) {}
    ~Handle() override { log.data_.lock()->listener = nullptr; }
    FakeLog& log;
  };
  struct Data {
    std::vector<log::LogBatch> batches;
    std::map<std::string, std::string, std::less<>> state;
    int64_t begin = 0;
    std::function<void()> listener;
  };
  Guarded<Data> data_;
};

}  // namespace tidegate::sinks
