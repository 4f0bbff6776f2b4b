// TopicRouter: which stream takes a topic's messages. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/guarded.h"
#include "base/ids.h"
#include "catalog/definitions.h"

namespace tidegate::ingest {

// MQTT 3.1.1 section 4.7: '+' is one level, a last '#' any number of them (its parent too); wildcards in front do not
// match topics that start with '$'.
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view topic);

class TopicRouter {
 public:
  void add(const catalog::StreamDefinition& stream);
  void remove(StreamId stream);
  [[nodiscard]] std::optional<StreamId> route(std::string_view topic) const;

 private:
  struct Route {
    StreamId stream;
    std::string filter;  // empty: only "streams/<name>"
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  // What route() found, so that a device's next message costs one lookup. Emptied when routes change or it is full.
  struct Cache {
    uint64_t version = 0;
    std::unordered_map<std::string, std::optional<StreamId>, Hash, std::equal_to<>> found;
  };
  static constexpr size_t kCaches = 16;               // by hash of the topic, so that threads rarely wait
  static constexpr size_t kMaxCachedTopics = 16'384;  // in each: a quarter of a million devices' topics
  static constexpr size_t kMaxCachedTopicBytes = 256;

  [[nodiscard]] std::optional<StreamId> search(std::string_view topic) const;

  Guarded<std::map<std::string, Route>> routes_;  // by lower-case name
  std::atomic<uint64_t> version_{1};
  mutable std::array<Guarded<Cache>, kCaches> caches_;
};

}  // namespace tidegate::ingest
