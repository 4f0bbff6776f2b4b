// The broker: sessions, subscriptions and retained messages, shared by all connections. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/clock.h"
#include "io/random.h"
#include "net/mqtt_handler.h"
#include "net/mqtt_packet.h"
#include "net/mqtt_persistence.h"

namespace tidegate::net {

class MqttCore;

struct MqttBrokerOptions {
  size_t max_packet_bytes = 16U << 20;  // larger ones are refused from their first bytes
  uint16_t receive_maximum = 65'535;    // QoS 1 and 2 publications a client may have unacknowledged
  uint16_t topic_alias_maximum = 32;    // per connection; each costs a topic's bytes
  uint16_t max_keep_alive_s = 0;        // above 0: the server's keep-alive, for clients that ask for more or none
  uint32_t max_session_expiry_s = 7 * 86'400;  // how long a session may outlive its connection
  size_t max_queued_messages = 10'000;         // per session; the oldest QoS 0 goes first
  size_t max_queued_bytes = 4U << 20;          // per session
  uint16_t max_in_flight = 1'000;              // per session, towards the client
  size_t max_sessions = 1'000'000;
  size_t max_subscriptions_per_session = 1'000;
  size_t max_retained_messages = 100'000;
};

struct MqttStats {
  uint64_t connections = 0;  // now
  uint64_t messages_in = 0;
  uint64_t messages_out = 0;
  uint64_t messages_dropped = 0;  // for slow or absent subscribers
  uint64_t publications_refused = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
};

class MqttBroker {
 public:
  // `handler`, `persistence` (may be null: nothing survives a restart), `clock` and `random` outlive the broker.
  // Errors: those of MqttPersistence::load; FormatUnknown.
  [[nodiscard]] static Result<std::unique_ptr<MqttBroker>> create(MqttBrokerOptions options, MqttHandler& handler,
                                                                  MqttPersistence* persistence, const io::Clock& clock,
                                                                  io::Random& random);
  ~MqttBroker();

  // Sends a message of the platform's own to matching subscribers. Errors: ConfigInvalid (topic), RecordTooLarge.
  [[nodiscard]] Result<> publish(std::string_view topic, std::string_view payload, uint8_t qos, bool retain,
                                 const MqttProperties& properties = {});
  [[nodiscard]] MqttStats stats() const;
  [[nodiscard]] MqttCore& core() { return *core_; }

 private:
  explicit MqttBroker(std::unique_ptr<MqttCore> core);
  std::unique_ptr<MqttCore> core_;
};

}  // namespace tidegate::net
