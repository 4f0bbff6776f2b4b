#include "net/tls_context.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

namespace tidegate::net {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> memory_bio(const std::string& text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unexpected<Error> certificate_error(std::string_view what) {
  return fail(ErrorCode::CertificateFailed, fmt::format("{}: {}", what, take_tls_errors()), "check the PEM text");
}

// PEM reading ends with "no start line" when nothing is left; that is not an error.
void clear_end_of_pem() { ERR_clear_error(); }

Result<> use_certificate(SSL_CTX* context, const std::string& certificate_pem, const std::string& key_pem) {
  const auto bio = memory_bio(certificate_pem);
  const Owned<X509> leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return certificate_error("the certificate");
  while (X509* link = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, link) != 1) {
      X509_free(link);
      return certificate_error("the certificate's chain");
    }
  }
  clear_end_of_pem();
  const auto key_bio = memory_bio(key_pem);
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return certificate_error("the certificate's private key");
  }
  return {};
}

Result<> trust(SSL_CTX* context, const std::string& ca_pem, bool name_to_clients) {
  const auto bio = memory_bio(ca_pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (true) {
    const Owned<X509> authority(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!authority) break;
    if (X509_STORE_add_cert(store, authority.get()) != 1) return certificate_error("an authority's certificate");
    if (name_to_clients) SSL_CTX_add_client_CA(context, authority.get());
    ++count;
  }
  if (count == 0) return certificate_error("the authorities' certificates");
  clear_end_of_pem();
  return {};
}

Result<Owned<SSL_CTX>> make_context(const SSL_METHOD* method) {
  Owned<SSL_CTX> context(SSL_CTX_new(method));
  if (!context) return certificate_error("TLS cannot be set up");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // Idle connections give their record buffers back; whoever retries a write may have moved the bytes.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::server(const TlsServerOptions& options) {
  TRY_ASSIGN(auto context, make_context(TLS_server_method()));
  TRY(use_certificate(context.get(), options.certificate_pem, options.key_pem));
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Tickets: what a session is made of goes to the client, sealed with a key of this context, which ends with it. A
  // reconnecting client then spares both sides the certificates; the key exchange is done anew each time.
  static constexpr std::string_view kSessionContext = "tidegate";
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 kSessionContext.size());
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_timeout(context.get(), kTlsTicketS);
  if (!options.client_ca_pem.empty()) {
    TRY(trust(context.get(), options.client_ca_pem, true));
    const int require = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | require, nullptr);
  } else if (options.require_client_certificate) {
    return fail(ErrorCode::CertificateFailed, "client certificates are required but no authority is given",
                "give the PEM text of the authority that signs them");
  }
  return std::unique_ptr<TlsContext>(new TlsContext(context.release()));
}

Result<std::unique_ptr<TlsContext>> TlsContext::client(const TlsClientOptions& options) {
  TRY_ASSIGN(auto context, make_context(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (options.ca_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1) return certificate_error("the system's authorities");
  } else {
    TRY(trust(context.get(), options.ca_pem, false));
  }
  if (!options.certificate_pem.empty()) {
    TRY(use_certificate(context.get(), options.certificate_pem, options.key_pem));
  }
  return std::unique_ptr<TlsContext>(new TlsContext(context.release()));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

void FreeTlsSession::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

TlsSession session_to_resume(ssl_st* ssl) {
  TlsSession session(SSL_get1_session(ssl));
  if (session && SSL_SESSION_is_resumable(session.get()) != 1) session.reset();
  return session;
}

std::optional<std::string> peer_certificate_fingerprint(const ssl_st* ssl) {
  const Owned<X509> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return std::nullopt;
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text.push_back(kHex[digest[i] >> 4]);
    text.push_back(kHex[digest[i] & 15]);
  }
  return text;
}

Result<> expect_tls_host(ssl_st* ssl, std::string_view host) {
  const std::string name(host);
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const bool is_address =
      inet_pton(AF_INET, name.c_str(), address.data()) == 1 || inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
  bool ok = false;
  if (is_address) {
    ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  } else {
    ok = SSL_set1_host(ssl, name.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  }
  if (!ok) return fail(ErrorCode::TlsFailed, "'" + name + "' cannot be verified as a server name", take_tls_errors());
  return {};
}

std::string take_tls_errors() {
  std::string text;
  std::array<char, 256> line{};
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, line.data(), line.size());
    if (!text.empty()) text += "; ";
    text += line.data();
  }
  return text.empty() ? "no details" : text;
}

}  // namespace tidegate::net
