#include "net/http_problem.h"

#include <fmt/format.h>

#include "net/http_target.h"

namespace tidegate::net {
namespace {

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += fmt::format("\\u{:04x}", static_cast<int>(c));
      } else {
        out += c;
      }
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  const bool valid = is_valid_utf8(text);
  std::string out = "\"";
  for (const char c : text) {
    if (!valid && static_cast<unsigned char>(c) >= 0x80) {
      out += "\xef\xbf\xbd";
    } else {
      append_escaped(out, c);
    }
  }
  out += '"';
  return out;
}

std::string problem_json(const Error& error, int status) {
  std::string out = fmt::format(R"({{"type":"about:blank","title":{},"status":{},"code":{},"name":{},"detail":{})",
                                json_string(error_meaning(error.code)), status, static_cast<int>(error.code),
                                json_string(error_name(error.code)), json_string(error.message));
  if (!error.hint.empty()) out += fmt::format(R"(,"hint":{})", json_string(error.hint));
  if (error.position) out += fmt::format(R"(,"line":{},"column":{})", error.position->line, error.position->column);
  out += '}';
  return out;
}

HttpResponse problem_response(const Error& error) {
  HttpResponse response;
  response.status = error_http_status(error.code);
  response.content_type = "application/problem+json";
  response.body = problem_json(error, response.status);
  if (response.status == 401) response.set_header("WWW-Authenticate", "Bearer realm=\"tidegate\"");
  if (response.status == 503 || response.status == 429) response.set_header("Retry-After", "1");
  return response;
}

}  // namespace tidegate::net
