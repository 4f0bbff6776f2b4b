#include "net/internal/mqtt_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace tidegate::net {

void FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

MqttSocket::MqttSocket(boost::asio::ip::tcp::socket socket, const TlsContext* tls, bool server)
    : socket_(std::move(socket)), tls_(tls), server_(server) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  if (tls_ != nullptr && !server_) make_ssl();
}

void MqttSocket::make_ssl() {
  ssl_.reset(SSL_new(tls_->native()));
  if (!ssl_) return;
  SSL_set_fd(ssl_.get(), static_cast<int>(socket_.native_handle()));
  SSL_set_read_ahead(ssl_.get(), 1);
}

MqttSocket::~MqttSocket() {
  if (ssl_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

Result<> MqttSocket::expect_host(const std::string& host) {
  return ssl_ ? expect_tls_host(ssl_.get(), host) : Result<>{};
}

void MqttSocket::offer(ssl_session_st* session) {
  if (ssl_ && session != nullptr) SSL_set_session(ssl_.get(), session);
}

TlsSession MqttSocket::session() const { return ssl_ ? session_to_resume(ssl_.get()) : nullptr; }
bool MqttSocket::resumed() const { return ssl_ && SSL_session_reused(ssl_.get()) == 1; }

MqttSocket::Status MqttSocket::ssl_status(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Status::kWantRead;
    case SSL_ERROR_WANT_WRITE: return Status::kWantWrite;
    default: return Status::kClosed;
  }
}

MqttSocket::Status MqttSocket::handshake() {
  if (tls_ == nullptr) return Status::kOk;
  if (!ssl_ && server_) make_ssl();
  if (!ssl_) return Status::kClosed;  // no memory: never plain text instead
  ERR_clear_error();
  const int result = server_ ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get());
  return result == 1 ? Status::kOk : ssl_status(result);
}

MqttSocket::Moved MqttSocket::read(std::span<char> buffer) {
  Moved moved;
  if (!ssl_) {
    const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), 0);
    if (got > 0) return {static_cast<size_t>(got), Status::kOk};
    const bool later = got < 0 && (errno == EAGAIN || errno == EINTR);
    return {0, later ? Status::kWantRead : Status::kClosed};
  }
  ERR_clear_error();
  while (moved.bytes < buffer.size()) {
    size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data() + moved.bytes, buffer.size() - moved.bytes, &got);
    moved.bytes += got;
    if (result == 1) continue;
    moved.status = ssl_status(result);
    break;
  }
  return moved;
}

MqttSocket::Moved MqttSocket::write(std::string_view bytes) {
  Moved moved;
  while (moved.bytes < bytes.size()) {
    const std::string_view rest = bytes.substr(moved.bytes);
    if (!ssl_) {
      const ssize_t sent = ::send(socket_.native_handle(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        const bool later = errno == EAGAIN || errno == EINTR;
        moved.status = later ? Status::kWantWrite : Status::kClosed;
        return moved;
      }
      moved.bytes += static_cast<size_t>(sent);
      continue;
    }
    ERR_clear_error();
    size_t sent = 0;
    const int result = SSL_write_ex(ssl_.get(), rest.data(), rest.size(), &sent);
    moved.bytes += sent;
    if (result != 1) {
      moved.status = ssl_status(result);
      return moved;
    }
  }
  return moved;
}

bool MqttSocket::has_buffered() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }

std::optional<std::string> MqttSocket::fingerprint() const {
  return ssl_ ? peer_certificate_fingerprint(ssl_.get()) : std::nullopt;
}

}  // namespace tidegate::net
