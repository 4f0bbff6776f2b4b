#include "crypto/digest.h"

#include <doctest/doctest.h>

namespace tidegate::crypto {

TEST_CASE("digests of the published test vectors") {
  const auto hex = [](DigestAlgorithm algorithm, std::string_view text) {
    Digest digest(algorithm);
    std::string out;
    digest.append_hex("something else first", out);
    out.clear();
    digest.append_hex(text, out);
    return out;
  };
  // RFC 1321 and FIPS 180-4.
  CHECK(hex(DigestAlgorithm::kMd5, "") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex(DigestAlgorithm::kSha1, "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(DigestAlgorithm::kSha224, "abc") == "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  CHECK(hex(DigestAlgorithm::kSha256, "") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(DigestAlgorithm::kSha384, "abc") ==
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  CHECK(hex(DigestAlgorithm::kSha512, "abc") ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
        "454d4423643ce80e2a9ac94fa54ca49f");
}

}  // namespace tidegate::crypto
