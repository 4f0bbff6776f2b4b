// Acknowledgements in the order of their publications, held back until the platform has made these durable.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "net/internal/mqtt_session.h"

namespace tidegate::net {

struct MqttPendingAck {
  uint64_t connection = 0;
  uint16_t packet_id = 0;
  uint8_t qos = 1;
  bool repeated = false;  // a QoS 2 publication that had come before
  MqttReason reason = MqttReason::kSuccess;
  std::shared_ptr<MqttSession> session;  // of QoS 2: its state is settled even when the connection has gone
};

// One network thread's. A round is what was read between two flushes; rounds end in order, although the parties
// they wait for (ingest, journal) may answer in any.
class MqttAckQueue {
 public:
  void add(MqttPendingAck ack) { current_.push_back(std::move(ack)); }
  [[nodiscard]] bool idle() const { return current_.empty(); }
  [[nodiscard]] size_t waiting() const { return waiting_; }

  // Ends the round; it waits for done() `parties` times.
  uint64_t seal(int parties) {
    waiting_ += current_.size();
    rounds_.push_back({std::move(current_), parties, true});
    current_ = std::move(spare_);
    current_.clear();
    return first_ + rounds_.size() - 1;
  }
  void expect(uint64_t round) { ++rounds_[round - first_].parties; }
  void done(uint64_t round, bool ok) {
    Round& which = rounds_[round - first_];
    which.ok = which.ok && ok;
    --which.parties;
  }
  // Calls visit(ack, durable) for every round that is over.
  template <class Visit>
  void take_ready(Visit visit) {
    while (!rounds_.empty() && rounds_.front().parties == 0) {
      Round round = std::move(rounds_.front());
      rounds_.pop_front();
      ++first_;
      waiting_ -= round.acks.size();
      for (const MqttPendingAck& ack : round.acks) visit(ack, round.ok);
      if (round.acks.capacity() > spare_.capacity()) spare_ = std::move(round.acks);
    }
  }

 private:
  struct Round {
    std::vector<MqttPendingAck> acks;
    int parties = 0;
    bool ok = true;
  };
  std::vector<MqttPendingAck> current_;
  std::vector<MqttPendingAck> spare_;  // its memory is used again
  std::deque<Round> rounds_;
  uint64_t first_ = 0;
  size_t waiting_ = 0;
};

}  // namespace tidegate::net
