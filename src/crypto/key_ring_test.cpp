#include <doctest/doctest.h>

#include <filesystem>

#include "crypto/certificates.h"
#include "crypto/key_ring.h"
#include "io/file.h"

namespace tidegate::crypto {
namespace {

namespace fs = std::filesystem;

struct Folder {
  explicit Folder(const char* name) : path(fs::temp_directory_path() / (std::string("tidegate_keys_") + name)) {
    fs::remove_all(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

TEST_CASE("data keys survive a restart and differ by name") {
  const Folder folder("restart");
  io::SystemRandom random;
  std::string first;
  {
    auto ring = KeyRing::open(folder.path, random).value();
    first = ring->data_key("stream/1").value().bytes();
    CHECK(ring->data_key("stream/1").value().bytes() == first);
    CHECK(ring->data_key("stream/2").value().bytes() != first);
  }
  auto ring = KeyRing::open(folder.path, random).value();
  CHECK(ring->data_key("stream/1").value().bytes() == first);
  CHECK(fs::status(folder.path / "root.key").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(fs::status(folder.path / "keyring").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a missing, foreign or damaged key file is an error with a hint, never a new key") {
  const Folder folder("damage");
  io::SystemRandom random;
  {
    auto ring = KeyRing::open(folder.path, random).value();
    CHECK(ring->data_key("catalog"));
  }
  const std::string root = io::read_file(folder.path / "root.key").value();
  const std::string ring = io::read_file(folder.path / "keyring").value();
  const auto open_error = [&] {
    const auto opened = KeyRing::open(folder.path, random);
    CHECK_FALSE(opened.has_value());
    return opened ? ErrorCode::Bug : opened.error().code;
  };
  fs::remove(folder.path / "root.key");
  CHECK(open_error() == ErrorCode::KeyUnavailable);
  CHECK(io::write_file_atomic(folder.path / "root.key", std::string(64, 'a'), io::FilePrivacy::kOwnerOnly));
  CHECK(open_error() == ErrorCode::KeyUnavailable);
  CHECK(io::write_file_atomic(folder.path / "root.key", "not hex", io::FilePrivacy::kOwnerOnly));
  CHECK(open_error() == ErrorCode::KeyUnavailable);
  CHECK(io::write_file_atomic(folder.path / "root.key", root, io::FilePrivacy::kOwnerOnly));
  for (size_t at = 0; at < ring.size(); ++at) {
    std::string changed = ring;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    CHECK(io::write_file_atomic(folder.path / "keyring", changed, io::FilePrivacy::kOwnerOnly));
    CHECK(open_error() == ErrorCode::KeyUnavailable);
  }
  fs::remove(folder.path / "keyring");
  CHECK(open_error() == ErrorCode::KeyUnavailable);
  CHECK(io::write_file_atomic(folder.path / "keyring", ring, io::FilePrivacy::kOwnerOnly));
  CHECK(KeyRing::open(folder.path, random));
}

TEST_CASE("a first start that was interrupted is finished by the next") {
  const Folder folder("interrupted");
  io::SystemRandom random;
  {
    CHECK(KeyRing::open(folder.path, random));
  }
  fs::rename(folder.path / "root.key", folder.path / "root.key.new");
  CHECK(KeyRing::open(folder.path, random));
  CHECK(fs::exists(folder.path / "root.key"));
  fs::rename(folder.path / "root.key", folder.path / "root.key.new");
  fs::remove(folder.path / "keyring");
  CHECK(KeyRing::open(folder.path, random));
}

TEST_CASE("certificates: authority, server and client") {
  io::SystemRandom random;
  const int64_t now_us = 1'750'000'000'000'000;
  const CertificateAndKey authority = make_authority("Tidegate test", now_us, random).value();
  CHECK(authority.certificate_pem.starts_with("-----BEGIN CERTIFICATE-----"));
  CHECK(authority.private_key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
  const auto server = issue_server_certificate(authority, {"meter.example", "10.0.0.7"}, now_us, random);
  REQUIRE(server.has_value());
  CHECK(certificate_expiry_us(server->certificate_pem).value() == now_us + kServerDays * int64_t{86400} * 1'000'000);
  const auto client = issue_client_certificate(authority, "meter-1", now_us, random);
  REQUIRE(client.has_value());
  CHECK(certificate_fingerprint(client->certificate_pem).value().size() == 64);
  CHECK(certificate_fingerprint(client->certificate_pem).value() !=
        certificate_fingerprint(server->certificate_pem).value());
  CHECK(issue_server_certificate(authority, {"bad,DNS:evil"}, now_us, random).error().code ==
        ErrorCode::CertificateFailed);
  CHECK_FALSE(issue_client_certificate(authority, "", now_us, random));
  CHECK_FALSE(issue_client_certificate(authority, std::string(65, 'x'), now_us, random));
  CHECK_FALSE(issue_client_certificate({"junk", "junk"}, "meter", now_us, random));
  CHECK_FALSE(certificate_fingerprint("junk"));
}

}  // namespace
}  // namespace tidegate::crypto
