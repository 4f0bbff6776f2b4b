// Sockets for the broker: a few threads, each owning its connections, its lane and one read buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/mqtt_broker.h"
#include "net/tls_context.h"

namespace tidegate::net {

struct MqttListenerOptions {
  std::string plain_address;   // "127.0.0.1"; empty: no plain TCP. Anything but loopback is refused unless allowed
  uint16_t plain_port = 1883;  // 0: any free one
  bool allow_plain_anywhere = false;  // --insecure-dev
  std::string tls_address;            // empty: no TLS
  uint16_t tls_port = 8883;
  TlsServerOptions tls;
  int threads = 1;
  // A descriptor each, and memory (docs/benchmarks.md). Some connections above it are told "server busy" (kMaxRefusals
  // at a time); more are closed at once.
  size_t max_connections = 100'000;
  int unauthenticated_timeout_ms = 5'000;  // from accepting to CONNECT
};

// Connections above the limit that are heard out to be told why: more would be a limit of their own.
inline constexpr size_t kMaxRefusals = 64;

class MqttListener {
 public:
  // `broker` and `handler` outlive the listener. Errors: InsecureRefused, AddressInUse, ConfigInvalid,
  // CertificateFailed.
  [[nodiscard]] static Result<std::unique_ptr<MqttListener>> start(MqttListenerOptions options, MqttBroker& broker,
                                                                   MqttHandler& handler, const io::Clock& clock);
  // Closes every connection (5.0: "server shutting down") and joins the threads; so does the destructor.
  virtual void stop() = 0;
  virtual ~MqttListener() = default;
  [[nodiscard]] virtual uint16_t plain_port() const = 0;  // the bound ones; 0 if not listening
  [[nodiscard]] virtual uint16_t tls_port() const = 0;
  [[nodiscard]] virtual uint64_t refused() const = 0;  // connections over the limit
};

}  // namespace tidegate::net
