// Writes the broker's changes through MqttPersistence on a thread of its own, many at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "net/mqtt_persistence.h"

namespace tidegate::net {

// What may wait for the disk before the broker stops reading from its sockets.
inline constexpr size_t kMaxJournalBytes = 64U << 20;
// How long a change that nobody flushes may wait: waking the thread for each would mean an fsync for each.
inline constexpr int kJournalPauseMs = 20;

// Any thread.
class MqttJournal {
 public:
  explicit MqttJournal(MqttPersistence* persistence);
  ~MqttJournal();  // writes what waits
  MqttJournal(const MqttJournal&) = delete;
  MqttJournal& operator=(const MqttJournal&) = delete;

  [[nodiscard]] bool enabled() const { return persistence_ != nullptr; }
  void put(std::string key, std::string value);
  void erase(std::string key);
  // `done` comes once on the journal's thread when everything up to now is durable or lost. False, without taking
  // `done`, if nothing waits.
  bool flush(std::function<void(Result<>)> done);
  [[nodiscard]] bool overloaded() const;

 private:
  struct State {
    std::vector<MqttChange> changes;
    std::vector<std::function<void(Result<>)>> waiting;
    size_t bytes = 0;
    bool writing = false;
    bool stopping = false;
  };
  void add(MqttChange change);
  void run();

  MqttPersistence* persistence_;
  Guarded<State> state_;
  std::condition_variable wake_;
  std::thread thread_;  // last: uses the others
};

}  // namespace tidegate::net
