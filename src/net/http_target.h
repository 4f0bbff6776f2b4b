// The target of a request line (RFC 9112 section 3.2): path and query, decoded. Pure functions, no sockets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tidegate::net {

struct HttpTarget {
  std::string path;                   // decoded, starts with '/'
  std::vector<std::string> segments;  // decoded; an encoded slash stays inside its segment
  std::vector<std::pair<std::string, std::string>> query;
};

inline constexpr size_t kMaxQueryPairs = 64;    // no address of ours takes more than a handful
inline constexpr size_t kMaxPathSegments = 32;  // the deepest address of ours has 6

// Takes origin form ("/a/b?c=d") and absolute form ("http://host/a/b"). BadRequest on anything else, on a broken
// percent escape, a control character, text that is not UTF-8, and the segments "." and "..".
[[nodiscard]] Result<HttpTarget> parse_http_target(std::string_view target);

// Percent escapes resolved; '+' is a space if `form` (application/x-www-form-urlencoded, the rule of query strings).
// BadRequest as above.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, bool form);

[[nodiscard]] bool is_valid_utf8(std::string_view text);

}  // namespace tidegate::net
