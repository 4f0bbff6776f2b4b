// TLS 1.3 (RFC 8446) settings shared by the MQTT and HTTP sides: one SSL_CTX made from PEM text.
// The SSL objects made from it are used by one thread at a time; the context itself by any.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

// OpenSSL's own types; its headers stay in the .cpp files.
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace tidegate::net {

// How long a client may resume a session (RFC 8446 section 4.6.1). A certificate that it showed counts as long, even
// if it ends meanwhile; the device itself is looked up at every CONNECT and request.
inline constexpr long kTlsTicketS = 12 * 3600;

struct TlsServerOptions {
  std::string certificate_pem;  // the server's certificate, followed by its chain
  std::string key_pem;
  // PEM text of the authorities that sign client certificates; empty: clients are not asked for one.
  std::string client_ca_pem;
  bool require_client_certificate = false;
};

struct TlsClientOptions {
  std::string ca_pem;           // PEM text of the authorities to trust; empty: the system's
  std::string certificate_pem;  // a client certificate and its key, both or none
  std::string key_pem;
};

class TlsContext {
 public:
  // TLS 1.3 only, no renegotiation, no early data; sessions are resumed by tickets, with a new key exchange each time.
  // Errors: CertificateFailed (PEM, or the key is not the certificate's).
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> server(const TlsServerOptions& options);
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> client(const TlsClientOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Still owned by this object. For boost::asio::ssl::context, which takes ownership: SSL_CTX_up_ref() first.
  [[nodiscard]] ssl_ctx_st* native() const { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

struct FreeTlsSession {
  void operator()(ssl_session_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_session_st, FreeTlsSession>;
// A client's session that the next connection may resume; null if the server gave no ticket (yet).
[[nodiscard]] TlsSession session_to_resume(ssl_st* ssl);

// SHA-256 of the certificate the peer showed, lower-case hex; none if it showed none. Verification against the
// authorities has happened in the handshake, or in that of the session which was resumed.
[[nodiscard]] std::optional<std::string> peer_certificate_fingerprint(const ssl_st* ssl);

// Before a client's handshake: sends `host` as the server name (unless it is an address) and makes the handshake
// fail unless the server's certificate is for it (RFC 6125; address: its IP entry). Errors: TlsFailed.
[[nodiscard]] Result<> expect_tls_host(ssl_st* ssl, std::string_view host);

// The text of OpenSSL's latest errors on this thread, emptied; for error messages.
[[nodiscard]] std::string take_tls_errors();

}  // namespace tidegate::net
