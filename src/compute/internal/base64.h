// Base64 with padding (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

namespace tidegate::compute {

void encode_base64(std::string_view bytes, std::string& out);
// False if the text is none: other characters, a wrong length, padding inside.
[[nodiscard]] bool decode_base64(std::string_view text, std::string& out);

}  // namespace tidegate::compute
