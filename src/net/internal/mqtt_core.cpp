#include "net/internal/mqtt_core.h"

#include <algorithm>

#include "base/hash.h"
#include "net/internal/mqtt_records.h"
#include "net/internal/mqtt_text.h"

namespace tidegate::net {
namespace {

constexpr size_t kMaxDelayedWills = 100'000;  // beyond it a will is published at once

MqttDelivery delivery(const MqttRoute::Target& target, const MqttMessage& message) {
  return {std::min(target.subscription.qos, message.qos), target.subscription.retain_as_published && message.retain,
          target.ids};
}

void add_target(std::vector<MqttRoute::Target>& targets, const MqttTrieEntry& entry) {
  for (auto& target : targets) {
    if (target.session != entry.session) continue;
    target.subscription.qos = std::max(target.subscription.qos, entry.subscription.qos);
    target.subscription.no_local = target.subscription.no_local && entry.subscription.no_local;
    target.subscription.retain_as_published |= entry.subscription.retain_as_published;
    if (entry.subscription.id != 0) target.ids.push_back(entry.subscription.id);
    return;
  }
  MqttRoute::Target target{entry.session, entry.subscription, {}};
  if (entry.subscription.id != 0) target.ids.push_back(entry.subscription.id);
  targets.push_back(std::move(target));
}

// What a filter's matches must begin with.
std::string_view fixed_part(std::string_view filter) { return filter.substr(0, filter.find_first_of("+#")); }

}  // namespace

MqttCore::MqttCore(MqttBrokerOptions options, MqttHandler& handler, MqttPersistence* persistence,
                   const io::Clock& clock, io::Random& random)
    : options_(options), handler_(handler), clock_(clock), random_(&random), journal_(persistence) {}

Result<> MqttCore::load(MqttPersistence& persistence) {
  std::map<std::string, std::string> queued;
  Result<> format;
  auto sessions = sessions_.lock();
  TRY(persistence.load([&](std::string_view key, std::string_view value) {
    if (key.starts_with("r/")) {
      if (auto message = read_message(value)) retained_.lock()->emplace(key.substr(2), *message);
    } else if (key.starts_with("q/")) {
      queued.emplace(key, value);
    } else if (key.starts_with("s/")) {
      ByteReader reader(value);
      if (reader.fixed<uint8_t>() != kSessionRecordVersion) {
        format = fail(ErrorCode::FormatUnknown, "a stored MQTT session has an unknown version",
                      "start the version of the server that wrote it");
        return;
      }
      const std::string client_id(key.substr(2));
      auto session = std::make_shared<MqttSession>(client_id, std::string(reader.text()), options_, journal_);
      session->restore(value, clock_.now_us());
      for (const auto& [filter, subscription] : session->subscriptions()) add_to_trie(session, filter, subscription);
      sessions->emplace(client_id, std::move(session));
    }
  }));
  for (const auto& [key, value] : queued) {
    const size_t zero = key.find('\0');
    if (zero == std::string::npos || key.size() != zero + 9) continue;
    const auto found = sessions->find(key.substr(2, zero - 2));
    if (found == sessions->end()) continue;
    uint64_t sequence = 0;
    for (size_t i = zero + 1; i < key.size(); ++i) sequence = sequence << 8 | static_cast<uint8_t>(key[i]);
    found->second->restore_message(sequence, value);
  }
  return format;
}

MqttCore::Opened MqttCore::open_session(std::string_view client_id, std::string_view principal, bool clean_start,
                                        MqttOwner owner, uint32_t expiry_s, uint16_t in_flight) {
  Opened opened;
  MqttOwner before;
  auto sessions = sessions_.lock();
  const auto found = sessions->find(std::string(client_id));
  if (found != sessions->end()) {
    auto existing = found->second;
    const bool alive = !existing->has_ended(clock_.now_us());
    // A client id belongs to whoever made the session: nobody else gets its messages.
    if (alive && existing->principal() != principal) return {nullptr, false, MqttReason::kClientIdNotValid};
    if (alive && !clean_start) {
      opened.session = existing;
      opened.present = true;
    } else {
      before = existing->attach({}, 0, 0);
      end_session(existing);
      sessions->erase(found);
    }
  }
  if (!opened.session) {
    if (sessions->size() >= options_.max_sessions) return {nullptr, false, MqttReason::kQuotaExceeded};
    opened.session = std::make_shared<MqttSession>(std::string(client_id), std::string(principal), options_, journal_);
    sessions->emplace(client_id, opened.session);
  }
  const MqttOwner resumed = opened.session->attach(owner, expiry_s, in_flight);
  if (resumed.mailbox != nullptr) before = resumed;
  if (before.mailbox != nullptr) before.mailbox->take_over(before.connection);
  return opened;
}

bool MqttCore::is_connected(std::string_view client_id) {
  auto sessions = sessions_.lock();
  const auto found = sessions->find(std::string(client_id));
  return found != sessions->end() && found->second->online();
}

void MqttCore::close_session(const std::shared_ptr<MqttSession>& session, MqttOwner owner, uint32_t expiry_s) {
  auto sessions = sessions_.lock();
  if (!session->detach(owner, expiry_s, clock_.now_us()) || expiry_s > 0) return;
  end_session(session);
  const auto found = sessions->find(session->client_id());
  if (found != sessions->end() && found->second == session) sessions->erase(found);
}

void MqttCore::end_session(const std::shared_ptr<MqttSession>& session) {
  for (const auto& [filter, subscription] : session->subscriptions()) unsubscribe(session, filter);
  session->end();
}

void MqttCore::expire_sessions() {
  auto sessions = sessions_.lock();
  const int64_t now_us = clock_.now_us();
  for (auto at = sessions->begin(); at != sessions->end();) {
    if (!at->second->has_ended(now_us)) {
      ++at;
      continue;
    }
    end_session(at->second);
    at = sessions->erase(at);
  }
}

std::string MqttCore::new_client_id() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string bytes = (*random_.lock())->bytes(12);
  std::string id = "tg-";
  for (const char c : bytes) {
    id.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    id.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return id;
}

void MqttCore::add_to_trie(const std::shared_ptr<MqttSession>& session, std::string_view filter,
                           const MqttStoredSubscription& subscription) {
  const auto shared = parse_filter(filter);
  if (!shared) return;
  const std::unique_lock lock(trie_mutex_);
  trie_.add(shared->filter, {session, std::string(shared->group), subscription});
  subscriber_count_ = trie_.size();
  ++version_;
}

std::optional<bool> MqttCore::subscribe(const std::shared_ptr<MqttSession>& session, std::string_view filter,
                                        const MqttStoredSubscription& subscription) {
  const auto is_new = session->subscribe(std::string(filter), subscription);
  if (is_new) add_to_trie(session, filter, subscription);
  return is_new;
}

bool MqttCore::unsubscribe(const std::shared_ptr<MqttSession>& session, std::string_view filter) {
  const auto shared = parse_filter(filter);
  if (!shared || !session->unsubscribe(std::string(filter))) return false;
  const std::unique_lock lock(trie_mutex_);
  trie_.remove(shared->filter, shared->group, session.get());
  subscriber_count_ = trie_.size();
  ++version_;
  return true;
}

void MqttCore::send_retained(const std::shared_ptr<MqttSession>& session, std::string_view filter,
                             const MqttStoredSubscription& subscription) {
  std::vector<MqttMessagePtr> matches;
  {
    auto retained = retained_.lock();
    const std::string_view prefix = fixed_part(filter);
    // "a/#" matches "a" too, which sorts before "a/".
    const std::string_view from = prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
    for (auto at = retained->lower_bound(from); at != retained->end() && at->first.starts_with(from); ++at) {
      if (topic_matches(filter, at->first)) matches.push_back(at->second);
    }
  }
  for (const auto& message : matches) {
    MqttDelivery how{std::min(subscription.qos, message->qos), true, {}};
    if (subscription.id != 0) how.subscription_ids.push_back(subscription.id);
    counters_.messages_dropped += session->deliver(message, how);
  }
}

std::unique_ptr<MqttRoute> MqttCore::find_route(std::string_view topic) const {
  auto route = std::make_unique<MqttRoute>();
  route->topic = topic;
  std::map<std::string, std::vector<MqttRoute::Target>> groups;
  const std::shared_lock lock(trie_mutex_);
  route->version = version_.load();
  trie_.match(topic, [&](const MqttTrieEntry& entry) {
    add_target(entry.group.empty() ? route->targets : groups[entry.group], entry);
  });
  for (auto& [name, members] : groups) route->groups.push_back(std::move(members));
  return route;
}

MqttRoute& MqttCore::route(MqttRouteCache& cache, std::string_view topic) {
  auto& slot = cache.routes[hash64(topic) % kRouteCacheEntries];
  if (!slot || slot->version != version_.load(std::memory_order_acquire) || slot->topic != topic) {
    slot = find_route(topic);
  }
  return *slot;
}

void MqttCore::forward(MqttRoute& route, const MqttMessagePtr& message, const MqttSession* from) {
  for (const auto& target : route.targets) {
    if (target.subscription.no_local && target.session.get() == from) continue;
    const size_t dropped = target.session->deliver(message, delivery(target, *message));
    if (dropped > 0) counters_.messages_dropped += dropped;
  }
  for (const auto& group : route.groups) {
    // In turn, those who are connected first.
    const size_t start = route.turn++;
    const MqttRoute::Target* chosen = &group[start % group.size()];
    for (size_t i = 0; i < group.size() && !chosen->session->online(); ++i) {
      chosen = &group[(start + i) % group.size()];
    }
    counters_.messages_dropped += chosen->session->deliver(message, delivery(*chosen, *message));
  }
}

bool MqttCore::retain(const MqttMessagePtr& message) {
  auto retained = retained_.lock();
  if (message->payload.empty()) {
    if (retained->erase(message->topic) > 0) journal_.erase(retained_key(message->topic));
    return true;
  }
  if (retained->size() >= options_.max_retained_messages && !retained->contains(message->topic)) return false;
  (*retained)[message->topic] = message;
  if (journal_.enabled()) {
    std::string record;
    put_message(record, *message);
    journal_.put(retained_key(message->topic), std::move(record));
  }
  return true;
}

void MqttCore::delay_will(MqttDelayedWill will) {
  auto wills = wills_.lock();
  if (wills->size() >= kMaxDelayedWills) will.due_us = 0;
  wills->push_back(std::move(will));
}

std::vector<MqttDelayedWill> MqttCore::take_due_wills() {
  std::vector<MqttDelayedWill> due;
  auto wills = wills_.lock();
  const int64_t now_us = clock_.now_us();
  std::erase_if(*wills, [&](MqttDelayedWill& will) {
    const auto session = will.session.lock();
    // The client came back in time: no will (MQTT 5.0 section 3.1.3.2.2). Its session ended: at once.
    if (session && session->online()) return true;
    if (will.due_us > now_us && session && !session->has_ended(now_us)) return false;
    due.push_back(std::move(will));
    return true;
  });
  return due;
}

}  // namespace tidegate::net
