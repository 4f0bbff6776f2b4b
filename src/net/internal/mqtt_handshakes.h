// TLS handshakes of one network thread, in turns with the connections that are open: which goes on next, and for how
// long. Without sockets or clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace tidegate::net {

// Under way at once on a thread: each holds about 50 KB. Further connections wait as bare sockets, in their order.
inline constexpr size_t kMaxHandshakes = 512;
// A turn takes half as long as others had since the last one, so that a crowd of new connections leaves two thirds of
// the thread to those that are open; never less than the first, so that it always gets on, nor more than the second,
// which open connections may have to wait.
inline constexpr int64_t kLeastHandshakeTurnUs = 2'000;
inline constexpr int64_t kLongestHandshakeTurnUs = 20'000;

[[nodiscard]] constexpr int64_t handshake_turn_us(int64_t others_us) {
  return std::clamp(others_us / 2, kLeastHandshakeTurnUs, kLongestHandshakeTurnUs);
}

// One thread.
class MqttHandshakes {
 public:
  void arrived(uint64_t connection) { new_.push_back(connection); }     // its first bytes are there
  void answered(uint64_t connection) { going_.push_back(connection); }  // of one that is under way
  void ended() { --under_way_; }

  struct Next {
    uint64_t connection = 0;
    bool begins = false;  // counts as under way from now on
  };
  // Those under way first: what was begun gives its memory back.
  [[nodiscard]] std::optional<Next> next() {
    if (!going_.empty()) return Next{take(going_), false};
    if (!can_begin()) return std::nullopt;
    ++under_way_;
    return Next{take(new_), true};
  }
  [[nodiscard]] bool has_next() const { return !going_.empty() || can_begin(); }
  [[nodiscard]] size_t under_way() const { return under_way_; }

 private:
  [[nodiscard]] bool can_begin() const { return !new_.empty() && under_way_ < kMaxHandshakes; }
  static uint64_t take(std::deque<uint64_t>& queue) {
    const uint64_t connection = queue.front();
    queue.pop_front();
    return connection;
  }

  std::deque<uint64_t> new_;
  std::deque<uint64_t> going_;
  size_t under_way_ = 0;
};

}  // namespace tidegate::net
