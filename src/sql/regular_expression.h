// Regular expressions as SQL writes them, compiled by RE2: linear time, bounded memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tidegate::sql {

// An expression whose automaton needs more than this is refused.
inline constexpr int64_t kMaxRegexBytes = 4 << 20;

// Null if it is none; `problem` then says why. Shared: kernels that hold it are copied.
[[nodiscard]] std::shared_ptr<const re2::RE2> compile_regex(std::string_view pattern, std::string& problem);

// The regular expression for a pattern of SIMILAR TO, which has to match the whole text.
[[nodiscard]] std::string similar_to_regex(std::string_view pattern);

}  // namespace tidegate::sql
