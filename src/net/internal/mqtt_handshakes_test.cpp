#include "net/internal/mqtt_handshakes.h"

#include <doctest/doctest.h>

#include <vector>

namespace tidegate::net {

TEST_CASE("handshakes that are under way go before new ones, of which only so many begin") {
  MqttHandshakes handshakes;
  CHECK_FALSE(handshakes.has_next());
  for (uint64_t id = 1; id <= kMaxHandshakes + 2; ++id) handshakes.arrived(id);
  for (uint64_t id = 1; id <= kMaxHandshakes; ++id) {
    const auto next = handshakes.next();
    REQUIRE(next);
    CHECK(next->connection == id);
    CHECK(next->begins);
  }
  CHECK_FALSE(handshakes.has_next());
  CHECK_FALSE(handshakes.next());
  handshakes.answered(7);
  const auto going = handshakes.next();
  REQUIRE(going);
  CHECK(going->connection == 7);
  CHECK_FALSE(going->begins);
  CHECK(handshakes.under_way() == kMaxHandshakes);
  handshakes.ended();
  const auto begun = handshakes.next();
  REQUIRE(begun);
  CHECK(begun->connection == kMaxHandshakes + 1);
  CHECK_FALSE(handshakes.has_next());
}

TEST_CASE("a turn of handshakes takes half of what others had, within limits") {
  CHECK(handshake_turn_us(0) == kLeastHandshakeTurnUs);
  CHECK(handshake_turn_us(16'000) == 8'000);
  CHECK(handshake_turn_us(60'000'000) == kLongestHandshakeTurnUs);
}

}  // namespace tidegate::net
