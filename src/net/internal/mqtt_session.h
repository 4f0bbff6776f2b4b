// What outlives a connection: a client's subscriptions, queued messages and handshakes under way.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/internal/mqtt_codec.h"
#include "net/mqtt_broker.h"

namespace tidegate::net {

struct MqttMessage {
  std::string topic;
  std::string payload;
  std::string properties;  // as write_stored_properties() wrote them, without expiry, alias and subscription ids
  uint8_t qos = 0;
  bool retain = false;
  int64_t expires_at_us = 0;  // wall clock; 0: never
};
// Shared: one message waits in the queues of many sessions.
using MqttMessagePtr = std::shared_ptr<const MqttMessage>;

// A connection as other threads reach it: only through its thread's mailbox.
class MqttMailbox {
 public:
  virtual ~MqttMailbox() = default;
  virtual void wake(uint64_t connection) = 0;       // its session has messages
  virtual void take_over(uint64_t connection) = 0;  // another connection has its session
};

struct MqttOwner {
  MqttMailbox* mailbox = nullptr;
  uint64_t connection = 0;
};

struct MqttStoredSubscription {
  uint8_t qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  uint32_t id = 0;  // 0: none
};

// How a message goes out to one subscriber.
struct MqttDelivery {
  uint8_t qos = 0;
  bool retain = false;
  std::vector<uint32_t> subscription_ids;
};

// How many bytes one queue entry costs beside its payload, about; counts against max_queued_bytes.
inline constexpr size_t kQueueEntryBytes = 200;

class MqttJournal;

// Any thread: the lock is taken in every function. Lock order: registry, session, journal.
class MqttSession {
 public:
  MqttSession(std::string client_id, std::string principal, const MqttBrokerOptions& options, MqttJournal& journal)
      : client_id_(std::move(client_id)), principal_(std::move(principal)), options_(options), journal_(journal) {}

  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  [[nodiscard]] const std::string& principal() const { return principal_; }

  // The connection that has the session from now on; returns the one that had it.
  MqttOwner attach(MqttOwner owner, uint32_t expiry_s, uint16_t in_flight);
  // The connection is gone. False if it no longer had the session; else the time of the end is set.
  bool detach(MqttOwner owner, uint32_t expiry_s, int64_t now_us);
  [[nodiscard]] bool online() const;
  [[nodiscard]] bool has_ended(int64_t now_us) const;
  void end();  // forgets everything; what is delivered later is dropped

  // Returns messages dropped for it (0 or more).
  size_t deliver(const MqttMessagePtr& message, const MqttDelivery& how);

  struct Outgoing {
    MqttMessagePtr message;
    uint16_t packet_id = 0;
    MqttDelivery how;
    bool duplicate = false;
  };
  // What the client may get now, at most `limit`. `released` gets packet ids whose PUBREL must be repeated (after a
  // reconnect).
  void take(size_t limit, std::vector<Outgoing>& out, std::vector<uint16_t>& released);
  [[nodiscard]] bool has_more() const;

  // The client's answers. False: no such packet id.
  bool acknowledged(uint16_t packet_id);  // PUBACK, PUBCOMP, or PUBREC with an error
  bool received(uint16_t packet_id);      // PUBREC

  // QoS 2 from the client.
  enum class Inbound : uint8_t { kNew, kPending, kStored };
  Inbound begin_inbound(uint16_t packet_id);
  void settle_inbound(uint16_t packet_id, bool ok);
  bool release_inbound(uint16_t packet_id);
  [[nodiscard]] bool inbound_stored(uint16_t packet_id) const;

  // True if the filter is new to the session. Nothing: the limit is reached.
  std::optional<bool> subscribe(const std::string& filter, const MqttStoredSubscription& subscription);
  bool unsubscribe(const std::string& filter);
  [[nodiscard]] std::map<std::string, MqttStoredSubscription> subscriptions() const;

  void restore(std::string_view record, int64_t now_us);
  void restore_message(uint64_t sequence, std::string_view record);

 private:
  struct Queued {
    uint64_t sequence = 0;
    MqttMessagePtr message;
    MqttDelivery how;
  };
  struct InFlight {
    uint16_t packet_id = 0;
    bool received = false;  // PUBREC came
    bool resend = false;
    Queued entry;
  };

  size_t make_room(const Queued& entry);
  void save();
  void save_message(const Queued& entry);
  void forget_message(const Queued& entry);
  [[nodiscard]] bool persistent() const { return expiry_s_ > 0; }
  Queued pop_next();

  const std::string client_id_;
  const std::string principal_;
  const MqttBrokerOptions& options_;
  MqttJournal& journal_;

  mutable std::mutex mutex_;  // guards everything below
  MqttOwner owner_;
  bool woken_ = false;
  bool ended_ = false;
  uint32_t expiry_s_ = 0;
  int64_t ends_at_us_ = 0;  // 0: not while connected
  uint16_t max_in_flight_ = 0;
  uint16_t next_packet_id_ = 0;
  uint64_t next_sequence_ = 1;
  size_t queued_bytes_ = 0;
  std::map<std::string, MqttStoredSubscription> subscriptions_;
  std::map<uint64_t, Queued> at_most_once_;  // by sequence, so that the oldest QoS 0 is found at once
  std::map<uint64_t, Queued> assured_;
  std::deque<InFlight> in_flight_;    // in the order they were sent
  std::map<uint16_t, bool> inbound_;  // QoS 2 packet ids between PUBLISH and PUBREL; true: durable
};

}  // namespace tidegate::net
