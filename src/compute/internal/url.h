// URLs in pieces, and the coding of values in their queries.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::compute {

// Views into the text that was split. What is not there has no value.
struct Url {
  std::string_view protocol;
  std::optional<std::string_view> authority;
  std::string_view path;
  std::optional<std::string_view> query;
  std::string_view file;  // path and query
  std::optional<std::string_view> reference;
};

// protocol:[//authority]path[?query][#reference] (RFC 3986); nothing without a protocol.
[[nodiscard]] std::optional<Url> split_url(std::string_view text);
// PROTOCOL, AUTHORITY, USERINFO, HOST, PATH, FILE, QUERY, REF.
[[nodiscard]] std::optional<std::string_view> url_part(const Url& url, std::string_view part);
// The value of a key in "k=v&k=v", as it stands.
[[nodiscard]] std::optional<std::string_view> url_query_value(std::string_view query, std::string_view key);

// application/x-www-form-urlencoded (as java.net.URLEncoder).
void encode_url(std::string_view text, std::string& out);
// False if a % is not followed by two hexadecimal digits.
[[nodiscard]] bool decode_url(std::string_view text, std::string& out);

}  // namespace tidegate::compute
