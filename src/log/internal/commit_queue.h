// What waits for the commit thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <variant>
#include <vector>

#include "log/internal/stream_index.h"
#include "log/log.h"

namespace tidegate::log::internal {

struct AppendItem {
  StreamId stream;
  columnar::Batch rows;
};
struct EpochItem {
  EpochCommit epoch;
};
// Puts one segment in the place of pieces [first, end), or lists the single piece there if there is no segment.
struct ReplaceItem {
  StreamId stream;
  Offset first;
  Offset end;
  std::optional<Piece> segment;
  std::string sealed;
};
// Drops all pieces that end at or before `begin`.
struct ExpireItem {
  StreamId stream;
  Offset begin;
};
struct DropItem {
  StreamId stream;
};
// Another definition of an open stream.
struct RedefineItem {
  std::shared_ptr<const catalog::StreamDefinition> definition;  // shared with the catalog
  std::optional<int64_t> retention_us;
};

struct Item {
  std::variant<AppendItem, EpochItem, ReplaceItem, ExpireItem, DropItem, RedefineItem> what;
  Committed done;
  size_t bytes = 0;
  int64_t queued_us = 0;
  std::optional<Error> error;  // set: it fails with this, in its turn
};

// Any thread pushes; the commit thread takes.
class CommitQueue {
 public:
  void push(Item item) {
    bytes_ += item.bytes;
    {
      const std::scoped_lock lock(mutex_);
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
  }
  // Waits for items, or returns none once stop() was called and nothing is left.
  [[nodiscard]] std::deque<Item> wait_and_take() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return stopped_ || !items_.empty(); });
    return take();
  }
  [[nodiscard]] std::deque<Item> take_now() {
    const std::scoped_lock lock(mutex_);
    return take();
  }
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    ready_.notify_one();
  }
  void settled(size_t bytes) { bytes_ -= bytes; }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  // One group: enough to make the fsync worthwhile, small enough to keep its latency low.
  static constexpr size_t kMaxGroupBytes = 16U << 20;

  std::deque<Item> take() {
    std::deque<Item> group;
    size_t taken = 0;
    while (!items_.empty() && taken < kMaxGroupBytes) {
      taken += items_.front().bytes;
      group.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return group;
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Item> items_;
  bool stopped_ = false;
  std::atomic<size_t> bytes_{0};
};

}  // namespace tidegate::log::internal
