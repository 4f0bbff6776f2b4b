// The address of a server outside, read by the same parser (libcurl's) that will be used to reach it, so that what was
// checked is what is called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::egress {

struct EgressUrl {
  std::string text;    // as libcurl writes it
  std::string scheme;  // "https", "http", "smtps", "smtp"
  std::string host;    // in lower case, without brackets
  uint16_t port = 0;
  [[nodiscard]] bool is_mail() const { return scheme.starts_with("smtp"); }
};

// ConfigInvalid: another scheme, no host, or a user name or password in it (they would be shown with the definition).
[[nodiscard]] Result<EgressUrl> parse_egress_url(std::string_view url);

}  // namespace tidegate::egress
