// Bytes in, one reply out: the client's parser, without a socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/http_client.h"

namespace tidegate::net {

// One thread.
class HttpReplyReader {
 public:
  // `head_request`: the answer to HEAD has no body, whatever its length says.
  HttpReplyReader(size_t max_body_bytes, bool head_request);
  ~HttpReplyReader();

  // ProtocolViolation, RecordTooLarge.
  [[nodiscard]] Result<> feed(std::string_view bytes);
  // The connection has ended; true if that is how this reply says that it is complete.
  [[nodiscard]] bool finish();
  [[nodiscard]] bool head_done() const { return head_done_; }
  [[nodiscard]] bool done() const;
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] const HttpReply& reply() const { return reply_; }
  [[nodiscard]] std::string take_body();  // what has come of it since the last call
  [[nodiscard]] HttpReply take();

 private:
  struct Parser;
  size_t max_body_bytes_;
  std::unique_ptr<Parser> parser_;
  std::string pending_;  // of the head, incomplete
  HttpReply reply_;
  bool head_done_ = false;
};

}  // namespace tidegate::net
