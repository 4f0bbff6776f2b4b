// Passwords, tokens and digests: what a secret becomes before it is stored, and how it is compared.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "io/random.h"

namespace tidegate::crypto {

// scrypt (RFC 7914) with N = 2^15, r = 8, p = 1, a random salt of 16 bytes and 32 bytes of output, as
// "$scrypt$ln=15,r=8,p=1$<salt>$<hash>" in base64url without padding. About 32 MB and 60 ms: call it off the hot paths.
[[nodiscard]] Result<std::string> hash_password(std::string_view password, io::Random& random);
// False for a wrong password and for text that hash_password never wrote (also for costs above the ones it uses).
[[nodiscard]] bool verify_password(std::string_view password, std::string_view encoded);

// SHA-256, the 32 bytes themselves and as 64 lower-case hex digits.
[[nodiscard]] std::string sha256(std::string_view bytes);
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// Takes the same time wherever the first difference is. Texts of different length differ at once.
[[nodiscard]] bool equal_in_constant_time(std::string_view left, std::string_view right);

// base64url (RFC 4648 section 5, no padding) of `random_bytes` random bytes; 32 bytes give 43 characters.
[[nodiscard]] std::string random_token(io::Random& random, size_t random_bytes = 32);

}  // namespace tidegate::crypto
