// The site's own certificate authority and server certificate, in <data>/tls.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/certificates.h"
#include "io/clock.h"
#include "io/random.h"

namespace tidegate::security {

struct TlsFiles {
  crypto::CertificateAndKey authority;
  crypto::CertificateAndKey server;
  std::filesystem::path ca_file;  // ca.pem: what devices and browsers trust
};

inline constexpr int64_t kRenewBeforeUs = int64_t{30} * 24 * 3600 * kMicrosPerSecond;

// Makes what is missing: ca.pem and ca.key (once), server.pem and server.key (again when they expire within 30 days, at
// a start). Keys are readable by their owner only. Errors: CertificateFailed, and those of io/file.h.
[[nodiscard]] Result<TlsFiles> prepare_tls(const std::filesystem::path& folder, const std::vector<std::string>& names,
                                           const io::Clock& clock, io::Random& random);

}  // namespace tidegate::security
