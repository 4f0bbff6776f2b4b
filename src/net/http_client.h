// A small blocking HTTP/1.1 client over TLS 1.3, for the command line and for tests. Keeps one connection alive
// between calls. One thread at a time; only cancel() may be called from another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tidegate::net {

struct HttpClientOptions {
  std::string base_url{};  // "https://host:port", or "http://127.0.0.1:port" (plain text: loopback only)
  // PEM text of the authorities to trust; empty: the system's. The server's name or address is verified too.
  std::string ca_pem{};
  std::string certificate_pem{};  // a client certificate and its key, both or none
  std::string key_pem{};
  std::string bearer_token{};         // sent as "Authorization: Bearer ..."; empty: none
  int connect_timeout_ms = 5'000;     // name, TCP and TLS together
  int answer_timeout_ms = 60'000;     // from the request to the end of its answer; of a stream: to its head
  int idle_timeout_ms = 60'000;       // of a stream: longest silence (the server sends a heartbeat every 15 s)
  size_t max_body_bytes = 64U << 20;  // of an answer that is not streamed
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::string body{};

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;  // empty if absent
};

struct HttpCall {
  std::string method = "GET";
  std::string target{};  // path and query, already percent-encoded: "/api/v1/query/live?sql=SELECT%201"
  std::string body{};
  std::string content_type = "application/json";  // of the body, if there is one
  std::vector<std::pair<std::string, std::string>> headers{};
};

// Errors: ConfigInvalid (URL, PEM), InsecureRefused, ConnectionFailed, TlsFailed, Timeout, ProtocolViolation,
// RecordTooLarge, Cancelled. An HTTP status of 400 or more is not an error here: see HttpReply::status.
class HttpClient {
 public:
  [[nodiscard]] static Result<std::unique_ptr<HttpClient>> create(HttpClientOptions options);
  virtual ~HttpClient() = default;

  [[nodiscard]] virtual Result<HttpReply> send(const HttpCall& call) = 0;

  // A piece of the body as it arrived; false ends the stream.
  using OnChunk = std::function<bool(std::string_view chunk)>;
  // Calls `on_chunk` with the body of a 2xx answer until it ends, `on_chunk` says so (both: the reply, without
  // body), or cancel() is called (Cancelled). An answer with another status comes back whole, as from send().
  [[nodiscard]] virtual Result<HttpReply> stream(const HttpCall& call, const OnChunk& on_chunk) = 0;

  // Ends the call under way and every later one with Cancelled. Any thread; not from a signal handler.
  virtual void cancel() = 0;

  virtual void set_bearer_token(std::string token) = 0;
};

// For use in a path segment or a query value (RFC 3986 section 2.3: everything but unreserved characters).
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace tidegate::net
