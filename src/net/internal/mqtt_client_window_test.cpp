#include "net/internal/mqtt_client_window.h"

#include <doctest/doctest.h>

#include <set>

namespace tidegate::net {

TEST_CASE("a client's packet ids are never 0, never of a publication under way, and stay small") {
  MqttClientWindow window(10);
  std::set<uint16_t> used;
  for (int64_t turn = 1; turn <= 10; ++turn) {
    const uint16_t id = window.next_id();
    window.begin(id, turn);
    CHECK(used.insert(id).second);
  }
  CHECK(window.full());
  for (int turn = 0; turn < 1'000; ++turn) {
    const uint16_t id = window.next_id();
    CHECK((id > 0 && id <= 41 && !used.contains(id)));
  }
}

TEST_CASE("an answer is counted once, with its latency") {
  MqttClientWindow window(1);
  const uint16_t id = window.next_id();
  CHECK_FALSE(window.finish(id, 5));
  window.begin(id, 100);
  CHECK(window.in_flight() == 1);
  CHECK(window.finish(id, 350) == 250);
  CHECK_FALSE(window.finish(id, 351));
  CHECK_FALSE(window.finish(65'535, 351));
  CHECK(window.in_flight() == 0);
}

TEST_CASE("the largest window leaves ids within sixteen bits") {
  MqttClientWindow window(60'000);
  for (int turn = 0; turn < 60'000; ++turn) window.begin(window.next_id(), 1);
  CHECK(window.full());
  const uint16_t id = window.next_id();
  CHECK_FALSE(window.finish(id, 2));
}

}  // namespace tidegate::net
