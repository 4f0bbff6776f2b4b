#include "net/http_target.h"

#include <cstdint>

#include "net/http_client.h"

namespace tidegate::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Result<> parse_path(std::string_view path, HttpTarget& out) {
  size_t at = 1;
  while (at <= path.size()) {
    const size_t end = std::min(path.find('/', at), path.size());
    TRY_ASSIGN(std::string segment, percent_decode(path.substr(at, end - at), false));
    if (segment == "." || segment == "..") return fail(ErrorCode::BadRequest, "the path contains '.' or '..'");
    for (const char c : segment) {
      if (is_control(c)) return fail(ErrorCode::BadRequest, "the path contains a control character");
    }
    out.path += '/';
    out.path += segment;
    const bool trailing_slash = segment.empty() && end == path.size();
    if (!trailing_slash) out.segments.push_back(std::move(segment));
    if (out.segments.size() > kMaxPathSegments) return fail(ErrorCode::BadRequest, "the path has too many segments");
    at = end + 1;
  }
  return {};
}

Result<> parse_query(std::string_view query, HttpTarget& out) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    TRY_ASSIGN(std::string name, percent_decode(pair.substr(0, equals), true));
    TRY_ASSIGN(std::string value, percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    if (out.query.size() == kMaxQueryPairs) return fail(ErrorCode::BadRequest, "the query has too many parameters");
    out.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

// Number of bytes of the UTF-8 sequence that starts here (RFC 3629 section 4), 0 if there is none.
size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto tail = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const uint8_t low = first == 0xe0 ? 0xa0 : 0x80;
    const uint8_t high = first == 0xed ? 0x9f : 0xbf;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const uint8_t low = first == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xf4 ? 0x8f : 0xbf;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

Result<std::string> percent_decode(std::string_view text, bool form) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int high = text.size() - i > 2 ? hex_digit(text[i + 1]) : -1;
      const int low = text.size() - i > 2 ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return fail(ErrorCode::BadRequest, "a percent escape in the address is broken");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += form && c == '+' ? ' ' : c;
    }
  }
  if (!is_valid_utf8(out) || out.find('\0') != std::string::npos) {
    return fail(ErrorCode::BadRequest, "the address is not UTF-8 text");
  }
  return out;
}

Result<HttpTarget> parse_http_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    const size_t path = target.find_first_of("/?#");
    target.remove_prefix(std::min(path, target.size()));
    if (!target.starts_with('/')) return fail(ErrorCode::BadRequest, "the address has no path");
  }
  if (!target.starts_with('/') || target.find('#') != std::string_view::npos) {
    return fail(ErrorCode::BadRequest, "the request target must be a path");
  }
  HttpTarget out;
  const size_t question = std::min(target.find('?'), target.size());
  TRY(parse_path(target.substr(0, question), out));
  TRY(parse_query(target.substr(std::min(question + 1, target.size())), out));
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool digit = c >= '0' && c <= '9';
    if (letter || digit || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace tidegate::net
