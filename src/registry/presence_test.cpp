#include "registry/presence.h"

#include <doctest/doctest.h>

#include <map>

namespace tidegate::registry {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'000 * kSecond;

// Rules with a clock that the test sets, and the times of the last records.
struct Site {
  PresenceRules rules{kStart};
  std::map<std::string, int64_t, std::less<>> records;

  // "meter offline silent @1015"
  std::vector<std::string> look(int64_t at_s) {
    rules.look(at_s * kSecond, [this](std::string_view device) -> std::optional<int64_t> {
      const auto found = records.find(device);
      return found == records.end() ? std::nullopt : std::optional(found->second);
    });
    return events();
  }
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const PresenceEvent& event : rules.take_events()) {
      out.push_back(event.device + (event.online ? " online " : " offline ") + std::string(event.reason) + " @" +
                    std::to_string(event.time_us / kSecond));
    }
    return out;
  }
};

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("a device that is silent for longer than it may goes offline, and online with its next record") {
  Site site;
  site.rules.expect({{"m", 10 * kSecond, 0}});
  site.records["m"] = 1'002 * kSecond;
  CHECK(site.look(1'003) == Events{"m online record @1002"});
  CHECK(site.look(1'017) == Events{});
  CHECK(site.look(1'018) == Events{"m offline silent @1018"});
  CHECK(site.look(1'100) == Events{});
  site.records["m"] = 1'105 * kSecond;
  CHECK(site.look(1'106) == Events{"m online record @1105"});
}

TEST_CASE("a device that never spoke is offline when its time is over") {
  Site site;
  site.rules.expect({{"m", 10 * kSecond, 1'050 * kSecond}});
  CHECK(site.look(1'065) == Events{});
  CHECK(site.look(1'066) == Events{"m offline silent @1066"});
}

TEST_CASE("without an interval connections decide") {
  Site site;
  site.rules.connected("m", 1'001 * kSecond);
  CHECK(site.events() == Events{"m online connected @1001"});
  site.rules.connected("m", 1'002 * kSecond);  // a second client, or one that takes the first one's place
  site.rules.disconnected("m", true, 1'003 * kSecond);
  CHECK(site.events() == Events{});
  CHECK(site.look(900'000) == Events{});
  site.rules.disconnected("m", true, 900'001 * kSecond);
  CHECK(site.events() == Events{"m offline disconnected @900001"});
  site.rules.connected("m", 900'002 * kSecond);
  site.rules.disconnected("m", false, 900'003 * kSecond);
  CHECK(site.events() == Events{"m online connected @900002", "m offline connection lost @900003"});
  site.rules.disconnected("m", false, 900'004 * kSecond);  // one too many
  CHECK(site.events() == Events{});
}

TEST_CASE("a device that sleeps between reports is online as long as they come in time") {
  Site site;
  site.rules.expect({{"m", 60 * kSecond, 0}});
  site.rules.connected("m", 1'001 * kSecond);
  site.rules.disconnected("m", true, 1'002 * kSecond);
  CHECK(site.events() == Events{"m online connected @1001"});
  CHECK(site.look(1'092) == Events{});
  CHECK(site.look(1'093) == Events{"m offline silent @1093"});
  site.rules.connected("m", 1'100 * kSecond);
  site.rules.disconnected("m", false, 1'101 * kSecond);
  CHECK(site.events() == Events{"m online connected @1100", "m offline connection lost @1101"});
  site.records["m"] = 1'102 * kSecond;
  CHECK(site.look(1'102) == Events{"m online record @1102"});
}

TEST_CASE("a device that is connected and says nothing is offline") {
  Site site;
  site.rules.expect({{"m", 10 * kSecond, 0}});
  site.rules.connected("m", 1'000 * kSecond);
  CHECK(site.look(1'016) == Events{"m online connected @1000", "m offline silent @1016"});
}

TEST_CASE("after a restart devices have time to come back") {
  Site site;
  site.rules.restore("a", true, 900 * kSecond);
  site.rules.restore("b", true, 900 * kSecond);
  site.rules.restore("c", false, 900 * kSecond);
  site.rules.restore("d", true, 900 * kSecond);
  site.rules.expect({{"d", 10 * kSecond, 0}});
  CHECK(site.look(1'010) == Events{});
  site.rules.connected("a", 1'011 * kSecond);
  site.rules.connected("c", 1'011 * kSecond);
  CHECK(site.events() == Events{"c online connected @1011"});
  CHECK(site.look(1'016) == Events{"d offline silent @1016"});
  CHECK(site.look(1'120) == Events{"b offline not back after a restart @1120"});
  CHECK(site.look(1'121) == Events{});
}

TEST_CASE("a device that spoke and fell silent between two looks is told both ways") {
  Site site;
  site.rules.expect({{"m", kSecond / 2, 0}});
  site.records["m"] = 1'001 * kSecond;
  CHECK(site.look(1'002) == Events{"m online record @1001", "m offline silent @1002"});
}

TEST_CASE("an old record says nothing about now") {
  Site site;
  site.rules.expect({{"m", 10 * kSecond, 0}});
  site.records["m"] = 500 * kSecond;
  CHECK(site.look(1'001) == Events{});
  CHECK(site.look(1'016) == Events{"m offline silent @1016"});
}

TEST_CASE("devices whose interval is taken away are left alone") {
  Site site;
  site.rules.expect({{"m", 10 * kSecond, 0}, {"n", 10 * kSecond, 0}});
  site.rules.connected("n", kStart);
  site.rules.expect({});
  CHECK(site.look(5'000) == Events{"n online connected @1000"});
  CHECK(!site.rules.of("m"));
  CHECK(site.rules.of("n")->online == true);
}

}  // namespace tidegate::registry
