#include "crypto/certificates.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/ids.h"
#include "crypto/internal/openssl.h"
#include "crypto/passwords.h"

namespace tidegate::crypto {

namespace {

using internal::BioPtr;
using internal::CertificatePtr;
using internal::KeyPtr;

constexpr size_t kMaxCommonName = 64;  // ub-common-name, RFC 5280 appendix A
constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kBackdatedSeconds = 3600;

std::unexpected<Error> failed(std::string_view what) {
  return fail(ErrorCode::CertificateFailed, std::string(what) + ": " + internal::openssl_reason());
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

Result<CertificatePtr> parse_certificate(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<size_t>(pem.size(), 1U << 20))));
  CertificatePtr certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return failed("this is not a PEM certificate");
  return certificate;
}

Result<KeyPtr> parse_key(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min<size_t>(pem.size(), 1U << 20))));
  KeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key) return failed("this is not a PEM private key");
  return key;
}

struct Extension {
  int id;
  std::string value;
};

bool add_extension(X509* certificate, X509* issuer, const Extension& extension) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, extension.id, extension.value.c_str());
  if (made == nullptr) return false;
  const bool added = X509_add_ext(certificate, made, -1) == 1;
  X509_EXTENSION_free(made);
  return added;
}

bool set_serial(X509* certificate, io::Random& random) {
  std::string bytes = random.bytes(16);
  bytes[0] = static_cast<char>((bytes[0] & 0x3f) | 0x40);  // positive and of full length (RFC 5280 section 4.1.2.2)
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()), nullptr);
  const bool set = number != nullptr && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool set_validity(X509* certificate, int64_t now_us, int days) {
  const time_t now = now_us / kMicrosPerSecond;
  const time_t from = now - kBackdatedSeconds;
  const time_t until = now + days * kSecondsPerDay;
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr;
}

struct Issuer {
  X509* certificate;  // null: the certificate signs itself
  EVP_PKEY* key;
};

struct Request {
  std::string_view common_name;
  int days;
  std::vector<Extension> extensions;
};

Result<CertificateAndKey> issue(const Request& request, Issuer issuer, int64_t now_us, io::Random& random) {
  if (request.common_name.empty() || request.common_name.size() > kMaxCommonName ||
      request.common_name.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::CertificateFailed, "the common name must have 1 to 64 bytes", "Choose a shorter name.");
  }
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  if (!key || !certificate) return failed("cannot make a key");
  X509* const subject = certificate.get();
  X509* const parent = issuer.certificate == nullptr ? subject : issuer.certificate;
  const bool filled = X509_set_version(subject, X509_VERSION_3) == 1 && set_serial(subject, random) &&
                      set_validity(subject, now_us, request.days) && X509_set_pubkey(subject, key.get()) == 1 &&
                      X509_NAME_add_entry_by_txt(X509_get_subject_name(subject), "CN", MBSTRING_UTF8,
                                                 reinterpret_cast<const uint8_t*>(request.common_name.data()),
                                                 static_cast<int>(request.common_name.size()), -1, 0) == 1 &&
                      X509_set_issuer_name(subject, X509_get_subject_name(parent)) == 1 &&
                      std::ranges::all_of(request.extensions, [&](const Extension& extension) {
                        return add_extension(subject, parent, extension);
                      });
  if (!filled) return failed("cannot fill in the certificate");
  if (X509_sign(subject, issuer.key == nullptr ? key.get() : issuer.key, EVP_sha256()) == 0) {
    return failed("cannot sign the certificate");
  }
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(certificate_pem.get(), subject) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("cannot write the certificate");
  }
  return CertificateAndKey{text_of(certificate_pem.get()), text_of(key_pem.get())};
}

Result<CertificateAndKey> issue_from(const Request& request, const CertificateAndKey& authority, int64_t now_us,
                                     io::Random& random) {
  TRY_ASSIGN(const CertificatePtr certificate, parse_certificate(authority.certificate_pem));
  TRY_ASSIGN(const KeyPtr key, parse_key(authority.private_key_pem));
  return issue(request, {certificate.get(), key.get()}, now_us, random);
}

bool is_ip_address(const std::string& name) {
  std::array<uint8_t, 16> address{};
  return inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
}

// Only what a DNS name may hold: the list below is OpenSSL's own small language.
bool is_dns_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '*';
  });
}

Result<std::string> alternative_names(const std::vector<std::string>& extra_names) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && is_dns_name(host.data())) names.emplace_back(host.data());
  names.insert(names.end(), extra_names.begin(), extra_names.end());
  std::string list;
  std::vector<std::string> seen;
  for (const std::string& name : names) {
    if (std::ranges::find(seen, name) != seen.end()) continue;
    seen.push_back(name);
    const bool ip = is_ip_address(name);
    if (!ip && !is_dns_name(name)) {
      return fail(ErrorCode::CertificateFailed, "'" + name + "' is neither a host name nor an IP address");
    }
    if (!list.empty()) list += ',';
    list += (ip ? "IP:" : "DNS:") + name;
  }
  return list;
}

}  // namespace

Result<CertificateAndKey> make_authority(std::string_view common_name, int64_t now_us, io::Random& random) {
  const Request request{common_name,
                        kCaDays,
                        {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                         {NID_key_usage, "critical,keyCertSign,cRLSign"},
                         {NID_subject_key_identifier, "hash"}}};
  return issue(request, {nullptr, nullptr}, now_us, random);
}

Result<CertificateAndKey> issue_server_certificate(const CertificateAndKey& authority,
                                                   const std::vector<std::string>& extra_names, int64_t now_us,
                                                   io::Random& random) {
  TRY_ASSIGN(const std::string names, alternative_names(extra_names));
  const Request request{"Tidegate server",
                        kServerDays,
                        {{NID_basic_constraints, "critical,CA:FALSE"},
                         {NID_key_usage, "critical,digitalSignature"},
                         {NID_ext_key_usage, "serverAuth"},
                         {NID_subject_key_identifier, "hash"},
                         {NID_authority_key_identifier, "keyid"},
                         {NID_subject_alt_name, names}}};
  return issue_from(request, authority, now_us, random);
}

Result<CertificateAndKey> issue_client_certificate(const CertificateAndKey& authority, std::string_view common_name,
                                                   int64_t now_us, io::Random& random, int days) {
  const Request request{common_name,
                        days,
                        {{NID_basic_constraints, "critical,CA:FALSE"},
                         {NID_key_usage, "critical,digitalSignature"},
                         {NID_ext_key_usage, "clientAuth"},
                         {NID_subject_key_identifier, "hash"},
                         {NID_authority_key_identifier, "keyid"}}};
  return issue_from(request, authority, now_us, random);
}

Result<std::string> certificate_fingerprint(std::string_view certificate_pem) {
  TRY_ASSIGN(const CertificatePtr certificate, parse_certificate(certificate_pem));
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  if (size <= 0) return failed("cannot encode the certificate");
  std::string fingerprint = sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return fingerprint;
}

Result<int64_t> certificate_expiry_us(std::string_view certificate_pem) {
  TRY_ASSIGN(const CertificatePtr certificate, parse_certificate(certificate_pem));
  std::tm when{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &when) != 1) return failed("the validity is unreadable");
  return static_cast<int64_t>(timegm(&when)) * kMicrosPerSecond;
}

}  // namespace tidegate::crypto
