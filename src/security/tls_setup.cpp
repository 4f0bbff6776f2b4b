#include "security/tls_setup.h"

#include "base/logging.h"
#include "io/file.h"

namespace tidegate::security {
namespace {

Result<> save(const std::filesystem::path& folder, const std::string& name, const crypto::CertificateAndKey& pair) {
  TRY(io::write_file_atomic(folder / (name + ".key"), pair.private_key_pem, io::FilePrivacy::kOwnerOnly));
  return io::write_file_atomic(folder / (name + ".pem"), pair.certificate_pem, io::FilePrivacy::kPublic);
}

Result<crypto::CertificateAndKey> read(const std::filesystem::path& folder, const std::string& name) {
  crypto::CertificateAndKey pair;
  TRY_ASSIGN(pair.certificate_pem, io::read_file(folder / (name + ".pem")));
  TRY_ASSIGN(pair.private_key_pem, io::read_file(folder / (name + ".key")));
  return pair;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<crypto::CertificateAndKey> authority(const std::filesystem::path& folder, const io::Clock& clock,
                                            io::Random& random) {
  if (is_there(folder / "ca.pem")) return read(folder, "ca");
  TRY_ASSIGN(auto made, crypto::make_authority("Tidegate site authority", clock.now_us(), random));
  TRY(save(folder, "ca", made));
  log_info("made the site's certificate authority", {{"file", (folder / "ca.pem").string()}});
  return made;
}

Result<crypto::CertificateAndKey> server(const std::filesystem::path& folder, const crypto::CertificateAndKey& ca,
                                         const std::vector<std::string>& names, const io::Clock& clock,
                                         io::Random& random) {
  if (is_there(folder / "server.pem")) {
    TRY_ASSIGN(auto present, read(folder, "server"));
    TRY_ASSIGN(const int64_t expiry_us, crypto::certificate_expiry_us(present.certificate_pem));
    if (expiry_us - clock.now_us() > kRenewBeforeUs) return present;
  }
  TRY_ASSIGN(auto made, crypto::issue_server_certificate(ca, names, clock.now_us(), random));
  TRY(save(folder, "server", made));
  log_info("made a server certificate", {{"file", (folder / "server.pem").string()}});
  return made;
}

}  // namespace

Result<TlsFiles> prepare_tls(const std::filesystem::path& folder, const std::vector<std::string>& names,
                             const io::Clock& clock, io::Random& random) {
  TRY(io::create_private_folder(folder));
  TlsFiles files;
  TRY_ASSIGN(files.authority, authority(folder, clock, random));
  TRY_ASSIGN(files.server, server(folder, files.authority, names, clock, random));
  files.ca_file = folder / "ca.pem";
  return files;
}

}  // namespace tidegate::security
