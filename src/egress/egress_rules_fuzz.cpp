// Targets and addresses as an administrator or a writer of SQL might give them: parsed or refused, never a crash, and
// what is refused as an address is never reached under another spelling.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "egress/egress_rules.h"
#include "egress/egress_url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::egress;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto rules = EgressRules::parse({text})) {
    (void)rules->check_host("hooks.example.org", 443);
  }
  if (const auto url = parse_egress_url(text)) {
    CHECK(!EgressRules().check_host(url->host, url->port));
    const auto again = parse_egress_url(url->text);
    CHECK(again && again->host == url->host && again->port == url->port);
  }
  if (const auto address = IpAddress::parse(text)) CHECK(IpAddress::parse(address->to_string()) == address);
  return 0;
}
