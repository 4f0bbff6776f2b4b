// Tests only: a log in memory that commits at once, and fails, loses and re-cuts as told. (Its batches are shared as
// log.h says.)
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "log/log.h"

namespace tidegate::engine {

// Any thread.
class FakeLog final : public log::Log {
 public:
  size_t max_read_rows = 1'000'000;  // batches are cut into pieces of at most this on the way out
  int failing_commits = 0;           // that many epochs from now on fail with DiskFull
  int good_commits = 0;              // that many before them do not

  Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition> stream) override {
    const std::lock_guard lock(mutex_);
    streams_[stream->id.value];
    return {};
  }
  Result<> drop_stream(StreamId stream) override {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream.value);
    return {};
  }
  void append(StreamId stream, columnar::Batch rows, log::Committed done) override {
    {
      const std::lock_guard lock(mutex_);
      add(stream, std::move(rows));
    }
    done({});
    notify({stream.value});
  }
  [[nodiscard]] size_t queued_bytes() const override { return 0; }

  void commit(log::EpochCommit epoch, log::Committed done) override {
    std::set<uint32_t> touched;
    bool failed = false;
    {
      const std::lock_guard lock(mutex_);
      failed = good_commits == 0 && failing_commits > 0;
      if (good_commits > 0) --good_commits;
      if (failed) {
        --failing_commits;
      } else {
        for (auto& [stream, batch] : epoch.outputs) {
          touched.insert(stream.value);
          add(stream, std::move(batch));
        }
        auto& state = state_[epoch.pipeline.value];
        for (log::StatePut& put : epoch.puts) state[put.key] = std::move(put.value);
        for (const std::string& key : epoch.deletes) state.erase(key);
      }
    }
    if (failed) return done(fail(ErrorCode::DiskFull, "the fake disk is full"));
    done({});
    notify(touched);
  }

  [[nodiscard]] Offset end(StreamId stream) const override {
    const std::lock_guard lock(mutex_);
    return Offset{streams_.at(stream.value).end};
  }
  [[nodiscard]] Offset begin(StreamId stream) const override {
    const std::lock_guard lock(mutex_);
    return Offset{streams_.at(stream.value).begin};
  }
  [[nodiscard]] Result<Offset> offset_at(StreamId stream, IngestTime) const override { return begin(stream); }

  [[nodiscard]] Result<std::vector<log::LogBatchPtr>> read(StreamId stream, Offset from, size_t max_rows) override {
    const std::lock_guard lock(mutex_);
    const Stream& found = streams_.at(stream.value);
    if (from.value < found.begin) return fail(ErrorCode::OffsetOutOfRange, "expired");
    if (from.value >= found.lost_from && from.value < found.lost_to) return fail(ErrorCode::LogCorrupted, "corrupted");
    std::vector<log::LogBatchPtr> out;
    size_t rows = 0;
    for (const log::LogBatch& batch : found.batches) {
      if (batch.end() <= from || rows >= max_rows) continue;
      if (batch.first.value >= found.lost_from && batch.first.value < found.lost_to) break;
      const auto first = static_cast<size_t>(std::max(from.value - batch.first.value, int64_t{0}));
      for (size_t at = first; at < batch.batch.rows; at += max_read_rows) {
        const size_t count = std::min(max_read_rows, batch.batch.rows - at);
        out.push_back(std::make_shared<log::LogBatch>(log::LogBatch{
            columnar::slice(batch.batch, at, count), Offset{batch.first.value + static_cast<int64_t>(at)}, {}}));
        rows += count;
      }
    }
    return out;
  }
  [[nodiscard]] Offset next_readable(StreamId stream, Offset from) const override {
    const std::lock_guard lock(mutex_);
    const Stream& found = streams_.at(stream.value);
    return from.value >= found.lost_from && from.value < found.lost_to ? Offset{found.lost_to} : from;
  }

  [[nodiscard]] Result<std::optional<std::string>> get_state(PipelineId pipeline, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto& state = state_[pipeline.value];
    const auto found = state.find(std::string(key));
    if (found == state.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] Result<std::vector<log::StatePut>> scan_state(PipelineId pipeline, std::string_view prefix) override {
    const std::lock_guard lock(mutex_);
    std::vector<log::StatePut> found;
    for (const auto& [key, value] : state_[pipeline.value]) {
      if (key.starts_with(prefix)) found.push_back({key, value});
    }
    return found;
  }
  [[nodiscard]] Result<std::vector<std::string>> state_keys(PipelineId pipeline, std::string_view prefix) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [key, value] : state_[pipeline.value]) {
      if (key.starts_with(prefix)) found.push_back(key);
    }
    return found;
  }
  Result<> drop_state(PipelineId pipeline) override {
    const std::lock_guard lock(mutex_);
    state_.erase(pipeline.value);
    return {};
  }
  [[nodiscard]] std::unique_ptr<Subscription> on_append(StreamId stream, std::function<void()> listener) override {
    const std::lock_guard lock(listener_mutex_);
    listeners_[++last_listener_] = {stream.value, std::move(listener)};
    return std::make_unique<FakeSubscription>(*this, last_listener_);
  }

  // All of a stream's rows in one list of batches.
  [[nodiscard]] std::vector<columnar::Batch> rows_of(StreamId stream) const {
    const std::lock_guard lock(mutex_);
    std::vector<columnar::Batch> all;
    for (const log::LogBatch& batch : streams_.at(stream.value).batches) all.push_back(batch.batch);
    return all;
  }
  // Makes [from, to) unreadable, or forgets what lies before `begin`.
  void lose(StreamId stream, int64_t from, int64_t to) {
    const std::lock_guard lock(mutex_);
    streams_[stream.value].lost_from = from;
    streams_[stream.value].lost_to = to;
  }
  void expire(StreamId stream, int64_t begin) {
    const std::lock_guard lock(mutex_);
    streams_[stream.value].begin = begin;
  }
  void change_state(PipelineId pipeline, const std::function<void(std::map<std::string, std::string>&)>& change) {
    const std::lock_guard lock(mutex_);
    change(state_[pipeline.value]);
  }

 private:
  struct Stream {
    std::vector<log::LogBatch> batches;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t lost_from = 0;
    int64_t lost_to = 0;
  };
  class FakeSubscription final : public Subscription {
   public:
    FakeSubscription(FakeLog& log, int id) : log_(log), id_(id) {}
    ~FakeSubscription() override {
      const std::lock_guard lock(log_.listener_mutex_);
      log_.listeners_.erase(id_);
    }
    FakeSubscription(const FakeSubscription&) = delete;
    FakeSubscription& operator=(const FakeSubscription&) = delete;

   private:
    FakeLog& log_;
    int id_;
  };

  void add(StreamId stream, columnar::Batch rows) {
    Stream& to = streams_[stream.value];
    const Offset first{to.end};
    to.end += static_cast<int64_t>(rows.rows);
    to.batches.push_back({std::move(rows), first, {}});
  }
  void notify(const std::set<uint32_t>& streams) {
    const std::lock_guard lock(listener_mutex_);
    for (const auto& [id, listener] : listeners_) {
      if (streams.contains(listener.first)) listener.second();
    }
  }

  mutable std::mutex mutex_;
  std::map<uint32_t, Stream> streams_;
  std::map<uint32_t, std::map<std::string, std::string>> state_;
  std::mutex listener_mutex_;
  std::map<int, std::pair<uint32_t, std::function<void()>>> listeners_;
  int last_listener_ = 0;
};

}  // namespace tidegate::engine
