#include "compute/internal/url.h"

#include <algorithm>

namespace tidegate::compute {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
  return std::nullopt;
}

// Without what stands from `separator` on, which is returned.
std::optional<std::string_view> cut_from(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

std::string_view host_of(std::string_view authority) {
  const size_t user_end = authority.rfind('@');
  if (user_end != std::string_view::npos) authority.remove_prefix(user_end + 1);
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);  // an IPv6 address
  return authority.substr(0, authority.find(':'));
}

}  // namespace

std::optional<Url> split_url(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0])) return std::nullopt;
  Url url;
  url.protocol = text.substr(0, colon);
  for (const char c : url.protocol) {
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
  }
  text.remove_prefix(colon + 1);
  url.reference = cut_from(text, '#');
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const size_t end = std::min(text.find_first_of("/?"), text.size());
    url.authority = text.substr(0, end);
    text.remove_prefix(end);
  }
  url.file = text;
  url.query = cut_from(text, '?');
  url.path = text;
  return url;
}

std::optional<std::string_view> url_part(const Url& url, std::string_view part) {
  if (part == "PROTOCOL") return url.protocol;
  if (part == "PATH") return url.path;
  if (part == "FILE") return url.file;
  if (part == "QUERY") return url.query;
  if (part == "REF") return url.reference;
  if (part == "AUTHORITY") return url.authority;
  if (part == "HOST" && url.authority) return host_of(*url.authority);
  if (part == "USERINFO" && url.authority) {
    const size_t end = url.authority->rfind('@');
    if (end != std::string_view::npos) return url.authority->substr(0, end);
  }
  return std::nullopt;
}

std::optional<std::string_view> url_query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    std::string_view pair = query;
    const auto rest = cut_from(pair, '&');
    query = rest.value_or(std::string_view());
    const auto value = cut_from(pair, '=');
    if (pair == key && value) return value;
  }
  return std::nullopt;
}

void encode_url(std::string_view text, std::string& out) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '*' || c == '_') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHexDigits[static_cast<unsigned char>(c) >> 4U];
      out += kHexDigits[static_cast<unsigned char>(c) & 0xFU];
    }
  }
}

bool decode_url(std::string_view text, std::string& out) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      if (at + 2 >= text.size()) return false;
      const auto high = hex_value(text[at + 1]);
      const auto low = hex_value(text[at + 2]);
      if (!high || !low) return false;
      out += static_cast<char>(*high << 4U | *low);
      at += 2;
    }
  }
  return true;
}

}  // namespace tidegate::compute
