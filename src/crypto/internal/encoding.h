// Hex and base64url for keys, salts and tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::crypto::internal {

[[nodiscard]] std::string hex(std::string_view bytes);
// Lower or upper case; nothing when it is not hex.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view digits);
// RFC 4648 section 5 without padding.
[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

}  // namespace tidegate::crypto::internal
