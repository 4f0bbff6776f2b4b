#include "crypto/mac.h"

#include <doctest/doctest.h>

#include "crypto/passwords.h"

namespace tidegate::crypto {

TEST_CASE("HMAC-SHA-256 of RFC 4231, test cases 1 and 2") {
  CHECK(base64(hmac_sha256(std::string(20, '\x0b'), "Hi There")) == "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c=");
  CHECK(base64(hmac_sha256("Jefe", "what do ya want for nothing?")) == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
}

TEST_CASE("base64 of RFC 4648, section 10, both ways") {
  for (const auto& [plain, text] : {std::pair{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
    CHECK(base64(plain) == text);
    CHECK(from_base64(text) == plain);
  }
  for (const char* wrong : {"", "Zg", "Zg=", "Zg==\n", "Zg==Zg==", "=Zg=", "Z g=", "Zg_-"}) {
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}

}  // namespace tidegate::crypto
