// What the MQTT broker asks of the platform. The broker knows no streams; the platform knows no packets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/mqtt_packet.h"

namespace tidegate::net {

// Whoever a connection authenticated as; the platform's own type behind an opaque face.
class MqttIdentity {
 public:
  virtual ~MqttIdentity() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
};

struct MqttCredentials {
  std::string_view client_id;
  std::optional<std::string_view> username;
  std::optional<std::string_view> password;
  std::optional<std::string_view> certificate_fingerprint;  // SHA-256, lower-case hex, of a verified client certificate
};

// What becomes of a publication whose sender is over its quota.
enum class MqttOverQuota : uint8_t {
  kRefuse,  // the sender can be told (MQTT 5.0, QoS 1 and 2): QuotaExceeded
  kDrop,    // nobody waits for an answer (QoS 0)
  kHold,    // it cannot be told and must not lose anything (3.1.1, QoS 1 and 2): not read further until there is room
  kTake,    // a will, which comes once
};

struct MqttArrival {
  const MqttIdentity& identity;
  std::string_view topic;
  std::string_view payload;  // has 64 readable bytes behind it
  MqttOverQuota over_quota = MqttOverQuota::kTake;
};

struct MqttTaken {
  bool waits = false;    // durable only after the next flush: its acknowledgement must wait
  bool dropped = false;  // of kDrop
  int64_t hold_us = 0;   // above 0: not taken; it may come again after so long
};

// A connection's place among those of its identity, given back with it.
class MqttPlace {
 public:
  virtual ~MqttPlace() = default;
};

// One network thread's side of the platform; made by MqttHandler::open_lane on that thread, used only there.
class MqttLane {
 public:
  virtual ~MqttLane() = default;
  // A publication that was read. An error is answered to the publisher (MQTT 5: reason code; 3.1.1: the connection
  // closes) and never acknowledged.
  [[nodiscard]] virtual Result<MqttTaken> publish(const MqttArrival& arrival) = 0;
  // All publications since the last flush are handed on; `done` comes once, on another thread, when they are
  // durable or lost. Returns false (without taking `done`) if nothing waits.
  virtual bool flush(std::function<void(Result<>)> done) = 0;
  [[nodiscard]] virtual size_t waiting_rows() const = 0;
};

// A publication that may go out to one subscriber. Only MqttHandler::clear makes one, and what the broker sends to
// subscribers is written from this type alone: no way out can forget to ask.
class MqttCleared {
 public:
  [[nodiscard]] const MqttPublish& publish() const { return *publish_; }

 private:
  friend class MqttHandler;
  explicit MqttCleared(const MqttPublish& publish) : publish_(&publish) {}
  const MqttPublish* publish_;
};

// Any thread.
class MqttHandler {
 public:
  virtual ~MqttHandler() = default;
  // Shared: a connection and the session that outlives it both hold the identity.
  [[nodiscard]] virtual Result<std::shared_ptr<const MqttIdentity>> authenticate(const MqttCredentials& who) = 0;
  // Of an identity that has authenticated and wants to connect; null: places are not counted. `replaces`: the client
  // has a connection, which ends for this one. QuotaExceeded.
  [[nodiscard]] virtual Result<std::unique_ptr<MqttPlace>> admit(const MqttIdentity& /*identity*/, bool /*replaces*/) {
    return nullptr;
  }
  [[nodiscard]] virtual bool may_publish(const MqttIdentity& identity, std::string_view topic) = 0;
  [[nodiscard]] virtual bool may_subscribe(const MqttIdentity& identity, std::string_view filter) = 0;
  // Asks the policy about one delivery; nothing when it may not go out. `publish` must outlive the result.
  [[nodiscard]] std::optional<MqttCleared> clear(const MqttIdentity& identity, const MqttPublish& publish) {
    if (!may_receive(identity, publish.topic)) return std::nullopt;
    return MqttCleared(publish);
  }
  // A connection of this identity was accepted; it is gone. `properly`: the client took its leave (DISCONNECT with
  // reason 0). Not when the server stops. On a network thread: be quick.
  virtual void connected(const MqttIdentity& /*identity*/) {}
  virtual void subscribed(const std::shared_ptr<const MqttIdentity>& /*identity*/, std::string_view /*filter*/) {}
  virtual void disconnected(const MqttIdentity& /*identity*/, bool /*properly*/) {}
  [[nodiscard]] virtual std::unique_ptr<MqttLane> open_lane() = 0;
  // Stop reading from sockets for now.
  [[nodiscard]] virtual bool overloaded() = 0;

 private:
  // The policy's say, asked per delivery.
  [[nodiscard]] virtual bool may_receive(const MqttIdentity& identity, std::string_view topic) = 0;
};

}  // namespace tidegate::net
