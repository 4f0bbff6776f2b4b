#include "egress/egress_url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "egress/egress_rules.h"

namespace tidegate::egress {

namespace {

constexpr size_t kMaxUrlBytes = 2048;  // what servers and proxies are sure to take

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (::curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  ::curl_free(text);
  return out;
}

}  // namespace

Result<EgressUrl> parse_egress_url(std::string_view text) {
  const auto wrong = [&](std::string_view what, std::string hint) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("the address of a target {}", what), std::move(hint));
  };
  const std::string whole(text);
  if (text.empty() || text.size() > kMaxUrlBytes || text.find('\0') != std::string_view::npos) {
    return wrong("is empty or too long", "write it as https://host/path");
  }
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url(::curl_url(), &::curl_url_cleanup);
  if (::curl_url_set(url.get(), CURLUPART_URL, whole.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return wrong("cannot be understood", "write it as https://host/path");
  }
  EgressUrl out;
  out.scheme = part(url.get(), CURLUPART_SCHEME);
  if (out.scheme != "https" && out.scheme != "http" && out.scheme != "smtps" && out.scheme != "smtp") {
    return wrong(fmt::format("cannot begin with '{}:'", out.scheme), "https://, or smtps:// and smtp:// for mail");
  }
  if (!part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty()) {
    return wrong("may not hold a user name or a password", "keep them with: tidegate secret set NAME");
  }
  out.host = normal_host(part(url.get(), CURLUPART_HOST));
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.empty()) return wrong("names no host", "write it as https://host/path");
  const std::string port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  out.port = static_cast<uint16_t>(std::strtoul(port.c_str(), nullptr, 10));
  // libcurl's default for smtp is 25, between mail servers; programs hand in mail at 587 (RFC 6409).
  if (out.scheme == "smtp" && part(url.get(), CURLUPART_PORT).empty()) {
    out.port = 587;
    ::curl_url_set(url.get(), CURLUPART_PORT, "587", 0);
  }
  out.text = part(url.get(), CURLUPART_URL);
  return out;
}

}  // namespace tidegate::egress
