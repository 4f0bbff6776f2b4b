// A non-blocking TCP socket, plain or under TLS, read and written when it is ready. Asio only in .cpp files and
// in the internal headers they share.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/tls_context.h"

namespace tidegate::net {

struct FreeSsl {
  void operator()(ssl_st* ssl) const;
};

// The thread of its io_context.
class MqttSocket {
 public:
  enum class Status : uint8_t { kOk, kWantRead, kWantWrite, kClosed };
  struct Moved {
    size_t bytes = 0;
    Status status = Status::kOk;
  };

  MqttSocket(boost::asio::ip::tcp::socket socket, const TlsContext* tls, bool server);
  ~MqttSocket();

  // kOk when bytes may flow; at once without TLS. The server's first one makes the TLS state, some 50 KB.
  Status handshake();
  [[nodiscard]] Result<> expect_host(const std::string& host);
  void offer(ssl_session_st* session);  // a client's, before its handshake
  [[nodiscard]] TlsSession session() const;
  [[nodiscard]] bool resumed() const;
  // As much as is there, up to the buffer's size.
  Moved read(std::span<char> buffer);
  Moved write(std::string_view bytes);
  // TLS holds decrypted bytes for which the socket will not become readable again.
  [[nodiscard]] bool has_buffered() const;
  [[nodiscard]] std::optional<std::string> fingerprint() const;
  [[nodiscard]] boost::asio::ip::tcp::socket& tcp() { return socket_; }

 private:
  Status ssl_status(int result);
  void make_ssl();

  boost::asio::ip::tcp::socket socket_;
  const TlsContext* tls_;  // null: plain TCP
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  bool server_;
};

}  // namespace tidegate::net
