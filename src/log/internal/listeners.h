// Who wants to know when a stream has new records.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/guarded.h"
#include "log/log.h"

namespace tidegate::log::internal {

// Any thread subscribes; the commit thread notifies. A listener may end its own subscription.
class Listeners {
 public:
  [[nodiscard]] std::unique_ptr<Log::Subscription> add(StreamId stream, std::function<void()> listener) {
    auto entry = std::make_shared<Entry>();
    entry->listener = std::move(listener);
    entries_->lock()->emplace(stream, entry);
    return std::make_unique<Handle>(std::move(entry), entries_, stream);
  }

  void notify(StreamId stream) {
    std::vector<std::shared_ptr<Entry>> called;
    {
      auto entries = entries_->lock();
      const auto [begin, end] = entries->equal_range(stream);
      for (auto at = begin; at != end; ++at) called.push_back(at->second);
    }
    for (const std::shared_ptr<Entry>& entry : called) {
      const std::scoped_lock one_call(entry->mutex);
      if (entry->active) entry->listener();
    }
  }

 private:
  struct Entry {
    std::recursive_mutex mutex;  // held during the call, so that ending waits for it
    std::function<void()> listener;
    bool active = true;
  };
  // Shared: an entry lives while a call or a handle still needs it, and handles may outlive the log.
  using Entries = Guarded<std::multimap<StreamId, std::shared_ptr<Entry>>>;

  class Handle final : public Log::Subscription {
   public:
    Handle(std::shared_ptr<Entry> entry, std::shared_ptr<Entries> entries, StreamId stream)
        : entry_(std::move(entry)), entries_(std::move(entries)), stream_(stream) {}
    ~Handle() override {
      {
        auto entries = entries_->lock();
        const auto [begin, end] = entries->equal_range(stream_);
        const auto mine = std::find_if(begin, end, [&](const auto& pair) { return pair.second == entry_; });
        if (mine != end) entries->erase(mine);
      }
      const std::scoped_lock no_call(entry_->mutex);
      entry_->active = false;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

   private:
    const std::shared_ptr<Entry> entry_;
    const std::shared_ptr<Entries> entries_;
    const StreamId stream_;
  };

  std::shared_ptr<Entries> entries_ = std::make_shared<Entries>();
};

}  // namespace tidegate::log::internal
