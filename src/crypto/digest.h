// Message digests, by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tidegate::crypto {

enum class DigestAlgorithm { kMd5, kSha1, kSha224, kSha256, kSha384, kSha512 };

// Holds OpenSSL's scratch memory: one thread at a time.
class Digest {
 public:
  explicit Digest(DigestAlgorithm algorithm);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  // The digest as hexadecimal digits in lower case, appended to `out`.
  void append_hex(std::string_view bytes, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidegate::crypto
