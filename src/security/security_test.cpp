#include <doctest/doctest.h>

#include <filesystem>

#include "crypto/certificates.h"
#include "security/audit.h"
#include "security/authenticator.h"
#include "security/policy_gate.h"
#include "security/tls_setup.h"
#include "security/topic_rules.h"

namespace tidegate::security {
namespace {

// Accounts on a real store in a folder of its own, with a clock that stands still.
class Fixture {
 public:
  Fixture()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-security-" + std::to_string(random.next_u64()))) {
    std::filesystem::create_directories(folder_);
    open();
  }
  ~Fixture() {
    close();
    std::filesystem::remove_all(folder_);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void close() {
    audit.reset();
    accounts.reset();
    keys_.reset();
    store.reset();
  }
  void open() {
    store = must(store::Store::open(folder_ / "store"));
    keys_ = must(crypto::KeyRing::open(folder_ / "keys", random));
    accounts = must(Authenticator::open(*store, *keys_, random, clock));
    audit = must(Audit::open(*store, *keys_, random, clock));
  }
  template <class T>
  static T must(Result<T> result) {
    REQUIRE(result);
    return std::move(*result);
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  io::SystemRandom random;
  io::ManualClock clock{1'700'000'000'000'000};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Authenticator> accounts;
  std::unique_ptr<Audit> audit;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

// An administrator with a password of her own; returns it.
std::string settled_admin(Fixture& site) {
  const auto one_time = Fixture::must(site.accounts->bootstrap_admin());
  REQUIRE(one_time.has_value());
  REQUIRE(site.accounts->change_password("admin", *one_time, "correct horse battery"));
  return "correct horse battery";
}

const Principal kMeter{PrincipalKind::kDevice, "meter-1", false};
const Principal kAdmin{PrincipalKind::kUser, "admin", true};

}  // namespace

TEST_CASE("the first start makes an administrator whose one-time password opens nothing but its replacement") {
  Fixture site;
  const auto password = Fixture::must(site.accounts->bootstrap_admin());
  REQUIRE(password.has_value());
  CHECK(site.accounts->login("admin", *password).error().code == ErrorCode::PasswordChangeRequired);
  CHECK(site.accounts->change_password("admin", *password, "short").error().code == ErrorCode::BadRequest);
  CHECK(site.accounts->change_password("admin", *password, *password).error().code == ErrorCode::BadRequest);
  REQUIRE(site.accounts->change_password("admin", *password, "correct horse battery"));
  CHECK(site.accounts->login("admin", *password).error().code == ErrorCode::NotAuthenticated);
  CHECK(site.accounts->login("admin", "correct horse battery").has_value());
  CHECK_FALSE(Fixture::must(site.accounts->bootstrap_admin()).has_value());
}

TEST_CASE("accounts survive a restart, sessions do not") {
  Fixture site;
  const std::string password = settled_admin(site);
  const std::string token = Fixture::must(site.accounts->add_device("meter-1"));
  const std::string api = Fixture::must(site.accounts->issue_api_token("operator"));
  const std::string session = Fixture::must(site.accounts->login("admin", password));
  site.close();
  site.open();
  CHECK(site.accounts->by_bearer(api)->kind == PrincipalKind::kService);
  CHECK(site.accounts->device_by_token("meter-1", token)->name == "meter-1");
  CHECK(site.accounts->by_bearer("meter-1:" + token)->kind == PrincipalKind::kDevice);
  CHECK(site.accounts->by_bearer(session).error().code == ErrorCode::NotAuthenticated);
  CHECK(site.accounts->login("admin", password).has_value());
}

TEST_CASE("a session ends by time, by logout and by a new password") {
  Fixture site;
  const std::string password = settled_admin(site);
  const std::string first = Fixture::must(site.accounts->login("admin", password));
  const std::string second = Fixture::must(site.accounts->login("admin", password));
  CHECK(site.accounts->by_bearer(first)->name == "admin");
  site.accounts->logout(first);
  CHECK_FALSE(site.accounts->by_bearer(first).has_value());
  REQUIRE(site.accounts->change_password("admin", password, "another long password"));
  CHECK_FALSE(site.accounts->by_bearer(second).has_value());
  const std::string third = Fixture::must(site.accounts->login("admin", "another long password"));
  site.clock.advance_us(int64_t{13} * 3600 * 1'000'000);
  CHECK(site.accounts->by_bearer(third).error().message == "the session has expired");
}

TEST_CASE("an API token of the same name replaces the older one") {
  Fixture site;
  const std::string first = Fixture::must(site.accounts->issue_api_token("operator"));
  const std::string second = Fixture::must(site.accounts->issue_api_token("operator"));
  CHECK_FALSE(site.accounts->by_bearer(first).has_value());
  CHECK(site.accounts->by_bearer(second).has_value());
}

TEST_CASE("guessing passwords is slowed down, for names that exist and names that do not, and time heals") {
  Fixture site;
  const std::string password = *Fixture::must(site.accounts->bootstrap_admin());
  for (const char* name : {"admin", "nobody"}) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      CHECK(site.accounts->login(name, "guess").error().message == "the name or the secret is wrong");
    }
    CHECK(site.accounts->login(name, password).error().message ==
          "too many wrong attempts for '" + std::string(name) + "'");
  }
  site.clock.advance_us(1'000'001);
  CHECK(site.accounts->login("admin", "guess").error().message == "the name or the secret is wrong");
  CHECK(site.accounts->login("admin", password).error().message == "too many wrong attempts for 'admin'");
  site.clock.advance_us(2'000'001);
  CHECK(site.accounts->login("admin", password).error().code == ErrorCode::PasswordChangeRequired);
}

TEST_CASE("a stranger with wrong tokens cannot keep a device out") {
  Fixture site;
  const std::string token = Fixture::must(site.accounts->add_device("meter-1"));
  for (int attempt = 0; attempt < 1000; ++attempt) {
    CHECK(site.accounts->device_by_token("meter-1", "guess").error().code == ErrorCode::NotAuthenticated);
  }
  CHECK(site.accounts->device_by_token("meter-1", token).has_value());
  CHECK(site.accounts->by_bearer("meter-1:" + token)->name == "meter-1");
}

TEST_CASE("a flood of denials is counted, not stored, and long texts are cut") {
  Fixture site;
  const std::string long_name(100'000, 'x');
  for (int attempt = 0; attempt < 5000; ++attempt) {
    site.audit->record({long_name, "mqtt.connect", long_name, false, {}, 0});
  }
  site.audit->record({"admin", "login", "", true, {}, 0});
  CHECK(Fixture::must(site.audit->verify()) == Audit::kMaxDenialsPerMinute + 1);
  site.clock.advance_us(60'000'000);
  site.audit->record({"admin", "login", "", true, {}, 0});
  const auto events = Fixture::must(site.audit->newest(4));
  CHECK(events[1].what == "audit.suppressed");
  CHECK(events[1].detail == "4700 more denials in a minute");
  CHECK(events[3].who.size() == Audit::kMaxTextBytes);
}

TEST_CASE("devices have names that fit into topics, and a certificate belongs to one of them") {
  Fixture site;
  for (const char* bad : {"", "a/b", "a+b", "#", "a\nb"}) {
    CHECK(site.accounts->add_device(bad).error().code == ErrorCode::BadRequest);
  }
  REQUIRE(site.accounts->add_device("meter-1"));
  REQUIRE(site.accounts->add_device("meter-2"));
  CHECK(site.accounts->add_device("meter-1").error().code == ErrorCode::AlreadyExists);
  REQUIRE(site.accounts->set_device_certificate("meter-1", "ab12"));
  CHECK(site.accounts->set_device_certificate("meter-2", "ab12").error().code == ErrorCode::AlreadyExists);
  CHECK(site.accounts->device_by_certificate("ab12")->name == "meter-1");
  REQUIRE(site.accounts->set_device_certificate("meter-1", "cd34"));
  CHECK_FALSE(site.accounts->device_by_certificate("ab12").has_value());
  CHECK(site.accounts->find_device("meter-1")->certificate_fingerprint == "cd34");
  REQUIRE(site.accounts->remove_device("meter-1"));
  CHECK_FALSE(site.accounts->device_by_certificate("cd34").has_value());
  CHECK(site.accounts->devices().size() == 1);
  CHECK(site.accounts->remove_device("meter-1").error().code == ErrorCode::NotFound);
}

TEST_CASE("a device may use its own topics only") {
  CHECK(may_publish(kMeter, "grid/meter-1/readings"));
  CHECK(may_publish(kMeter, "devices/meter-1/state"));
  CHECK_FALSE(may_publish(kMeter, "devices/meter-10/state"));
  CHECK_FALSE(may_publish(kMeter, "$SYS/x"));
  CHECK(may_subscribe(kMeter, "devices/meter-1/#"));
  CHECK(may_subscribe(kMeter, "devices/meter-1"));
  CHECK(may_subscribe(kMeter, "$share/group/devices/meter-1/in"));
  for (const char* filter :
       {"#", "+/meter-1/#", "devices/+/in", "devices/#", "devices/meter-10/#", "grid/#", "$share/x"}) {
    CHECK_FALSE(may_subscribe(kMeter, filter));
  }
  CHECK(may_subscribe(kAdmin, "#"));
}

TEST_CASE("the gate lets people read and devices not") {
  const PolicyGate gate;
  columnar::Batch batch;
  batch.rows = 3;
  CHECK(gate.check(kAdmin, StreamId{1}, batch)->value().rows == 3);
  CHECK(gate.check(kMeter, StreamId{1}, batch).error().code == ErrorCode::NotAuthorized);
  CHECK(gate.check_message(kMeter, {"devices/meter-1/in"}).has_value());
  CHECK(gate.check_message(kMeter, {"devices/meter-2/in"}).error().code == ErrorCode::NotAuthorized);
  CHECK(gate.internal(batch).value().rows == 3);
}

TEST_CASE("audit events come back newest first, across restarts, and a changed or missing one is found") {
  Fixture site;
  for (int number = 1; number <= 5; ++number) {
    site.audit->record({"admin", "device.add", "meter-" + std::to_string(number), number != 3, "detail", 0});
  }
  site.close();
  site.open();
  site.audit->record({"admin", "login", "", true, "", 0});
  CHECK(site.audit->verify() == 6);
  const auto newest = Fixture::must(site.audit->newest(4));
  REQUIRE(newest.size() == 4);
  CHECK(newest[0].what == "login");
  CHECK(newest[3].target == "meter-3");
  CHECK_FALSE(newest[3].allowed);
  CHECK(newest[3].time_us == site.clock.now_us());

  store::WriteBatch remove;
  remove.erase(store::Family::kCatalog, "audit/0000000000000003");
  REQUIRE(site.store->write(std::move(remove), store::Durability::kSynced));
  CHECK(site.audit->verify().error().message == "audit event 3 was changed, removed or moved");
}

TEST_CASE("certificates are made once and the server's is renewed in time") {
  Fixture site;
  const auto first = Fixture::must(prepare_tls(site.folder() / "tls", {"gate.example"}, site.clock, site.random));
  const auto again = Fixture::must(prepare_tls(site.folder() / "tls", {}, site.clock, site.random));
  CHECK(again.server.certificate_pem == first.server.certificate_pem);
  CHECK((std::filesystem::status(site.folder() / "tls/ca.key").permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const int64_t expiry_us = Fixture::must(crypto::certificate_expiry_us(first.server.certificate_pem));
  site.clock.set_wall_us(expiry_us - kRenewBeforeUs + 1'000'000);
  const auto renewed = Fixture::must(prepare_tls(site.folder() / "tls", {}, site.clock, site.random));
  CHECK(renewed.server.certificate_pem != first.server.certificate_pem);
  CHECK(renewed.authority.certificate_pem == first.authority.certificate_pem);
}

}  // namespace tidegate::security
