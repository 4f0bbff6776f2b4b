#include <doctest/doctest.h>

#include <filesystem>

#include "security/authenticator.h"
#include "security/policy_gate.h"
#include "security/topic_rules.h"

namespace tidegate::security {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

// Accounts on a real store in a folder of its own.
struct Site {
  Site() : folder(std::filesystem::temp_directory_path() / ("tidegate-gateway-" + std::to_string(random.next_u64()))) {
    std::filesystem::create_directories(folder);
    open();
  }
  ~Site() {
    close();
    std::filesystem::remove_all(folder);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  void open() {
    store = must(store::Store::open(folder / "store"));
    keys = must(crypto::KeyRing::open(folder / "keys", random));
    accounts = must(Authenticator::open(*store, *keys, random, clock));
  }
  void close() {
    accounts.reset();
    keys.reset();
    store.reset();
  }

  io::SystemRandom random;
  io::ManualClock clock{1'000'000};
  std::filesystem::path folder;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<crypto::KeyRing> keys;
  std::unique_ptr<Authenticator> accounts;
};

}  // namespace

TEST_CASE("a gateway gets in by its token and speaks for its devices, after a restart too") {
  Site site;
  const std::string token = must(site.accounts->add_gateway("gw-1", {"pump-*", "meter-01"}));
  site.close();
  site.open();
  const Principal who = must(site.accounts->device_by_token("gw-1", token));
  CHECK(who.kind == PrincipalKind::kGateway);
  CHECK(!who.admin);
  REQUIRE(who.scope);
  CHECK(who.scope->takes("pump-7"));
  CHECK(who.scope->takes("meter-01"));
  CHECK(!who.scope->takes("meter-02"));
  CHECK(audit_name(who) == "gateway/gw-1");
  CHECK(!site.accounts->device_by_token("gw-1", "wrong"));
  CHECK(must(site.accounts->by_bearer("gw-1:" + token)).kind == PrincipalKind::kGateway);
  const auto record = site.accounts->find_gateway("gw-1");
  REQUIRE(record);
  CHECK(record->devices == std::vector<std::string>{"pump-*", "meter-01"});
  CHECK(record->revision == 1);
}

TEST_CASE("a change and the end of a gateway reach the connections that are open") {
  Site site;
  const std::string token = must(site.accounts->add_gateway("gw", {"a"}));
  const Principal who = must(site.accounts->device_by_token("gw", token));
  const uint64_t before = who.scope->version();
  CHECK(must(site.accounts->set_gateway_devices("gw", {"b"}, 1)).revision == 2);
  CHECK(who.scope->version() > before);
  CHECK(who.scope->takes("b"));
  CHECK(!who.scope->takes("a"));
  CHECK(site.accounts->set_gateway_devices("gw", {"c"}, 1).error().code == ErrorCode::PreconditionFailed);
  const std::string renewed = must(site.accounts->renew_gateway_token("gw"));
  CHECK(!site.accounts->device_by_token("gw", token));
  CHECK(site.accounts->device_by_token("gw", renewed));
  REQUIRE(site.accounts->remove_gateway("gw"));
  CHECK(!who.scope->takes("b"));
  CHECK(!site.accounts->device_by_token("gw", renewed));
  CHECK(site.accounts->gateways().empty());
}

TEST_CASE("names of gateways and devices are one set, and a scope says something") {
  Site site;
  REQUIRE(site.accounts->add_device("pump"));
  CHECK(site.accounts->add_gateway("pump", {"a"}).error().code == ErrorCode::AlreadyExists);
  REQUIRE(site.accounts->add_gateway("gw", {"a"}));
  CHECK(site.accounts->add_device("gw").error().code == ErrorCode::AlreadyExists);
  CHECK(site.accounts->add_gateway("x", {}).error().code == ErrorCode::BadRequest);
  CHECK(site.accounts->add_gateway("x", {"two words"}).error().code == ErrorCode::BadRequest);
  CHECK(site.accounts->add_gateway("x", {"a/b"}).error().code == ErrorCode::BadRequest);
  CHECK(site.accounts->remove_gateway("x").error().code == ErrorCode::NotFound);
}

TEST_CASE("a gateway uses the topics of its devices, and reads no stream") {
  Principal gateway{PrincipalKind::kGateway, "gw", false,
                    std::make_shared<const DeviceScope>(std::vector<std::string>{"pump-*"})};
  CHECK(may_publish(gateway, "plant/pump-1/flow"));
  CHECK(may_publish(gateway, "devices/pump-1/twin/reported"));
  CHECK(!may_publish(gateway, "devices/meter/twin/reported"));
  CHECK(!may_publish(gateway, "devices/gw/twin/reported"));
  CHECK(!may_publish(gateway, "$SYS/x"));
  CHECK(may_subscribe(gateway, "devices/pump-2/commands/#"));
  CHECK(may_subscribe(gateway, "devices/+/commands/#"));
  CHECK(!may_subscribe(gateway, "devices/meter/commands/#"));
  CHECK(!may_subscribe(gateway, "plant/#"));
  CHECK(!may_subscribe(gateway, "#"));
  const PolicyGate gate;
  CHECK(!gate.may_read(gateway, StreamId{1}));
  CHECK(gate.check_message(gateway, {"devices/pump-1/commands/7"}));
  CHECK(!gate.check_message(gateway, {"devices/meter/commands/7"}));
}

}  // namespace tidegate::security
