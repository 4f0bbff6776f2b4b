// A client's packet identifiers and the publications that wait for their answer (MQTT 5.0 section 4.9).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tidegate::net {

// One thread.
class MqttClientWindow {
 public:
  explicit MqttClientWindow(uint16_t max_in_flight) : max_in_flight_(max_in_flight) {}

  // A packet identifier that no publication under way has; not 0.
  [[nodiscard]] uint16_t next_id();
  // The publication `id` is sent at `now_us` (above 0).
  void begin(uint16_t id, int64_t now_us);
  // Its answer has come: microseconds since begin(); nothing if no such publication is under way.
  [[nodiscard]] std::optional<int64_t> finish(uint16_t id, int64_t now_us);
  void clear();

  [[nodiscard]] bool full() const { return in_flight_ >= max_in_flight_; }
  [[nodiscard]] size_t in_flight() const { return in_flight_; }

 private:
  [[nodiscard]] bool used(uint16_t id) const { return id < begun_us_.size() && begun_us_[id] != 0; }

  const size_t max_in_flight_;
  std::vector<int64_t> begun_us_;  // by packet id; 0: free
  size_t in_flight_ = 0;
  uint16_t last_id_ = 0;
};

}  // namespace tidegate::net
