// What all connections share: sessions, subscriptions, retained messages, delayed wills. Any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "net/internal/mqtt_journal.h"
#include "net/internal/mqtt_session.h"
#include "net/internal/mqtt_trie.h"
#include "net/mqtt_broker.h"

namespace tidegate::net {

// Who gets the messages of one topic, as it was at `version`.
struct MqttRoute {
  struct Target {
    std::shared_ptr<MqttSession> session;  // shared with the registry: a session may end while a route is cached
    MqttStoredSubscription subscription;
    std::vector<uint32_t> ids;
  };
  std::string topic;
  uint64_t version = 0;
  std::vector<Target> targets;              // one per session
  std::vector<std::vector<Target>> groups;  // of each, one gets the message
  size_t turn = 0;
};

// Entries of one thread's cache of routes: gateways publish many topics, devices one.
inline constexpr size_t kRouteCacheEntries = 4096;

struct MqttRouteCache {
  std::vector<std::unique_ptr<MqttRoute>> routes = std::vector<std::unique_ptr<MqttRoute>>(kRouteCacheEntries);
};

struct MqttCounters {
  std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> messages_in{0};
  std::atomic<uint64_t> messages_out{0};
  std::atomic<uint64_t> messages_dropped{0};
  std::atomic<uint64_t> publications_refused{0};
  std::atomic<uint64_t> bytes_in{0};
  std::atomic<uint64_t> bytes_out{0};
};

struct MqttDelayedWill {
  std::shared_ptr<const MqttIdentity> identity;  // shared with the connection that left it
  MqttMessagePtr message;
  int64_t due_us = 0;
  std::weak_ptr<MqttSession> session;
};

class MqttCore {
 public:
  MqttCore(MqttBrokerOptions options, MqttHandler& handler, MqttPersistence* persistence, const io::Clock& clock,
           io::Random& random);
  [[nodiscard]] Result<> load(MqttPersistence& persistence);

  struct Opened {
    std::shared_ptr<MqttSession> session;
    bool present = false;
    MqttReason reason = MqttReason::kSuccess;
  };
  // A client connects. An earlier connection of the same client is told to go.
  [[nodiscard]] Opened open_session(std::string_view client_id, std::string_view principal, bool clean_start,
                                    MqttOwner owner, uint32_t expiry_s, uint16_t in_flight);
  [[nodiscard]] bool is_connected(std::string_view client_id);
  void close_session(const std::shared_ptr<MqttSession>& session, MqttOwner owner, uint32_t expiry_s);
  [[nodiscard]] std::string new_client_id();

  // Nothing: too many. True: the filter is new.
  [[nodiscard]] std::optional<bool> subscribe(const std::shared_ptr<MqttSession>& session, std::string_view filter,
                                              const MqttStoredSubscription& subscription);
  bool unsubscribe(const std::shared_ptr<MqttSession>& session, std::string_view filter);
  void send_retained(const std::shared_ptr<MqttSession>& session, std::string_view filter,
                     const MqttStoredSubscription& subscription);

  [[nodiscard]] bool has_subscribers() const { return subscriber_count_.load(std::memory_order_relaxed) > 0; }
  [[nodiscard]] MqttRoute& route(MqttRouteCache& cache, std::string_view topic);
  [[nodiscard]] std::unique_ptr<MqttRoute> find_route(std::string_view topic) const;
  // `from`: the publisher's session, for No Local; may be null.
  void forward(MqttRoute& route, const MqttMessagePtr& message, const MqttSession* from);
  // False: the store of retained messages is full.
  bool retain(const MqttMessagePtr& message);

  void delay_will(MqttDelayedWill will);
  [[nodiscard]] std::vector<MqttDelayedWill> take_due_wills();
  void expire_sessions();

  [[nodiscard]] const MqttBrokerOptions& options() const { return options_; }
  [[nodiscard]] MqttHandler& handler() { return handler_; }
  [[nodiscard]] MqttJournal& journal() { return journal_; }
  [[nodiscard]] const io::Clock& clock() const { return clock_; }
  [[nodiscard]] MqttCounters& counters() { return counters_; }

 private:
  using Sessions = std::unordered_map<std::string, std::shared_ptr<MqttSession>>;
  void end_session(const std::shared_ptr<MqttSession>& session);
  void add_to_trie(const std::shared_ptr<MqttSession>& session, std::string_view filter,
                   const MqttStoredSubscription& subscription);

  const MqttBrokerOptions options_;
  MqttHandler& handler_;
  const io::Clock& clock_;
  Guarded<io::Random*> random_;
  MqttJournal journal_;
  MqttCounters counters_;
  Guarded<Sessions> sessions_;
  Guarded<std::map<std::string, MqttMessagePtr, std::less<>>> retained_;
  Guarded<std::vector<MqttDelayedWill>> wills_;
  mutable std::shared_mutex trie_mutex_;  // guards trie_
  MqttTrie trie_;
  std::atomic<uint64_t> version_{1};  // of the subscriptions; routes of another version are looked up again
  std::atomic<size_t> subscriber_count_{0};
};

}  // namespace tidegate::net
