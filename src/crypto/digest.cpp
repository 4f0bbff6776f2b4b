#include "crypto/digest.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace tidegate::crypto {

namespace {

const EVP_MD* method_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5: return EVP_md5();
    case DigestAlgorithm::kSha1: return EVP_sha1();
    case DigestAlgorithm::kSha224: return EVP_sha224();
    case DigestAlgorithm::kSha256: return EVP_sha256();
    case DigestAlgorithm::kSha384: return EVP_sha384();
    case DigestAlgorithm::kSha512: return EVP_sha512();
  }
  CHECK(false && "an unknown digest");
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

struct Digest::State {
  const EVP_MD* method;
  std::unique_ptr<EVP_MD_CTX, FreeContext> context;
};

Digest::Digest(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
  state_->method = method_of(algorithm);
  state_->context.reset(EVP_MD_CTX_new());
  CHECK(state_->context != nullptr);
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::append_hex(std::string_view bytes, std::string& out) {
  EVP_MD_CTX* context = state_->context.get();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_DigestInit_ex(context, state_->method, nullptr) == 1);
  CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
  CHECK(EVP_DigestFinal_ex(context, digest, &size) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (unsigned at = 0; at < size; ++at) {
    out += kDigits[digest[at] >> 4U];
    out += kDigits[digest[at] & 0xFU];
  }
}

}  // namespace tidegate::crypto
