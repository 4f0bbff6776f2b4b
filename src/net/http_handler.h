// What the HTTP server asks of the platform: one call per request; the answer may stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::net {

struct HttpRequest {
  std::string method;                                      // "GET"
  std::string path;                                        // decoded, without query: "/api/v1/streams"
  std::vector<std::string> segments;                       // of the path, decoded one by one: {"api", "v1", "streams"}
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // with 64 readable bytes of capacity behind it
  std::optional<std::string> certificate_fingerprint;        // of a verified client certificate
  std::string peer;                                          // address, for the audit log

  [[nodiscard]] std::optional<std::string_view> header(std::string_view lower_case_name) const;
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  void set_header(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
};

// A body without an end (server-sent events). Any thread; write() after the peer has gone is dropped.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  virtual void write(std::string chunk) = 0;
  virtual void close() = 0;
  // Bytes written and not yet taken by the peer's socket: a source that sees this grow skips instead of writing.
  [[nodiscard]] virtual size_t queued_bytes() const = 0;
};

// Answers one request, exactly once, from any thread, now or later.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;
  virtual void respond(HttpResponse response) = 0;
  // Calls `callback` once, from a network thread, if the peer goes away (or sends nothing more) before the answer is
  // given: for work that nobody would wait for any longer. At most once per request; be quick.
  virtual void on_gone(std::function<void()> callback) = 0;
  // Sends head and headers, keeps the body open. `on_closed` is called once when the peer has gone or close() is done.
  // Shared: the platform writes while the server may already have lost the connection.
  [[nodiscard]] virtual std::shared_ptr<HttpStream> stream(HttpResponse head, std::function<void()> on_closed) = 0;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Called on a network thread; must not block. `responder` is shared with whatever answers later; if all of its
  // owners let go of it unanswered, the peer gets 500. A HEAD request comes as GET; the server leaves the body out.
  virtual void handle(HttpRequest request, std::shared_ptr<HttpResponder> responder) = 0;
};

}  // namespace tidegate::net
