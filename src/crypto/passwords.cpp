#include "crypto/passwords.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <optional>

#include "base/check.h"
#include "crypto/internal/encoding.h"
#include "crypto/internal/openssl.h"

namespace tidegate::crypto {

namespace {

constexpr int kLogN = 15;
constexpr uint64_t kBlockSize = 8;
constexpr uint64_t kParallelism = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr uint64_t kMaxMemoryBytes = 64U << 20;  // scrypt needs 128 * N * r = 32 MB; a refusal above twice that
constexpr std::string_view kPrefix = "$scrypt$ln=15,r=8,p=1$";

std::optional<std::string> scrypt(std::string_view password, std::string_view salt) {
  std::string out(kHashBytes, '\0');
  const int done = EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const uint8_t*>(salt.data()),
                                  salt.size(), uint64_t{1} << kLogN, kBlockSize, kParallelism, kMaxMemoryBytes,
                                  reinterpret_cast<uint8_t*>(out.data()), out.size());
  if (done == 1) return out;
  return std::nullopt;
}

}  // namespace

Result<std::string> hash_password(std::string_view password, io::Random& random) {
  const std::string salt = random.bytes(kSaltBytes);
  const std::optional<std::string> hash = scrypt(password, salt);
  if (!hash) {
    return fail(ErrorCode::LimitReached, "the password could not be hashed: " + internal::openssl_reason(),
                "Hashing needs 32 MB of memory for a moment.");
  }
  return std::string(kPrefix) + internal::base64url(salt) + "$" + internal::base64url(*hash);
}

bool verify_password(std::string_view password, std::string_view encoded) {
  if (!encoded.starts_with(kPrefix)) return false;
  encoded.remove_prefix(kPrefix.size());
  const size_t separator = encoded.find('$');
  if (separator == std::string_view::npos) return false;
  const std::optional<std::string> salt = internal::from_base64url(encoded.substr(0, separator));
  const std::optional<std::string> hash = internal::from_base64url(encoded.substr(separator + 1));
  if (!salt || !hash || salt->size() != kSaltBytes || hash->size() != kHashBytes) return false;
  const std::optional<std::string> computed = scrypt(password, *salt);
  return computed && equal_in_constant_time(*computed, *hash);
}

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned int size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<uint8_t*>(digest.data()), &size, EVP_sha256(),
                   nullptr) == 1);
  return digest;
}

std::string sha256_hex(std::string_view bytes) { return internal::hex(sha256(bytes)); }

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string random_token(io::Random& random, size_t random_bytes) {
  return internal::base64url(random.bytes(random_bytes));
}

}  // namespace tidegate::crypto
