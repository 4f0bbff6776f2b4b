// The HTTP/1.1 server (RFC 9110, 9112): connections on their own threads, TLS 1.3, limits and timeouts on everything.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "io/clock.h"
#include "net/http_handler.h"
#include "net/tls_context.h"

namespace tidegate::net {

struct HttpServerOptions {
  std::string address = "127.0.0.1";         // an IP address; "::" for all
  uint16_t port = 0;                         // 0: any free one, see HttpServer::port()
  std::optional<TlsServerOptions> tls{};     // absent: plain text, which is served on loopback only
  int threads = 1;                           // each connection belongs to one of them
  size_t max_connections = 4096;             // further ones are closed at once; a descriptor and ~20 KB each
  size_t max_head_bytes = 32U << 10;         // request line and headers; browsers stay below 16 KB
  size_t max_body_bytes = 16U << 20;         // of one request; more is 413 before it is read
  size_t max_buffered_bytes = 256U << 20;    // bodies being read, of all connections; more is 503
  size_t max_stream_queue_bytes = 8U << 20;  // of one stream; a source that does not look at queued_bytes() is cut off
  int header_timeout_ms = 10'000;  // from the first byte of a request (or the connection) to the end of its headers
  int body_idle_timeout_ms = 30'000;
  int body_timeout_ms = 300'000;  // for a whole body: nobody holds a buffer for ever by dripping bytes
  int idle_timeout_ms = 60'000;   // between requests
  int write_timeout_ms = 30'000;  // without the peer taking anything
  int stop_timeout_ms = 5'000;    // for requests under way when the server stops
};

struct HttpServerCounters {
  uint64_t accepted = 0;  // connections
  uint64_t refused = 0;   // connections over max_connections
  uint64_t requests = 0;
  uint64_t open = 0;  // connections at this moment
};

class HttpServer {
 public:
  // Listens from here on. `handler` and `clock` must outlive it. Errors: AddressInUse, InsecureRefused (plain text
  // off loopback), ConfigInvalid (address), CertificateFailed.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler& handler,
                                                                 const io::Clock& clock);
  virtual ~HttpServer() = default;  // stops

  [[nodiscard]] virtual uint16_t port() const = 0;
  // Takes no more connections, ends streams, lets requests under way finish within the limit, joins its threads.
  // Answers that come later are dropped. Not from a network thread.
  virtual void stop() = 0;
  [[nodiscard]] virtual HttpServerCounters counters() const = 0;
};

}  // namespace tidegate::net
