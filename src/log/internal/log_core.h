// The embedded log itself. Its functions are in commit.cpp (group commit), maintenance.cpp (re-batching, retention),
// reading.cpp (replay, quarantine) and log_core.cpp (opening, streams, state, statistics).
#pragma once

#include <array>
#include <condition_variable>
#include <map>
#include <memory>
#include <thread>

#include "base/guarded.h"
#include "log/embedded_log.h"
#include "log/internal/commit_queue.h"
#include "log/internal/listeners.h"

namespace tidegate::log::internal {

struct Stream {
  std::shared_ptr<const catalog::StreamDefinition> definition;  // shared with the catalog
  PieceShape shape;
  crypto::Key key;
  std::optional<int64_t> retention_us;
  StreamIndex index;
  IngestTime last_ingest;
  std::deque<LogBatchPtr> tail;  // the newest committed batches, without gaps up to index.end
  uint64_t stored_bytes = 0;
};

struct Shared {
  std::map<StreamId, std::unique_ptr<Stream>> streams;
  std::deque<StreamId> tail_order;  // whose batch is the next to leave the tail
  size_t tail_bytes = 0;
  LogStats counters;  // without streams
  std::array<int64_t, 1024> latencies_us{};
};

struct StreamWork;
struct Group;

// Streams change only on the commit thread and only under the lock; so the commit thread reads them without it.
class LogCore final : public EmbeddedLog {
 public:
  LogCore(store::Store& store, crypto::KeyRing& keys, io::Random& random, const io::Clock& clock,
          columnar::StringPool& devices, EmbeddedLogOptions options);
  ~LogCore() override;
  LogCore(const LogCore&) = delete;
  LogCore& operator=(const LogCore&) = delete;

  Result<> open_stream(std::shared_ptr<const catalog::StreamDefinition> definition) override;
  Result<> drop_stream(StreamId stream) override;
  void append(StreamId stream, columnar::Batch rows, Committed done) override;
  size_t queued_bytes() const override { return queue_.bytes(); }
  void commit(EpochCommit epoch, Committed done) override;
  Offset end(StreamId stream) const override;
  Offset begin(StreamId stream) const override;
  Result<Offset> offset_at(StreamId stream, IngestTime time) const override;
  Result<std::vector<LogBatchPtr>> read(StreamId stream, Offset from, size_t max_rows) override;
  Offset next_readable(StreamId stream, Offset from) const override;
  Result<std::optional<std::string>> get_state(PipelineId pipeline, std::string_view key) override;
  Result<std::vector<StatePut>> scan_state(PipelineId pipeline, std::string_view prefix) override;
  Result<std::vector<std::string>> state_keys(PipelineId pipeline, std::string_view prefix) override;
  Result<> drop_state(PipelineId pipeline) override;
  std::unique_ptr<Subscription> on_append(StreamId stream, std::function<void()> listener) override;
  LogStats stats() const override;
  Result<> maintain() override;

 private:
  // Opening and submitting.
  void submit(Item item);
  Result<> submit_and_wait(Item item);
  [[nodiscard]] std::optional<Error> prepare(StreamId stream, columnar::Batch& rows);

  // Commit thread.
  void run_commits();
  void drain_on_caller();
  void commit_items(std::deque<Item> items);
  void commit_group(std::deque<Item>& items);
  void gather_item(Item& item, Group& group);
  [[nodiscard]] StreamWork* work_for(StreamId stream, Group& group);
  void encode_stream(StreamWork& work, store::WriteBatch& batch);
  [[nodiscard]] std::optional<Error> put_state(const EpochCommit& epoch, store::WriteBatch& batch);
  void publish(Group& group, int64_t oldest_us);
  void trim_tail(Shared& shared);
  [[nodiscard]] Result<> apply(const ReplaceItem& item);
  [[nodiscard]] Result<> apply(const ExpireItem& item);
  [[nodiscard]] Result<> apply(const DropItem& item);
  [[nodiscard]] Result<> apply(const RedefineItem& item);
  // The stored keys of a pipeline without what is before the prefix, and their sealed values.
  [[nodiscard]] Result<> scan_sealed(PipelineId pipeline, std::string_view prefix,
                                     const std::function<void(std::string_view, std::string_view)>& visit);
  [[nodiscard]] Result<> swap_index(StreamId id, Stream& stream, StreamIndex index, store::WriteBatch batch);

  // Maintenance thread.
  void run_maintenance();
  [[nodiscard]] Result<bool> rebatch_one(StreamId stream);
  [[nodiscard]] Result<> expire(StreamId stream);

  // Reading.
  struct Loaded {
    PieceHeader header;
    LogBatchPtr batch;
  };
  struct Source {
    PieceShape shape;
    crypto::Key key;
  };
  [[nodiscard]] Result<std::optional<Loaded>> load_piece(StreamId stream, const Piece& piece,
                                                         const Source& source) const;
  [[nodiscard]] bool still_listed(StreamId stream, const Piece& piece) const;
  Error quarantine(StreamId stream, OffsetRange range, std::string_view reason);

  store::Store& store_;
  crypto::KeyRing& keys_;
  io::Random& random_;
  const io::Clock& clock_;
  columnar::StringPool& devices_;
  const EmbeddedLogOptions options_;
  Guarded<Shared> shared_;
  CommitQueue queue_;
  Listeners listeners_;

  std::mutex manual_mutex_;  // manual mode: one caller commits at a time
  std::atomic<std::thread::id> manual_owner_{};
  std::mutex maintain_mutex_;  // one round of maintenance at a time
  struct Wake {
    std::mutex mutex;
    std::condition_variable changed;
    bool work = false;
    bool stop = false;
  };
  Wake wake_;
  std::thread committer_;
  std::thread maintainer_;
};

// The columns of `shape`: what is missing at the end is NULL, what is too much goes.
void fit_columns(columnar::Batch& rows, const PieceShape& shape, const columnar::StringPool& devices);

// Pieces as LogBatch, and lists of them cut to start at `from`.
[[nodiscard]] LogBatchPtr cut_before(const LogBatchPtr& batch, Offset from);

}  // namespace tidegate::log::internal
