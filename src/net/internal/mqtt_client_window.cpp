#include "net/internal/mqtt_client_window.h"

#include <algorithm>

namespace tidegate::net {

uint16_t MqttClientWindow::next_id() {
  // Ids stay small: the table of a client with a small window is small too. Four times the window leaves room for
  // the ids of subscriptions, and keeps an id that was just answered from being used again at once.
  const size_t highest = std::min<size_t>(4 * max_in_flight_ + 1, 65'535);
  do {
    last_id_ = last_id_ >= highest ? 1 : static_cast<uint16_t>(last_id_ + 1);
  } while (used(last_id_));
  return last_id_;
}

void MqttClientWindow::begin(uint16_t id, int64_t now_us) {
  if (begun_us_.size() <= id) begun_us_.resize(id + 1U);
  begun_us_[id] = now_us;
  ++in_flight_;
}

std::optional<int64_t> MqttClientWindow::finish(uint16_t id, int64_t now_us) {
  if (!used(id)) return std::nullopt;
  const int64_t latency_us = now_us - begun_us_[id];
  begun_us_[id] = 0;
  --in_flight_;
  return latency_us;
}

void MqttClientWindow::clear() {
  begun_us_.clear();
  in_flight_ = 0;
}

}  // namespace tidegate::net
