#include "registry/registry.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "security/name_pattern.h"

namespace tidegate::registry {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) MESSAGE(result.error().to_string());
  REQUIRE(result);
  return std::move(*result);
}

// A registry on a real store in a folder of its own, with a clock that stands still.
class Fixture {
 public:
  Fixture()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-registry-" + std::to_string(random.next_u64()))) {
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
    registry.reset();
    keys_.reset();
    store.reset();
  }
  void open() {
    store = must(store::Store::open(folder_ / "store"));
    keys_ = must(crypto::KeyRing::open(folder_ / "keys", random));
    registry = must(Registry::open(*store, *keys_, random, clock));
  }
  void reopen() {
    close();
    open();
  }
  auto open_another() { return Registry::open(*store, *keys_, random, clock); }
  Result<> add(Device device) { return registry->add_devices({std::move(device)}, {}); }
  Result<> add_place(std::string path, std::string zone = {}) {
    Place place;
    place.path = std::move(path);
    place.time_zone = std::move(zone);
    auto added = registry->add_place(std::move(place));
    return added ? Result<>() : Result<>(fail(added.error()));
  }

  io::SystemRandom random;
  io::ManualClock clock{1'700'000'000'000'000};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Registry> registry;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

Device named(std::string name) {
  Device device;
  device.name = std::move(name);
  return device;
}

ErrorCode code_of(const Result<>& result) { return result ? ErrorCode::Bug : result.error().code; }

std::vector<std::string> names_of(const DevicePage& page) {
  std::vector<std::string> names;
  for (const auto& device : page.devices) names.push_back(device->name);
  return names;
}

}  // namespace

