// Errors as RFC 9457 problem details (application/problem+json).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http_handler.h"

namespace tidegate::net {

// The text as a JSON string (RFC 8259 section 7), quotes included. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

// {"type":"about:blank","title":...,"status":...,"code":2003,"name":"SqlUnknownColumn","detail":...,"hint":...,
//  "line":3,"column":8}; hint and position only where the error has them.
[[nodiscard]] std::string problem_json(const Error& error, int status);

// With the error's own HTTP status.
[[nodiscard]] HttpResponse problem_response(const Error& error);

}  // namespace tidegate::net
