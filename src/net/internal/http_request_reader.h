// Bytes in, requests out: the parser of one connection's requests, without a socket.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "net/http_handler.h"

namespace tidegate::net {

struct HttpLimits {
  size_t head_bytes = 32U << 10;
  size_t body_bytes = 16U << 20;
};

// Reads one request; a new one for the next. Not thread-safe.
class HttpRequestReader {
 public:
  explicit HttpRequestReader(HttpLimits limits);
  ~HttpRequestReader();

  enum class Step {
    kNeedMore,      // feed again with what was not consumed and more behind it
    kSendContinue,  // the peer waits for "100 Continue" before it sends the body; then feed again
    kComplete,      // take()
    kFailed,        // error(), failure_status(); the connection cannot be used further
  };
  // Takes the front of `bytes`; `consumed` says how much.
  [[nodiscard]] Step feed(std::string_view bytes, size_t& consumed);

  [[nodiscard]] HttpRequest take();
  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] int failure_status() const { return failure_status_; }

  [[nodiscard]] bool head_done() const { return head_done_; }
  [[nodiscard]] bool is_head() const { return is_head_; }  // the method was HEAD
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http_1_1() const;
  // Memory promised to the body so far.
  [[nodiscard]] size_t body_memory_bytes() const;

 private:
  struct Parser;
  Step fail_with(int status, ErrorCode code, std::string message, std::string hint = {});
  Step check_head();

  HttpLimits limits_;
  std::unique_ptr<Parser> parser_;
  HttpRequest request_;
  Error error_;
  int failure_status_ = 400;
  bool head_done_ = false;
  bool is_head_ = false;
};

}  // namespace tidegate::net
