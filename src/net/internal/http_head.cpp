#include "net/internal/http_head.h"

#include <fmt/format.h>

#include <array>
#include <boost/beast/http/status.hpp>
#include <ctime>

#include "base/ids.h"
#include "base/letter_case.h"

namespace tidegate::net {
namespace {

bool has_header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (equal_ignoring_case(key, name)) return true;
  }
  return false;
}

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  }
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_clean(out, name);
  out += ": ";
  append_clean(out, value);
  out += "\r\n";
}

}  // namespace

std::string http_date(int64_t time_us) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = time_us / kMicrosPerSecond;
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(parts.tm_wday)],
                     parts.tm_mday, kMonths[static_cast<size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string http_response_head(const HttpResponse& response, const HttpHeadContext& context) {
  const auto reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, std::string_view(reason.data(), reason.size()));
  append_header(out, "Date", http_date(context.now_us));
  const auto add_default = [&](std::string_view name, std::string_view value) {
    if (!has_header(response, name)) append_header(out, name, value);
  };
  if (status_has_body(response.status)) {
    if (!response.content_type.empty()) add_default("Content-Type", response.content_type);
    if (context.chunked) {
      append_header(out, "Transfer-Encoding", "chunked");
    } else if (!context.streaming) {
      append_header(out, "Content-Length", std::to_string(response.body.size()));
    }
  }
  if (!context.keep_alive) {
    append_header(out, "Connection", "close");
  } else if (!context.http_1_1) {
    append_header(out, "Connection", "keep-alive");
  }
  add_default("Cache-Control", "no-store");
  add_default("X-Content-Type-Options", "nosniff");
  add_default("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  add_default("Referrer-Policy", "no-referrer");
  if (context.tls) add_default("Strict-Transport-Security", "max-age=31536000");
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  out += "\r\n";
  return out;
}

}  // namespace tidegate::net
