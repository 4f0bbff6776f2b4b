#include "api/internal/document_request.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace tidegate::api {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string etag_of(uint64_t revision) { return fmt::format("\"{}\"", revision); }

Result<std::optional<uint64_t>> expected_revision(const net::HttpRequest& request) {
  const auto header = request.header("if-match");
  if (!header || *header == "*") return std::nullopt;
  std::string_view tag = *header;
  if (tag.size() > 2 && tag.starts_with('"') && tag.ends_with('"')) {
    if (const auto revision = whole_number<uint64_t>(tag.substr(1, tag.size() - 2))) return *revision;
  }
  return fail(ErrorCode::BadRequest, fmt::format("If-Match: {} is no tag of a document", tag),
              "send the ETag of the answer that the change was made from, one, with its quotes");
}

Result<size_t> page_limit(const net::HttpRequest& request) {
  const auto text = request.query_value("limit");
  if (!text) return kDefaultPage;
  const auto limit = whole_number<size_t>(*text);
  if (limit && *limit >= 1 && *limit <= kMaxPage) return *limit;
  return fail(ErrorCode::BadRequest, fmt::format("'limit' must be 1 to {}", kMaxPage));
}

}  // namespace tidegate::api
