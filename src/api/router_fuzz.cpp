// An address, decoded and looked up.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/internal/router.h"
#include "base/check.h"
#include "net/http_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = tidegate::net::parse_http_target(text);
  if (!target) return 0;
  CHECK(tidegate::net::is_valid_utf8(target->path));
  const auto match = tidegate::api::match_route("GET", target->segments);
  if (match) CHECK(match->route != nullptr);
  return 0;
}
