#include "crypto/sealing.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <cstring>

#include "base/check.h"
#include "crypto/internal/openssl.h"

namespace tidegate::crypto {

namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr std::string_view kPieceInfo = "tidegate seal v1";
static_assert(kSaltBytes + kNonceBytes + kTagBytes == kSealOverhead);

const EVP_CIPHER* cipher() {
  static EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CHECK(fetched != nullptr);
  return fetched;
}

EVP_KDF* hkdf() {
  static EVP_KDF* const fetched = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  CHECK(fetched != nullptr);
  return fetched;
}

// One context a thread: making one costs more than sealing a small piece.
EVP_CIPHER_CTX* context() {
  thread_local const internal::CipherContextPtr kept(EVP_CIPHER_CTX_new());
  CHECK(kept != nullptr);
  EVP_CIPHER_CTX_reset(kept.get());
  return kept.get();
}

const uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }
uint8_t* bytes_of(std::string& text, size_t at) { return reinterpret_cast<uint8_t*>(text.data() + at); }

// OpenSSL counts in int; pieces are far smaller.
int int_size(std::string_view text) {
  CHECK(text.size() < (1U << 31) - kSealOverhead);
  return static_cast<int>(text.size());
}

}  // namespace

Key::Key(std::string_view bytes) {
  CHECK(bytes.size() == kBytes);
  std::memcpy(bytes_.data(), bytes.data(), kBytes);
}

Key::~Key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Key Key::generate(io::Random& random) {
  std::string bytes = random.bytes(kBytes);
  Key key(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

Key Key::derive(std::string_view salt, std::string_view info) const {
  char digest[] = "SHA256";
  const auto octets = [](const char* name, std::string_view value) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(value.data()), value.size());
  };
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                             octets(OSSL_KDF_PARAM_KEY, bytes()), octets(OSSL_KDF_PARAM_SALT, salt),
                             octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  const internal::KdfContextPtr kdf(EVP_KDF_CTX_new(hkdf()));
  std::array<uint8_t, kBytes> derived{};
  CHECK(kdf != nullptr && EVP_KDF_derive(kdf.get(), derived.data(), derived.size(), parameters) == 1);
  Key key({reinterpret_cast<const char*>(derived.data()), kBytes});
  OPENSSL_cleanse(derived.data(), derived.size());
  return key;
}

std::string seal(const Key& key, io::Random& random, std::string_view place, std::string_view plain) {
  std::string out(kSealOverhead + plain.size(), '\0');
  random.fill({bytes_of(out, 0), kSaltBytes + kNonceBytes});
  const Key piece = key.derive(std::string_view(out).substr(0, kSaltBytes), kPieceInfo);
  EVP_CIPHER_CTX* const gcm = context();
  int written = 0;
  int finished = 0;
  const bool sealed =
      EVP_EncryptInit_ex2(gcm, cipher(), bytes_of(piece.bytes()), bytes_of(out, kSaltBytes), nullptr) == 1 &&
      EVP_EncryptUpdate(gcm, nullptr, &written, bytes_of(place), int_size(place)) == 1 &&
      EVP_EncryptUpdate(gcm, bytes_of(out, kSaltBytes + kNonceBytes), &written, bytes_of(plain), int_size(plain)) ==
          1 &&
      EVP_EncryptFinal_ex(gcm, bytes_of(out, out.size() - kTagBytes), &finished) == 1 &&
      EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, kTagBytes, bytes_of(out, out.size() - kTagBytes)) == 1;
  CHECK(sealed);
  return out;
}

Result<std::string> open_seal(const Key& key, std::string_view place, std::string_view sealed) {
  if (sealed.size() < kSealOverhead || sealed.size() >= (1U << 31)) {
    return fail(ErrorCode::SealBroken, "sealed data has an impossible size");
  }
  const Key piece = key.derive(sealed.substr(0, kSaltBytes), kPieceInfo);
  const std::string_view nonce = sealed.substr(kSaltBytes, kNonceBytes);
  const std::string_view hidden = sealed.substr(kSaltBytes + kNonceBytes, sealed.size() - kSealOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plain(hidden.size(), '\0');
  uint8_t nothing[kTagBytes];  // GCM's final step writes no bytes but wants a place
  EVP_CIPHER_CTX* const gcm = context();
  int written = 0;
  const bool opened = EVP_DecryptInit_ex2(gcm, cipher(), bytes_of(piece.bytes()), bytes_of(nonce), nullptr) == 1 &&
                      EVP_DecryptUpdate(gcm, nullptr, &written, bytes_of(place), int_size(place)) == 1 &&
                      EVP_DecryptUpdate(gcm, bytes_of(plain, 0), &written, bytes_of(hidden), int_size(hidden)) == 1 &&
                      EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(gcm, nothing, &written) == 1;
  if (opened) return plain;
  ERR_clear_error();
  OPENSSL_cleanse(plain.data(), plain.size());
  return fail(ErrorCode::SealBroken, "sealed data does not open: it was changed, moved or sealed under another key");
}

}  // namespace tidegate::crypto
