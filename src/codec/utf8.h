// UTF-8 as RFC 3629 section 4 defines it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate::codec {

// The size of the valid sequence that `text`, which is not empty, starts with; 0 if there is none.
[[nodiscard]] size_t utf8_sequence_size(std::string_view text);

// At most about `max_bytes` of `text`, with U+FFFD in place of each byte that is not UTF-8.
[[nodiscard]] std::string valid_utf8(std::string_view text, size_t max_bytes);

}  // namespace tidegate::codec
