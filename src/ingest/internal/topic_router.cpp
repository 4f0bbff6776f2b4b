#include "ingest/internal/topic_router.h"

#include <algorithm>

#include "base/hash.h"
#include "base/letter_case.h"

namespace tidegate::ingest {

namespace {

constexpr std::string_view kDirectPrefix = "streams/";

// Takes the first level off `rest`; `rest` has no data when it was the last one.
std::string_view take_level(std::string_view& rest) {
  const size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{}
                                         : std::string_view(rest.data() + slash + 1, rest.size() - slash - 1);
  return level;
}

}  // namespace

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (filter.empty() || topic.empty()) return false;
  if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) return false;
  while (filter.data() != nullptr && topic.data() != nullptr) {
    const std::string_view wanted = take_level(filter);
    if (wanted == "#") return true;
    const std::string_view level = take_level(topic);
    if (wanted != "+" && wanted != level) return false;
  }
  if (topic.data() != nullptr) return false;
  return filter.data() == nullptr || filter == "#";
}

void TopicRouter::add(const catalog::StreamDefinition& stream) {
  const bool takes_topic = stream.connector == catalog::Connector::kStream;
  routes_.lock()->insert_or_assign(to_lower(stream.name),
                                   Route{stream.id, takes_topic ? stream.mqtt_topic : std::string()});
  ++version_;
}

void TopicRouter::remove(StreamId stream) {
  std::erase_if(*routes_.lock(), [&](const auto& route) { return route.second.stream == stream; });
  ++version_;
}

std::optional<StreamId> TopicRouter::search(std::string_view topic) const {
  const auto routes = routes_.lock();
  if (topic.starts_with(kDirectPrefix)) {
    const auto direct = routes->find(to_lower(topic.substr(kDirectPrefix.size())));
    if (direct != routes->end()) return direct->second.stream;
  }
  for (const auto& [name, route] : *routes) {
    if (topic_matches(route.filter, topic)) return route.stream;
  }
  return std::nullopt;
}

std::optional<StreamId> TopicRouter::route(std::string_view topic) const {
  if (topic.size() > kMaxCachedTopicBytes) return search(topic);
  // Read before the search: what is found in routes that change meanwhile is cached under the older version.
  const uint64_t version = version_.load();
  Guarded<Cache>& guarded = caches_[hash64(topic) % kCaches];
  {
    auto cache = guarded.lock();
    if (cache->version == version) {
      if (const auto found = cache->found.find(topic); found != cache->found.end()) return found->second;
    }
  }
  const auto stream = search(topic);
  auto cache = guarded.lock();
  if (cache->version > version) return stream;
  if (cache->version < version || cache->found.size() >= kMaxCachedTopics) cache->found.clear();
  cache->version = version;
  cache->found.emplace(topic, stream);
  return stream;
}

}  // namespace tidegate::ingest
