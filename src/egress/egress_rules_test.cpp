#include "egress/egress_rules.h"

#include <doctest/doctest.h>

#include "egress/egress_url.h"

namespace tidegate::egress {
namespace {

EgressRules rules(const std::vector<std::string>& targets) {
  auto parsed = EgressRules::parse(targets);
  if (!parsed) MESSAGE(parsed.error().to_string());
  REQUIRE(parsed);
  return *parsed;
}

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

bool reaches(const EgressRules& allowed, std::string_view host, uint16_t port, std::string_view at) {
  return allowed.check_host(host, port) && allowed.check_address(host, port, address(at));
}

}  // namespace

TEST_CASE("nothing may be sent anywhere until it is listed, and the error says how to list it") {
  const EgressRules nothing;
  const auto refused = nothing.check_host("Hooks.Example.org", 8443);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::NotAuthorized);
  CHECK(refused.error().hint.find("--allow-target hooks.example.org:8443") != std::string::npos);
  CHECK(nothing.check_host("2001:db8::1", 443).error().hint.find("--allow-target [2001:db8::1]") != std::string::npos);
}

TEST_CASE("names, domains, addresses, networks and ports") {
  const EgressRules allowed =
      rules({"Hooks.example.org", "*.intern", "10.1.0.0/16:25", "192.0.2.7", "[2001:db8::]/32:8443", "[2001:db9::1]"});
  CHECK(allowed.check_host("hooks.example.org.", 443));
  CHECK(allowed.check_host("hooks.example.org", 587));
  CHECK_FALSE(allowed.check_host("hooks.example.org", 80));
  CHECK_FALSE(allowed.check_host("example.org", 443));
  CHECK_FALSE(allowed.check_host("evil-hooks.example.org", 443));
  CHECK_FALSE(allowed.check_host("hooks.example.org.evil.net", 443));
  CHECK(allowed.check_host("a.b.intern", 443));
  CHECK_FALSE(allowed.check_host("intern", 443));
  CHECK_FALSE(allowed.check_host("notintern", 443));
  CHECK(allowed.check_host("10.1.200.3", 25));
  CHECK_FALSE(allowed.check_host("10.1.200.3", 443));
  CHECK_FALSE(allowed.check_host("10.2.0.1", 25));
  CHECK(allowed.check_host("192.0.2.7", 443));
  CHECK(allowed.check_host("::ffff:192.0.2.7", 443));
  CHECK(allowed.check_host("2001:db8:1::5", 8443));
  CHECK_FALSE(allowed.check_host("2001:dba::5", 8443));
  CHECK(allowed.check_host("2001:db9::1", 465));
}

TEST_CASE("a listed name does not lead to this machine, to the wire's own addresses, to groups or to nothing") {
  const EgressRules allowed = rules({"hooks.example.org"});
  for (const char* fine : {"192.0.2.7", "10.0.0.5", "172.16.3.4", "2001:db8::1", "fd12::7"}) {
    CHECK_MESSAGE(reaches(allowed, "hooks.example.org", 443, fine), fine);
  }
  for (const char* refused : {"127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255",
                              "240.0.0.1", "::", "::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1",
                              "::ffff:169.254.169.254", "64:ff9b::7f00:1", "::7f00:1"}) {
    CHECK_MESSAGE(!reaches(allowed, "hooks.example.org", 443, refused), refused);
  }
  CHECK(reaches(rules({"hooks.example.org", "127.0.0.1"}), "hooks.example.org", 443, "127.0.0.1"));
  CHECK(reaches(rules({"localhost:9000"}), "localhost", 9000, "::1"));
  CHECK_FALSE(reaches(rules({"localhost:9000"}), "localhost", 9000, "169.254.169.254"));
}

TEST_CASE("targets that cannot be understood are refused") {
  for (const char* wrong : {"", "host:", "host:0", "host:65536", "host:1x", "*", "a/b", "ho st", "10.0.0.0/33", "[::1",
                            "https://host", "10.0.0.0/x", "user@host", ".host", "[::]/129"}) {
    const auto parsed = EgressRules::parse({wrong});
    REQUIRE_MESSAGE(!parsed, wrong);
    CHECK(parsed.error().code == ErrorCode::ConfigInvalid);
  }
  CHECK_FALSE(EgressRules::parse(std::vector<std::string>(EgressRules::kMaxTargets + 1, "host")));
}

TEST_CASE("addresses of targets are read as libcurl reads them") {
  const auto url = parse_egress_url("HTTPS://Hooks.Example.org./alarms?site=1");
  REQUIRE(url);
  CHECK(url->scheme == "https");
  CHECK(url->host == "hooks.example.org");
  CHECK(url->port == 443);
  CHECK(parse_egress_url("https://[2001:db8::1]:8443/x")->host == "2001:db8::1");
  CHECK(parse_egress_url("smtp://mail.example.org")->port == 587);
  CHECK(parse_egress_url("smtp://mail.example.org:25")->port == 25);
  CHECK(parse_egress_url("smtps://mail.example.org")->port == 465);
  // libcurl makes the usual form of an address of it, which is what is checked.
  CHECK(parse_egress_url("https://0x7f.1/")->host == "127.0.0.1");
  for (const char* wrong : {"", "ftp://host/", "file:///etc/passwd", "gopher://host", "host/path", "https://",
                            "https://user@host/", "https://user:secret@host/", "https://ho st/"}) {
    const auto refused = parse_egress_url(wrong);
    REQUIRE_MESSAGE(!refused, wrong);
    CHECK(refused.error().code == ErrorCode::ConfigInvalid);
    CHECK(refused.error().message.find("secret") == std::string::npos);
  }
}

}  // namespace tidegate::egress
