// Message authentication codes and base64, as signatures of messages to others need them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::crypto {

// HMAC-SHA-256 (RFC 2104), the 32 bytes themselves.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view message);

// RFC 4648 section 4, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace tidegate::crypto
