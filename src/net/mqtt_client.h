// A small MQTT client for the product's own tools: many clients on one thread, whole buffers per write.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/mqtt_packet.h"
#include "net/tls_context.h"

namespace tidegate::net {

struct MqttClientOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 1883;
  const TlsContext* tls = nullptr;  // outlives the client; null: plain TCP
  MqttVersion version = MqttVersion::kV5;
  std::string client_id;
  bool clean_start = true;
  uint32_t session_expiry_s = 0;
  uint16_t keep_alive_s = 60;
  std::string username;  // empty: none
  std::string password;
  uint16_t max_in_flight = 1'000;  // QoS 1 and 2 publications without an answer
};

class MqttClientLoop;

// Used on its loop's thread only, as are its callbacks.
class MqttClient {
 public:
  struct Callbacks {
    std::function<void(Result<>)> on_connected;
    // A QoS 1 or 2 publication is done; microseconds since its publish(). A refusal: its reason code.
    std::function<void(uint16_t packet_id, MqttReason reason, int64_t latency_us)> on_acknowledged;
    std::function<void(const MqttPublish&)> on_message;
    std::function<void(uint16_t packet_id, MqttReason reason)> on_subscribed;
    std::function<void(Error)> on_closed;  // once, after a connection; reconnecting is the caller's
    std::function<void()> on_writable;     // publish() may be called again after it returned false
  };

  virtual ~MqttClient() = default;
  // Again after a connection, too; over TLS it resumes the last session if the server gave a ticket.
  virtual void connect() = 0;
  // Queues it; it is written with everything else that was queued in this turn of the loop. False (and nothing was
  // done) while the window or the output buffer (1 MiB) is full: on_writable tells when to go on.
  // `packet_id` of QoS 1 and 2 is told through `assigned` if wanted.
  virtual bool publish(std::string_view topic, std::string_view payload, uint8_t qos, bool retain = false,
                       uint16_t* assigned = nullptr) = 0;
  virtual uint16_t subscribe(std::string_view filter, uint8_t qos) = 0;
  virtual void disconnect() = 0;  // DISCONNECT, then close
  virtual void abort() = 0;       // closes without a word: the will is published
  [[nodiscard]] virtual bool connected() const = 0;
  [[nodiscard]] virtual bool session_present() const = 0;  // the server kept the MQTT session of a connection before
  [[nodiscard]] virtual bool tls_resumed() const = 0;
  [[nodiscard]] virtual size_t in_flight() const = 0;
};

// One thread's loop; the caller runs it.
class MqttClientLoop {
 public:
  [[nodiscard]] static std::unique_ptr<MqttClientLoop> create();
  virtual ~MqttClientLoop() = default;
  // The client must be destroyed on the loop's thread, or when the loop does not run.
  [[nodiscard]] virtual std::unique_ptr<MqttClient> make_client(MqttClientOptions options,
                                                                MqttClient::Callbacks callbacks) = 0;
  virtual void run() = 0;                                             // until stop()
  virtual void run_for_ms(int64_t ms) = 0;                            // or until stop()
  virtual void stop() = 0;                                            // any thread
  virtual void post(std::function<void()> work) = 0;                  // any thread
  virtual void after_us(int64_t us, std::function<void()> work) = 0;  // loop's thread
};

}  // namespace tidegate::net
