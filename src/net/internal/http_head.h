// Writes the head of a response: status line, the platform's own headers, the handler's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "net/http_handler.h"

namespace tidegate::net {

struct HttpHeadContext {
  bool http_1_1 = true;
  bool keep_alive = true;
  bool tls = false;
  bool chunked = false;    // the body follows in chunks (RFC 9112 section 7.1)
  bool streaming = false;  // the length is not known beforehand
  int64_t now_us = 0;      // for the Date header
};

// Security headers are added where the handler did not set them: X-Content-Type-Options, Content-Security-Policy,
// Referrer-Policy, Cache-Control, and over TLS Strict-Transport-Security (RFC 6797). Line breaks in names and values
// are left out, so that no value can add a header.
[[nodiscard]] std::string http_response_head(const HttpResponse& response, const HttpHeadContext& context);

// RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string http_date(int64_t time_us);

// 1xx, 204 and 304 have no body.
[[nodiscard]] bool status_has_body(int status);

}  // namespace tidegate::net