TEST_CASE("a device's document survives a restart, with every part of it") {
  Fixture site;
  REQUIRE(site.add_place("north", "Europe/Berlin"));
  REQUIRE(site.add_place("north/pumping"));
  Device device = named("meter-01");
  device.type = "flow meter";
  device.place = "north/pumping";
  device.labels = {{"vendor", "acme"}, {"line", "3"}};
  device.interval_us = 60'000'000;
  device.description = "behind the second gate; °C, µs";
  REQUIRE(site.add(device));
  site.clock.advance_us(5);
  site.reopen();
  const auto found = site.registry->find_device("meter-01");
  REQUIRE(found);
  CHECK(found->type == device.type);
  CHECK(found->place == device.place);
  CHECK(found->labels == device.labels);
  CHECK(found->interval_us == device.interval_us);
  CHECK(found->description == device.description);
  CHECK(found->created_us == 1'700'000'000'000'000);
  CHECK(found->changed_us == found->created_us);
  CHECK(found->revision == 1);
  CHECK(site.registry->find_device("METER-01") == nullptr);
}

TEST_CASE("a change raises the revision, and one on an old revision is refused") {
  Fixture site;
  REQUIRE(site.add(named("m")));
  site.clock.advance_us(1000);
  const auto set_type = [](std::string type) {
    return [type](Device& device) -> Result<> {
      device.type = type;
      return {};
    };
  };
  const auto changed = must(site.registry->change_device("m", 1, set_type("valve")));
  CHECK(changed->revision == 2);
  CHECK(changed->changed_us == changed->created_us + 1000);
  const auto stale = site.registry->change_device("m", 1, set_type("pump"));
  REQUIRE(!stale);
  CHECK(stale.error().code == ErrorCode::PreconditionFailed);
  CHECK(code_of(site.registry->remove_device("m", 1)) == ErrorCode::PreconditionFailed);
  site.reopen();
  CHECK(site.registry->find_device("m")->type == "valve");
  CHECK(site.registry->find_device("m")->revision == 2);
  REQUIRE(site.registry->remove_device("m", 2));
  site.reopen();
  CHECK(site.registry->find_device("m") == nullptr);
  CHECK(code_of(site.registry->remove_device("m", std::nullopt)) == ErrorCode::NotFound);
}

TEST_CASE("several devices are added together or not at all") {
  Fixture site;
  REQUIRE(site.add(named("b")));
  CHECK(code_of(site.registry->add_devices({named("a"), named("b")}, {})) == ErrorCode::AlreadyExists);
  CHECK(code_of(site.registry->add_devices({named("c"), named("c")}, {})) == ErrorCode::AlreadyExists);
  CHECK(code_of(site.registry->add_devices({named("d"), named("no blanks")}, {})) == ErrorCode::BadRequest);
  Device lost = named("e");
  lost.place = "nowhere";
  CHECK(code_of(site.registry->add_devices({lost}, {})) == ErrorCode::NotFound);
  CHECK(site.registry->device_count() == 1);
  site.reopen();
  CHECK(site.registry->device_count() == 1);
}

TEST_CASE("what a device may not be") {
  for (const char* name : {"", "a/b", "a+", "#", "two words", "a:b", "tab\t"}) CHECK(!check_device_name(name));
  CHECK(check_device_name("Zähler-7_(b).x"));
  CHECK(!check_device_name(std::string(kMaxNameBytes + 1, 'x')));
  Device device = named("d");
  device.labels = {{"bad name", "x"}};
  CHECK(!check_device(device));
  device.labels = {{"good", "line\nbreak"}};
  CHECK(!check_device(device));
  device.labels = {{"good", "any thing = goes"}};
  CHECK(check_device(device));
  device.interval_us = -1;
  CHECK(!check_device(device));
}

TEST_CASE("the site tree grows from the top and is cut from the leaves") {
  Fixture site;
  CHECK(site.registry->site_time_zone().empty());
  CHECK(code_of(site.add_place("north")) == ErrorCode::BadRequest);
  CHECK(code_of(site.add_place("north", "Mars/Base")) == ErrorCode::BadRequest);
  CHECK(code_of(site.add_place("north", "../../etc/passwd")) == ErrorCode::BadRequest);
  CHECK(code_of(site.add_place("north/pumping")) == ErrorCode::NotFound);
  REQUIRE(site.add_place("north", "Europe/Berlin"));
  CHECK(code_of(site.add_place("north", "UTC")) == ErrorCode::AlreadyExists);
  CHECK(code_of(site.add_place("north/pumping", "UTC")) == ErrorCode::BadRequest);
  REQUIRE(site.add_place("north/pumping"));
  REQUIRE(site.add_place("north/pumping/pump-3"));
  CHECK(code_of(site.add_place("north/pumping/pump-3/motor")) == ErrorCode::BadRequest);
  CHECK(code_of(site.add_place("north//x")) == ErrorCode::BadRequest);
  CHECK(site.registry->time_zone_of("north/pumping/pump-3") == "Europe/Berlin");
  CHECK(site.registry->time_zone_of("") == "UTC");
  CHECK(site.registry->site_time_zone() == "Europe/Berlin");
  CHECK(code_of(site.registry->remove_place("north", std::nullopt)) == ErrorCode::InUse);
  Device device = named("m");
  device.place = "north/pumping/pump-3";
  REQUIRE(site.add(device));
  const auto used = site.registry->remove_place("north/pumping/pump-3", std::nullopt);
  CHECK(code_of(used) == ErrorCode::InUse);
  CHECK(used.error().message.find("'m'") != std::string::npos);
  REQUIRE(site.registry->remove_device("m", std::nullopt));
  REQUIRE(site.registry->remove_place("north/pumping/pump-3", std::nullopt));
  site.reopen();
  CHECK(site.registry->places().size() == 2);
  const auto zone = site.registry->change_place("north", 1, [](Place& place) -> Result<> {
    place.time_zone = "America/New_York";
    return {};
  });
  REQUIRE(zone);
  CHECK((*zone)->revision == 2);
  CHECK(site.registry->time_zone_of("north/pumping") == "America/New_York");
  CHECK(site.registry->site_time_zone() == "America/New_York");
  REQUIRE(site.add_place("south", "America/New_York"));
  CHECK(site.registry->site_time_zone() == "America/New_York");
  REQUIRE(site.add_place("west", "America/Denver"));
  CHECK(site.registry->site_time_zone().empty());
}

TEST_CASE("lists are filtered, and paged by name") {
  Fixture site;
  REQUIRE(site.add_place("n", "UTC"));
  REQUIRE(site.add_place("n/a"));
  REQUIRE(site.add_place("no", "UTC"));
  std::vector<Device> devices;
  for (int i = 0; i < 10; ++i) {
    Device device = named(fmt::format("d{}", i));
    device.type = i % 2 == 0 ? "even" : "odd";
    device.place = i < 3 ? "n" : i < 6 ? "n/a" : i < 9 ? "no" : "";
    if (i > 4) device.labels["line"] = i > 7 ? "2" : "1";
    devices.push_back(std::move(device));
  }
  REQUIRE(site.registry->add_devices(std::move(devices), {}));
  const auto list = [&](const DeviceFilter& filter) { return names_of(site.registry->list_devices(filter, "", 100)); };
  using Names = std::vector<std::string>;
  CHECK(list({.type = "odd", .place = "n", .name = "", .labels = {}}) == Names{"d1", "d3", "d5"});
  CHECK(list({.type = "", .place = "n/a", .name = "", .labels = {}}) == Names{"d3", "d4", "d5"});
  CHECK(list({.type = "", .place = "", .name = "", .labels = {{"line", "2"}}}) == Names{"d8", "d9"});
  CHECK(list({.type = "even", .place = "", .name = "", .labels = {{"line", std::nullopt}}}) == Names{"d6", "d8"});
  CHECK(list({.type = "", .place = "", .name = "*[12]", .labels = {}}).empty());
  CHECK(list({.type = "", .place = "", .name = "?7", .labels = {}}) == Names{"d7"});
  Names all;
  std::string cursor;
  for (;;) {
    const auto page = site.registry->list_devices({}, cursor, 3);
    for (const auto& name : names_of(page)) all.push_back(name);
    if (!page.next) break;
    cursor = *page.next;
  }
  CHECK(all.size() == 10);
  CHECK(all.front() == "d0");
  CHECK(all.back() == "d9");
}

TEST_CASE("a changed document is found at the next start") {
  Fixture site;
  REQUIRE(site.add(named("a")));
  REQUIRE(site.add(named("b")));
  store::WriteBatch swapped;
  swapped.put(store::Family::kCatalog, "registry/device/a",
              *must(site.store->get(store::Family::kCatalog, "registry/device/b")));
  REQUIRE(site.store->write(std::move(swapped), store::Durability::kSynced));
  const auto opened = site.open_another();
  REQUIRE(!opened);
  CHECK(opened.error().code == ErrorCode::SealBroken);
}

TEST_CASE("patterns") {
  using security::matches_pattern;
  CHECK(matches_pattern("pump-12", "pump-*"));
  CHECK(matches_pattern("pump-", "pump-*"));
  CHECK(!matches_pattern("pum", "pump-*"));
  CHECK(matches_pattern("abcabd", "*ab?"));
  CHECK(matches_pattern("", "*"));
  CHECK(!matches_pattern("", "?"));
  CHECK(matches_pattern("aXbXc", "a*b*c"));
  CHECK(!matches_pattern("aXbX", "a*b*c"));
  CHECK(!matches_pattern(std::string(10'000, 'a'), "*a*a*a*a*a*b"));
}

}  // namespace tidegate::registry
