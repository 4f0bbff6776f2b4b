// EgressRules: which servers outside Tidegate may send to. Nothing, unless the administrator of the machine lists it:
// whoever may write SQL can name a target, but cannot open the way to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "egress/ip_address.h"

namespace tidegate::egress {

// Immutable; any thread.
class EgressRules {
 public:
  static constexpr size_t kMaxTargets = 256;  // a list that a person can still read

  EgressRules() = default;  // nothing is allowed
  // Each is HOST[:PORT]. HOST is a name ("hooks.example.org"), "*." and a domain (any name below it), an address
  // ("192.0.2.7", "[2001:db8::1]") or a network ("10.1.0.0/16", "[2001:db8::]/32"). Without PORT the ports of HTTPS
  // and of mail submission: 443, 465 and 587. ConfigInvalid.
  [[nodiscard]] static Result<EgressRules> parse(const std::vector<std::string>& targets);

  // Before anything is looked up. NotAuthorized, with the option that would allow it.
  [[nodiscard]] Result<> check_host(std::string_view host, uint16_t port) const;

  // For the address that is about to be connected to, after check_host(). A listed name may point anywhere on the
  // site or the internet, but not at this machine, at addresses that are only valid on the own wire (cloud metadata
  // services live there), at groups or at nothing: those must be listed as addresses, or as "localhost" by that name.
  // So a name server cannot turn an allowed name into a way to the machine's own services. NotAuthorized.
  [[nodiscard]] Result<> check_address(std::string_view host, uint16_t port, const IpAddress& address) const;

 private:
  struct Target {
    std::string name;    // in lower case; empty: an address or network
    bool below = false;  // "*.": names below `name`
    std::optional<IpNetwork> network;
    std::optional<uint16_t> port;
  };
  [[nodiscard]] static Result<Target> parse_target(std::string_view text);
  [[nodiscard]] bool lists_address(const IpAddress& address, uint16_t port) const;

  std::vector<Target> targets_;
};

// In lower case and without the dot at the end of a full name.
[[nodiscard]] std::string normal_host(std::string_view host);

}  // namespace tidegate::egress
