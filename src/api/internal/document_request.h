// What requests for documents share: revisions in ETag and If-Match (RFC 9110 sections 8.8.3 and 13.1.1), pages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/http_handler.h"

namespace tidegate::api {

inline constexpr size_t kDefaultPage = 100;
inline constexpr size_t kMaxPage = 1000;  // of one answer; the next request goes on at "next"

[[nodiscard]] std::string etag_of(uint64_t revision);  // "7", quotes included

// The revision that If-Match asks for; nothing without the header or with "*". BadRequest if it is not one of our tags.
[[nodiscard]] Result<std::optional<uint64_t>> expected_revision(const net::HttpRequest& request);

// ?limit=, 1 to kMaxPage. BadRequest.
[[nodiscard]] Result<size_t> page_limit(const net::HttpRequest& request);

}  // namespace tidegate::api
