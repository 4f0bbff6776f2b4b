#include <doctest/doctest.h>

#include "crypto/passwords.h"
#include "crypto/sealing.h"

namespace tidegate::crypto {
namespace {

const std::string kPlain = "what a meter said at noon";

TEST_CASE("HKDF follows RFC 5869 for a 32-byte key") {
  // Computed apart from OpenSSL, from the RFC's definition.
  const Key key(std::string(32, '\x0b'));
  CHECK(sha256_hex(key.derive("salt", "info").bytes()) ==
        "3c13b8fd154cd05761ab14ba7471d40603f80e0dda2d0f72760281c0762c6693");
  CHECK(key.derive("salt", "info").bytes() != key.derive("salt", "other").bytes());
  CHECK(key.derive("salt", "info").bytes() != key.derive("pepper", "info").bytes());
}

TEST_CASE("a seal opens with its key at its place only") {
  io::SeededRandom random(1);
  const Key key = Key::generate(random);
  const std::string sealed = seal(key, random, "stream/1/0", kPlain);
  CHECK(sealed.size() == kPlain.size() + kSealOverhead);
  CHECK(open_seal(key, "stream/1/0", sealed).value() == kPlain);
  CHECK(open_seal(key, "stream/1/1", sealed).error().code == ErrorCode::SealBroken);
  CHECK(open_seal(Key::generate(random), "stream/1/0", sealed).error().code == ErrorCode::SealBroken);
  CHECK(open_seal(key, "", seal(key, random, "", "")).value().empty());
  CHECK(seal(key, random, "p", kPlain) != seal(key, random, "p", kPlain));
}

TEST_CASE("every flipped bit and every cut of a seal is found") {
  io::SeededRandom random(2);
  const Key key = Key::generate(random);
  const std::string sealed = seal(key, random, "here", kPlain);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK(!open_seal(key, "here", changed));
  }
  for (size_t size = 0; size < sealed.size(); ++size) CHECK(!open_seal(key, "here", sealed.substr(0, size)));
}

TEST_CASE("passwords verify, wrong ones and foreign texts do not") {
  io::SeededRandom random(3);
  const std::string encoded = hash_password("correct horse", random).value();
  CHECK(encoded.starts_with("$scrypt$ln=15,r=8,p=1$"));
  CHECK(verify_password("correct horse", encoded));
  CHECK_FALSE(verify_password("correct horse ", encoded));
  CHECK_FALSE(verify_password("", encoded));
  for (const char* text : {"", "$", "$scrypt$", "$scrypt$ln=15,r=8,p=1$", "$scrypt$ln=15,r=8,p=1$$",
                           "$scrypt$ln=15,r=8,p=1$AAAA$AAAA", "$scrypt$ln=15,r=8,p=1$####$####"}) {
    CHECK_FALSE(verify_password("", text));
  }
  CHECK(hash_password("correct horse", random).value() != encoded);
}

TEST_CASE("digests, constant-time comparison and tokens") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "ab"));
  io::SeededRandom random(4);
  const std::string token = random_token(random);
  CHECK(token.size() == 43);
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  CHECK(token.find_first_not_of(kDigits) == std::string::npos);
  CHECK(random_token(random) != token);
}

}  // namespace
}  // namespace tidegate::crypto
