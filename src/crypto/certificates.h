// Certificates: a small certificate authority of the installation's own, server and client certificates (X.509, EC
// P-256, SHA-256).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/random.h"

namespace tidegate::crypto {

// A certificate and its private key (PKCS#8), both PEM.
struct CertificateAndKey {
  std::string certificate_pem;
  std::string private_key_pem;  // secret: write it with io::FilePrivacy::kOwnerOnly
};

inline constexpr int kCaDays = 3653;     // 10 years: replacing it means visiting every device
inline constexpr int kServerDays = 825;  // the longest that common clients accept
inline constexpr int kClientDaysDefault = 825;

// A new authority. `now_us` (as all times here): microseconds since 1970, the start of validity minus an hour, so that
// devices with a slow clock accept it. Errors of this file: CertificateFailed.
[[nodiscard]] Result<CertificateAndKey> make_authority(std::string_view common_name, int64_t now_us,
                                                       io::Random& random);

// A server certificate for localhost, 127.0.0.1, ::1, this machine's host name and `extra_names` (DNS names or IP
// addresses).
[[nodiscard]] Result<CertificateAndKey> issue_server_certificate(const CertificateAndKey& authority,
                                                                 const std::vector<std::string>& extra_names,
                                                                 int64_t now_us, io::Random& random);

// A client certificate whose common name is the device's (1 to 64 bytes, X.520's limit).
[[nodiscard]] Result<CertificateAndKey> issue_client_certificate(const CertificateAndKey& authority,
                                                                 std::string_view common_name, int64_t now_us,
                                                                 io::Random& random, int days = kClientDaysDefault);

// SHA-256 of the certificate's DER, 64 lower-case hex digits: as `openssl x509 -fingerprint -sha256` without colons.
[[nodiscard]] Result<std::string> certificate_fingerprint(std::string_view certificate_pem);

// The end of validity, microseconds since 1970.
[[nodiscard]] Result<int64_t> certificate_expiry_us(std::string_view certificate_pem);

}  // namespace tidegate::crypto
