// StreamRegistry: the streams that lanes write, with their counters. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>

#include "base/guarded.h"
#include "catalog/definitions.h"
#include "codec/source_format.h"
#include "sql/expression.h"

namespace tidegate::ingest {

// Lanes add to them once a flush.
struct StreamCounts {
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> dead{0};
};

struct StreamEntry {
  std::shared_ptr<const catalog::StreamDefinition> stream;
  std::shared_ptr<const catalog::StreamDefinition> dead_letters;
  codec::SourceFormat format;                 // of its payloads, as its options say
  std::optional<sql::Expression> event_time;  // over its columns, if records do not bring it
  // Shared with the entry that takes its place when the stream gets columns.
  std::shared_ptr<StreamCounts> counts = std::make_shared<StreamCounts>();
};
// Shared by the registry and every lane that has rows of the stream.
using StreamEntryPtr = std::shared_ptr<const StreamEntry>;

class StreamRegistry {
 public:
  void add(StreamEntryPtr entry) {
    entries_.lock()->insert_or_assign(entry->stream->id, entry);
    ++version_;
  }
  void remove(StreamId stream) {
    entries_.lock()->erase(stream);
    ++version_;
  }
  // Null when there is no such stream.
  [[nodiscard]] StreamEntryPtr find(StreamId stream) const {
    const auto entries = entries_.lock();
    const auto found = entries->find(stream);
    return found == entries->end() ? nullptr : found->second;
  }
  [[nodiscard]] std::map<StreamId, StreamEntryPtr> all() const { return *entries_.lock(); }
  // Changes whenever the streams do; lanes keep what they found until then.
  [[nodiscard]] uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  Guarded<std::map<StreamId, StreamEntryPtr>> entries_;
  std::atomic<uint64_t> version_{1};
};

}  // namespace tidegate::ingest
