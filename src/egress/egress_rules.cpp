#include "egress/egress_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/letter_case.h"

namespace tidegate::egress {

namespace {

constexpr std::array<uint16_t, 3> kUsualPorts{443, 465, 587};

std::unexpected<Error> bad_target(std::string_view text, std::string_view what) {
  return fail(ErrorCode::ConfigInvalid, fmt::format("'{}' cannot be allowed as a target: {}", text, what),
              "write hooks.example.org, hooks.example.org:8443, *.example.org, 192.0.2.7, 10.1.0.0/16 or "
              "[2001:db8::1]:587");
}

bool is_host_name(std::string_view name) {
  constexpr size_t kMaxName = 253;  // RFC 1035, section 2.3.4, as text
  if (name.empty() || name.size() > kMaxName || name.front() == '.' || name.back() == '.') return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

// As it stands in the option that allows it.
std::string host_and_port(std::string_view host, uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  std::string out = v6 ? fmt::format("[{}]", host) : std::string(host);
  if (std::ranges::count(kUsualPorts, port) == 0) out += fmt::format(":{}", port);
  return out;
}

}  // namespace

std::string normal_host(std::string_view host) {
  std::string out = to_lower(host);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

Result<EgressRules::Target> EgressRules::parse_target(std::string_view text) {
  Target target;
  std::string_view host = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return bad_target(text, "a bracket has no partner");
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  std::string network(host);
  if (rest.starts_with('/')) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    network += rest.substr(0, colon);
    rest.remove_prefix(colon);
  }
  if (!rest.empty()) {
    uint16_t port = 0;
    const auto read = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
    if (rest.front() != ':' || read.ec != std::errc() || read.ptr != rest.data() + rest.size() || port == 0) {
      return bad_target(text, "the port is not a number from 1 to 65535");
    }
    target.port = port;
  }
  target.network = IpNetwork::parse(network);
  if (target.network) return target;
  target.name = normal_host(host);
  if (target.name.starts_with("*.")) {
    target.below = true;
    target.name.erase(0, 2);
  }
  if (!is_host_name(target.name)) return bad_target(text, "it names no host");
  return target;
}

Result<EgressRules> EgressRules::parse(const std::vector<std::string>& targets) {
  if (targets.size() > kMaxTargets) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("more than {} allowed targets", kMaxTargets),
                "allow a domain (*.example.org) or a network (10.1.0.0/16) instead");
  }
  EgressRules rules;
  for (const std::string& text : targets) {
    TRY_ASSIGN(Target target, parse_target(text));
    rules.targets_.push_back(std::move(target));
  }
  return rules;
}

namespace {

bool port_fits(const std::optional<uint16_t>& listed, uint16_t port) {
  return listed ? *listed == port : std::ranges::count(kUsualPorts, port) > 0;
}

bool name_fits(std::string_view listed, bool below, std::string_view host) {
  if (!below) return host == listed;
  return host.size() > listed.size() + 1 && host.ends_with(listed) && host[host.size() - listed.size() - 1] == '.';
}

}  // namespace

bool EgressRules::lists_address(const IpAddress& address, uint16_t port) const {
  return std::ranges::any_of(targets_, [&](const Target& target) {
    return target.network && target.network->contains(address) && port_fits(target.port, port);
  });
}

Result<> EgressRules::check_host(std::string_view host, uint16_t port) const {
  const std::string name = normal_host(host);
  const auto address = IpAddress::parse(name);
  const bool listed =
      address ? lists_address(*address, port) : std::ranges::any_of(targets_, [&](const Target& target) {
        return !target.network && name_fits(target.name, target.below, name) && port_fits(target.port, port);
      });
  if (listed) return {};
  return fail(
      ErrorCode::NotAuthorized,
      fmt::format("nothing may be sent to {} port {}: it is not on the server's list of allowed targets", name, port),
      fmt::format("if the data may go there, start the server with --allow-target {}", host_and_port(name, port)));
}

Result<> EgressRules::check_address(std::string_view host, uint16_t port, const IpAddress& address) const {
  const std::string name = normal_host(host);
  if (lists_address(address, port) || !address.is_special()) return {};
  if (name == "localhost" && address.is_loopback()) return {};
  return fail(ErrorCode::NotAuthorized,
              fmt::format("{} points at {}, which is this machine or no ordinary server", name, address.to_string()),
              fmt::format("if that is meant, allow the address itself: --allow-target {}",
                          host_and_port(address.to_string(), port)));
}

}  // namespace tidegate::egress
