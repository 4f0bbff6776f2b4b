// Base64 (RFC 4648).
#pragma once

#include <string>
#include <string_view>

namespace tidegate {

// Section 4, with padding. Appends to `out`, as the others do.
void encode_base64(std::string_view bytes, std::string& out);
// Section 5 (- and _), without padding.
void encode_base64url(std::string_view bytes, std::string& out);
// False if the text is not of section 4: other characters, a wrong length, padding inside.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);
// Either alphabet, with padding or without, as devices write it. False if the text is none.
[[nodiscard]] bool decode_any_base64(std::string_view text, std::string& out);

}  // namespace tidegate
