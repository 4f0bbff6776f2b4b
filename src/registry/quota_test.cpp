#include <doctest/doctest.h>

#include <filesystem>
#include <limits>

#include "registry/quotas.h"

namespace tidegate::registry {
namespace {

struct Fixture {
  io::SystemRandom random;
  io::ManualClock clock{1'700'000'000'000'000};
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("tidegate-quota-" + std::to_string(random.next_u64()));
  std::unique_ptr<store::Store> store;
  std::unique_ptr<crypto::KeyRing> keys;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Quotas> quotas;

  Fixture() {
    std::filesystem::create_directories(folder);
    open();
    for (const char* path : {"north", "north/pumping", "north/pumping/pump-3"}) {
      Place place;
      place.path = path;
      if (place_depth(path) == 1) place.time_zone = "UTC";
      REQUIRE(registry->add_place(place));
    }
    Device device;
    device.name = "meter";
    device.type = "flow meter";
    device.place = "north/pumping/pump-3";
    REQUIRE(registry->add_devices({device}, {}));
  }
  ~Fixture() {
    close();
    std::filesystem::remove_all(folder);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void close() {
    quotas.reset();
    registry.reset();
    keys.reset();
    store.reset();
  }
  void open() {
    store = store::Store::open(folder / "store").value();
    keys = crypto::KeyRing::open(folder / "keys", random).value();
    registry = Registry::open(*store, *keys, random, clock).value();
    quotas = Quotas::open(*store, *keys, random, clock, *registry).value();
  }
  Result<QuotaPtr> set(std::string_view subject, QuotaLimit limit, std::optional<double> value,
                       Registry::Expected revision = std::nullopt) {
    return quotas->change(subject, revision, [&](QuotaLimits& limits) -> Result<> {
      limits[static_cast<size_t>(limit)] = value;
      return {};
    });
  }
  std::string source(QuotaLimit limit, std::string_view subject = "device:meter") {
    const auto one = quotas->effective(subject)[static_cast<size_t>(limit)];
    return one ? one->from : "";
  }
};

}  // namespace

TEST_CASE("of each limit the most specific quota counts: device, type, asset, area, site, default") {
  Fixture fixture;
  CHECK_FALSE(fixture.quotas->any());
  CHECK(fixture.source(QuotaLimit::kMessages).empty());
  for (const char* subject : {"default", "site:north", "site:north/pumping", "site:north/pumping/pump-3",
                              "type:flow meter", "device:meter"}) {
    REQUIRE(fixture.set(subject, QuotaLimit::kMessages, 10));
    CHECK(fixture.source(QuotaLimit::kMessages) == subject);
  }
  REQUIRE(fixture.set("site:north", QuotaLimit::kBytes, 1000));
  CHECK(fixture.source(QuotaLimit::kBytes) == "site:north");
  CHECK(fixture.source(QuotaLimit::kMessages) == "device:meter");
  // Others: a device that nobody registered, one that moves, and gateways, who have their own alone.
  CHECK(fixture.source(QuotaLimit::kMessages, "device:stranger") == "default");
  CHECK(fixture.source(QuotaLimit::kMessages, "gateway:meter").empty());
  REQUIRE(fixture.registry->change_device("meter", std::nullopt, [](Device& device) -> Result<> {
    device.place.clear();
    return {};
  }));
  CHECK(fixture.source(QuotaLimit::kBytes).empty());
}

TEST_CASE("quotas survive a restart and are changed with revisions") {
  Fixture fixture;
  CHECK(fixture.set("device:meter", QuotaLimit::kPayload, 100, 3).error().code == ErrorCode::PreconditionFailed);
  CHECK(fixture.set("device:meter", QuotaLimit::kPayload, 100).value()->revision == 1);
  CHECK(fixture.set("device:meter", QuotaLimit::kBurst, 2.5, 1).value()->revision == 2);
  CHECK(fixture.set("device:meter", QuotaLimit::kBurst, 3, 1).error().code == ErrorCode::PreconditionFailed);
  fixture.close();
  fixture.open();
  CHECK(fixture.quotas->any());
  REQUIRE(fixture.quotas->list().size() == 1);
  const QuotaPtr quota = fixture.quotas->find("device:meter");
  REQUIRE(quota);
  CHECK(quota->limits[static_cast<size_t>(QuotaLimit::kPayload)] == 100);
  CHECK(quota->limits[static_cast<size_t>(QuotaLimit::kBurst)] == 2.5);
  CHECK_FALSE(quota->limits[static_cast<size_t>(QuotaLimit::kMessages)]);
  CHECK(fixture.quotas->remove("device:meter", 1).error().code == ErrorCode::PreconditionFailed);
  CHECK(fixture.quotas->remove("device:meter", 2));
  CHECK(fixture.quotas->remove("device:meter", {}).error().code == ErrorCode::NotFound);
  CHECK_FALSE(fixture.quotas->any());
  fixture.close();
  fixture.open();
  CHECK(fixture.quotas->list().empty());
}

TEST_CASE("what is no quota is refused") {
  Fixture fixture;
  for (const char* subject : {"", "meter", "device:", "house:1", "Default", ":x", "site"}) {
    CHECK(fixture.set(subject, QuotaLimit::kMessages, 1).error().code == ErrorCode::BadRequest);
  }
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {0.0, -1.0, 1e10, nothing, std::numeric_limits<double>::infinity()}) {
    CHECK(fixture.set("default", QuotaLimit::kMessages, value).error().code == ErrorCode::BadRequest);
  }
  CHECK(fixture.set("default", QuotaLimit::kPayload, 1.5).error().code == ErrorCode::BadRequest);
  CHECK(fixture.set("default", QuotaLimit::kMessages, std::nullopt).error().code == ErrorCode::BadRequest);
  CHECK(fixture.quotas->list().empty());
}

TEST_CASE("a meter takes the rate over time, a burst after a pause, and says how long to wait") {
  Fixture fixture;
  const auto meter = fixture.quotas->meter("device:meter");
  for (int i = 0; i < 1000; ++i) CHECK(meter->take(1'000'000).verdict == QuotaVerdict::kTaken);
  REQUIRE(fixture.set("type:flow meter", QuotaLimit::kMessages, 10));
  int taken = 0;
  while (meter->take(1).verdict == QuotaVerdict::kTaken) ++taken;
  CHECK(taken == 10);
  const QuotaAnswer refused = meter->take(1);
  CHECK(refused.verdict == QuotaVerdict::kMessages);
  CHECK(refused.wait_us == 100'000);
  fixture.clock.advance_us(refused.wait_us);
  CHECK(meter->take(1).verdict == QuotaVerdict::kTaken);
  CHECK(meter->take(1).verdict == QuotaVerdict::kMessages);
  // A minute at full speed is 600 messages, however often it asks.
  taken = 0;
  for (int i = 0; i < 60'000; ++i) {
    fixture.clock.advance_us(1000);
    taken += meter->take(1).verdict == QuotaVerdict::kTaken ? 1 : 0;
  }
  CHECK(taken == 600);
  REQUIRE(fixture.set("default", QuotaLimit::kBurst, 30));
  fixture.clock.advance_us(3'600'000'000);
  for (taken = 0; meter->take(1).verdict == QuotaVerdict::kTaken;) ++taken;
  CHECK(taken == 300);
}

TEST_CASE("bytes and sizes are limited too; what is larger than the bucket passes once it is full") {
  Fixture fixture;
  REQUIRE(fixture.set("device:meter", QuotaLimit::kBytes, 1000));
  const auto meter = fixture.quotas->meter("device:meter");
  CHECK(meter->take(5000).verdict == QuotaVerdict::kTaken);
  const QuotaAnswer owed = meter->take(1);
  CHECK(owed.verdict == QuotaVerdict::kBytes);
  CHECK(owed.wait_us == 4'001'000);
  fixture.clock.advance_us(owed.wait_us);
  CHECK(meter->take(1).verdict == QuotaVerdict::kTaken);
  REQUIRE(fixture.set("site:north", QuotaLimit::kPayload, 100));
  CHECK(meter->take(101).verdict == QuotaVerdict::kPayload);
  fixture.clock.advance_us(10'000'000);
  CHECK(meter->take(100).verdict == QuotaVerdict::kTaken);
  CHECK(fixture.quotas->meter("device:other")->take(101).verdict == QuotaVerdict::kTaken);
}

TEST_CASE("connections are counted, one that replaces another is taken, and coming back brings no full bucket") {
  Fixture fixture;
  auto meter = fixture.quotas->meter("device:meter");
  CHECK(meter->connect(false));
  CHECK(meter->connect(false));
  REQUIRE(fixture.set("default", QuotaLimit::kConnections, 2));
  CHECK_FALSE(meter->connect(false));
  CHECK(meter->connect(true));
  meter->disconnect();
  meter->disconnect();
  CHECK(meter->connect(false));
  CHECK(meter->counts().refused[static_cast<size_t>(QuotaVerdict::kConnections)] == 1);
  REQUIRE(fixture.set("default", QuotaLimit::kMessages, 1));
  CHECK(meter->take(1).verdict == QuotaVerdict::kTaken);
  meter.reset();
  CHECK(fixture.quotas->meter("device:meter")->take(1).verdict == QuotaVerdict::kMessages);
  CHECK(fixture.quotas->find_meter("device:nobody") == nullptr);
}

}  // namespace tidegate::registry
