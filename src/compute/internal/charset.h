// Text in other character sets, as ENCODE and DECODE of Flink have them.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::compute {

// `charset` is US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE or UTF-16 (written big-endian with a byte order mark),
// in any case; false if it is another. Characters that the set does not have become '?', as in Java.
[[nodiscard]] bool encode_text(std::string_view text, std::string_view charset, std::string& out);
// Bytes that are none in the set become U+FFFD.
[[nodiscard]] bool decode_text(std::string_view bytes, std::string_view charset, std::string& out);

}  // namespace tidegate::compute
