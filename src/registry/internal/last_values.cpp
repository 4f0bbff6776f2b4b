#include "registry/last_values.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/guarded.h"
#include "base/logging.h"
#include "io/thread.h"
#include "registry/internal/value_table.h"

namespace tidegate::registry {
namespace {

constexpr size_t kRowsPerRead = 64 * 1024;

// A followed stream. The reader owns `next`; the table is shared with those who ask.
struct Followed {
  explicit Followed(std::shared_ptr<const catalog::StreamDefinition> stream) : table(std::move(stream)) {}
  ValueTable table;
  Offset next;     // the first record not looked at
  Offset gap_end;  // records before this one were passed over, if gap is set
  bool gap = false;
  Offset rebuilt;  // what there was at the start is read when `next` is here
  std::unique_ptr<log::Log::Subscription> subscription;
};

class FollowingLastValues final : public LastValues {
 public:
  FollowingLastValues(log::Log& log, columnar::StringPool& devices, LastValueOptions options)
      : log_(log), devices_(devices), options_(options) {
    if (!options_.manual) thread_ = std::thread([this] { run(); });
  }
  ~FollowingLastValues() override {
    {
      const std::lock_guard lock(wake_mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    std::vector<std::unique_ptr<log::Log::Subscription>> ended;
    for (auto& [id, followed] : *followed_.lock()) ended.push_back(std::move(followed->subscription));
  }

  void follow(std::shared_ptr<const catalog::StreamDefinition> stream) override;
  void forget(StreamId stream) override;
  [[nodiscard]] std::vector<StreamState> state(std::string_view device) const override;
  [[nodiscard]] std::optional<int64_t> seen_us(std::string_view device) const override;
  [[nodiscard]] LastValueStats stats() const override;
  void catch_up() override;

 private:
  // Shared with the reader, which reads the log without the lock.
  using FollowedPtr = std::shared_ptr<Followed>;
  using Streams = std::map<StreamId, FollowedPtr>;

  void run();
  void wake();
  void read_on(StreamId id);
  [[nodiscard]] Offset skip(Followed& followed, Offset next, Offset target);

  log::Log& log_;
  columnar::StringPool& devices_;
  const LastValueOptions options_;
  Guarded<Streams> followed_;
  std::atomic<uint64_t> skipped_{0};
  std::mutex wake_mutex_;  // with a condition variable
  std::condition_variable wake_;
  std::atomic<bool> work_{false};
  bool stopping_ = false;
  std::thread thread_;
};

void FollowingLastValues::wake() {
  if (work_.exchange(true)) return;  // the reader is busy or resting between rounds, and will look again
  wake_.notify_one();
}

void FollowingLastValues::run() {
  io::name_this_thread("last-values");
  io::lower_this_thread_priority();  // a value that shows a moment later costs nobody a record
  const auto rest = std::chrono::milliseconds(kRoundMs);
  for (;;) {
    {
      std::unique_lock lock(wake_mutex_);
      if (wake_.wait_for(lock, rest, [this] { return stopping_; })) return;
      // A notification that comes between the look and the wait is not lost for long: the wait ends by itself.
      wake_.wait_for(lock, 20 * rest, [this] { return stopping_ || work_.load(); });
      if (stopping_) return;
    }
    if (work_.exchange(false)) catch_up();
  }
}

void FollowingLastValues::follow(std::shared_ptr<const catalog::StreamDefinition> stream) {
  if (!ValueTable::can_follow(*stream)) return;
  const StreamId id = stream->id;
  {
    auto streams = followed_.lock();
    if (const auto found = streams->find(id); found != streams->end()) {
      return found->second->table.add_columns(std::move(stream));
    }
  }
  auto followed = std::make_shared<Followed>(std::move(stream));
  const Offset begin = log_.begin(id);
  const Offset end = log_.end(id);
  followed->rebuilt = end;
  followed->next = Offset{std::max(begin.value, end.value - options_.rebuild_rows)};
  followed->gap = followed->next > begin;
  followed->gap_end = followed->next;
  followed->subscription = log_.on_append(id, [this] { wake(); });
  (*followed_.lock())[id] = std::move(followed);
  wake();
}

void FollowingLastValues::forget(StreamId stream) {
  FollowedPtr gone;
  auto streams = followed_.lock();
  const auto found = streams->find(stream);
  if (found == streams->end()) return;
  gone = std::move(found->second);
  streams->erase(found);
}

Offset FollowingLastValues::skip(Followed& followed, Offset next, Offset target) {
  const auto streams = followed_.lock();
  followed.gap = true;
  followed.gap_end = target;
  followed.next = target;
  skipped_ += static_cast<uint64_t>(target.value - next.value);
  return target;
}

void FollowingLastValues::read_on(StreamId id) {
  FollowedPtr followed;
  {
    auto streams = followed_.lock();
    const auto found = streams->find(id);
    if (found == streams->end()) return;
    followed = found->second;
  }
  Offset next = followed->next;
  while (next < log_.end(id)) {
    const Offset end = log_.end(id);
    const Offset begin = log_.begin(id);
    if (next < begin) next = skip(*followed, next, begin);
    if (end.value - next.value > options_.max_lag_rows && next >= followed->rebuilt) {
      next = skip(*followed, next, Offset{end.value - options_.max_lag_rows / 2});
    }
    auto batches = log_.read(id, next, kRowsPerRead);
    if (!batches) {
      const Offset readable = log_.next_readable(id, next);
      if (readable <= next) return;  // the next round tries again
      next = skip(*followed, next, readable);
      continue;
    }
    if (batches->empty()) return;
    auto streams = followed_.lock();
    for (const log::LogBatchPtr& batch : *batches) {
      size_t others = 0;
      for (const auto& [other, table] : *streams) others += other == id ? 0 : table->table.bytes();
      followed->table.take(*batch, options_.max_bytes > others ? options_.max_bytes - others : 0);
      next = batch->end();
    }
    followed->next = next;
  }
}

void FollowingLastValues::catch_up() {
  std::vector<StreamId> ids;
  for (const auto& [id, followed] : *followed_.lock()) ids.push_back(id);
  for (const StreamId id : ids) read_on(id);
}

std::vector<StreamState> FollowingLastValues::state(std::string_view device) const {
  const auto code = devices_.find(device);
  std::vector<StreamState> all;
  const auto streams = followed_.lock();
  for (const auto& [id, followed] : *streams) {
    StreamState state;
    state.stream = followed->table.definition();
    const bool known = code && followed->table.fill(*code, state);
    state.reading = followed->next < followed->rebuilt;
    // A device that has a record behind the gap may still lack the older value of a column that it sends rarely.
    const auto without = std::ranges::count_if(state.times_us, [](const auto& time) { return !time.has_value(); });
    const bool all_values = without <= 1;  // the device's own column has none
    const bool no_gap = !followed->gap || (known && *state.offset >= followed->gap_end && all_values);
    state.current = no_gap && !state.reading && (known || followed->table.refused() == 0);
    all.push_back(std::move(state));
  }
  std::ranges::sort(all, {}, [](const StreamState& state) { return state.stream->name; });
  return all;
}

std::optional<int64_t> FollowingLastValues::seen_us(std::string_view device) const {
  const auto code = devices_.find(device);
  if (!code) return std::nullopt;
  std::optional<int64_t> latest;
  const auto streams = followed_.lock();
  for (const auto& [id, followed] : *streams) {
    const auto seen = followed->table.seen_us(*code);
    if (seen && (!latest || *seen > *latest)) latest = seen;
  }
  return latest;
}

LastValueStats FollowingLastValues::stats() const {
  LastValueStats stats;
  stats.skipped_rows = skipped_.load();
  const auto streams = followed_.lock();
  for (const auto& [id, followed] : *streams) {
    stats.bytes += followed->table.bytes();
    stats.devices += followed->table.devices();
    stats.refused += followed->table.refused();
  }
  return stats;
}

}  // namespace

std::unique_ptr<LastValues> LastValues::create(log::Log& log, columnar::StringPool& devices, LastValueOptions options) {
  return std::make_unique<FollowingLastValues>(log, devices, options);
}

}  // namespace tidegate::registry
