#include <doctest/doctest.h>

#include "base/ids.h"
#include "io/time_zone.h"

namespace tidegate::io {
namespace {

constexpr int64_t kHour = 3600 * kMicrosPerSecond;
constexpr int64_t kSpring = 1'774'746'000 * kMicrosPerSecond;  // 2026-03-29T01:00:00Z, clocks go from 02:00 to 03:00
constexpr int64_t kAutumn = 1'792'890'000 * kMicrosPerSecond;  // 2026-10-25T01:00:00Z, clocks go from 03:00 to 02:00

}  // namespace

TEST_CASE("a zone shows summer and winter time") {
  const TimeZone* berlin = find_time_zone("Europe/Berlin");
  REQUIRE(berlin != nullptr);
  CHECK(berlin->name() == "Europe/Berlin");
  CHECK(berlin == find_time_zone("Europe/Berlin"));
  CHECK(berlin->offset_us(kSpring - 1) == kHour);
  CHECK(berlin->offset_us(kSpring) == 2 * kHour);
  CHECK(berlin->offset_us(kAutumn - 1) == 2 * kHour);
  CHECK(berlin->offset_us(kAutumn) == kHour);
  CHECK(berlin->to_wall_us(kSpring + 7) == kSpring + 2 * kHour + 7);
  CHECK(find_time_zone("Asia/Kolkata")->offset_us(0) == 5 * kHour + kHour / 2);
  CHECK(find_time_zone("America/Los_Angeles")->to_wall_us(0) == -8 * kHour);
}

TEST_CASE("the rules go on for ever") {
  constexpr int64_t kSummer2060 = 2'855'304'000 * kMicrosPerSecond;  // 2060-06-24
  CHECK(find_time_zone("Europe/Berlin")->offset_us(kSummer2060) == 2 * kHour);
}

TEST_CASE("times that the clocks skip or show twice") {
  const TimeZone* berlin = find_time_zone("Europe/Berlin");
  const int64_t half_past_two = kSpring + kHour + kHour / 2;  // as read on the wall; it never was
  CHECK(berlin->to_instant_us(half_past_two) == kSpring + kHour / 2);
  CHECK(berlin->to_wall_us(berlin->to_instant_us(half_past_two)) == half_past_two + kHour);
  const int64_t twice = kAutumn + kHour + kHour / 2;
  CHECK(berlin->to_instant_us(twice) == kAutumn - kHour / 2);
  for (int64_t instant = kSpring - 50 * kHour; instant < kAutumn + 50 * kHour; instant += kHour / 4 + 1) {
    if (instant >= kAutumn && instant < kAutumn + kHour) continue;  // the second showing
    CHECK(berlin->to_instant_us(berlin->to_wall_us(instant)) == instant);
  }
}

TEST_CASE("zones before 1970 and with microseconds") {
  const TimeZone* berlin = find_time_zone("Europe/Berlin");
  constexpr int64_t kInstant = -1'000'000'000 * kMicrosPerSecond - 1;  // 1938-04-24
  CHECK(berlin->to_instant_us(berlin->to_wall_us(kInstant)) == kInstant);
}

TEST_CASE("distances from UTC") {
  const auto offset = [](std::string_view name) {
    const TimeZone* zone = find_time_zone(name);
    REQUIRE_MESSAGE(zone != nullptr, name);
    return zone->offset_us(0);
  };
  CHECK(offset("UTC") == 0);
  CHECK(offset("Z") == 0);
  CHECK(offset("+01:00") == kHour);
  CHECK(offset("-0330") == -(3 * kHour + kHour / 2));
  CHECK(offset("GMT+8") == 8 * kHour);
  CHECK(offset("UTC-08:00") == -8 * kHour);
  CHECK(find_time_zone("+01:00")->to_instant_us(kHour) == 0);
}

TEST_CASE("what is no zone is refused, and no file outside the zone files is read") {
  for (const std::string_view name :
       {"", "Europe/Atlantis", "+19:00", "+1:60", "+01:0", "GMT+", "../../../etc/passwd", "/etc/localtime", "localtime",
        "file:/etc/localtime", "Europe/Berlin ", "Europe", "berlin"}) {
    CHECK_MESSAGE(find_time_zone(name) == nullptr, name);
  }
  CHECK(find_time_zone(std::string(1000, 'A')) == nullptr);
}

}  // namespace tidegate::io
