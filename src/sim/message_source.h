// MessageSource: the deterministic sequence of what the simulated devices do. No network, no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "io/random.h"
#include "sim/profile.h"
#include "sim/record_file.h"

namespace tidegate::sim {

enum class ActionKind : uint8_t { kPublish, kDisconnect, kConnect };

// What one device does at one moment.
struct Action {
  ActionKind kind = ActionKind::kPublish;
  uint32_t device = 0;    // index, from 0
  int64_t due_us = 0;     // event time at which it happens, by a right clock; never decreases from action to action
  int64_t event_us = 0;   // of the record, by the device's own clock
  uint64_t sequence = 0;  // of the record among its device's, from 0; a duplicate has its original's
  bool duplicate = false;
  std::string payload;
};

// How often each fault was made.
struct FaultCounts {
  uint64_t late = 0;
  uint64_t duplicates = 0;
  uint64_t gaps = 0;
  uint64_t drop_outs = 0;
};

// The same actions for the same profile, file and start. One thread.
class MessageSource {
 public:
  // Messages that are late, duplicated or kept during a drop-out, over all devices; above it nothing more is delayed.
  static constexpr size_t kMaxDelayed = 1'000'000;

  // `file` outlives it. Event time begins at `start_us`.
  MessageSource(const Profile& profile, const RecordFile& file, int64_t start_us);

  // Passes over everything due before `due_us`: to go on where an earlier run stopped.
  void skip_until(int64_t due_us);
  // False at the end (never with Profile::loop). Reuses the memory of `action`.
  bool next(Action& action);
  // When the next action is due, without taking it.
  [[nodiscard]] std::optional<int64_t> next_due_us() const;
  [[nodiscard]] const FaultCounts& faults() const { return counts_; }

 private:
  struct Device {
    io::SeededRandom random;
    size_t record = 0;   // the next one in the file
    int64_t lap_us = 0;  // added to the file's times so that they continue where the device is
    size_t left = 0;     // records until the end; unused with loop
    uint64_t sequence = 0;
    int64_t skew_us = 0;
    int64_t offline_until_us = 0;
  };
  // At one moment a device connects, sends what it has kept, and only then measures.
  enum class Step : uint8_t { kConnect, kSend, kRecord };
  struct Entry {
    int64_t due_us = 0;
    uint64_t order = 0;  // breaks ties of due_us and step in the order of making
    Step step = Step::kRecord;
    bool duplicate = false;
    uint32_t device = 0;
    uint32_t record = 0;
    int64_t event_us = 0;
    uint64_t sequence = 0;
    bool operator>(const Entry& other) const {
      return std::tie(due_us, step, order) > std::tie(other.due_us, other.step, other.order);
    }
  };

  void add_device(uint32_t index, int64_t start_us, int64_t shift_us);
  void schedule_next_record(uint32_t index);
  void push(Entry entry);
  // Decides what becomes of a record that was measured now; true if `action` is what happens at once.
  bool measure(const Entry& entry, Action& action);
  void send_later(Entry entry, int64_t due_us, bool duplicate);
  void fill_publish(const Entry& entry, Action& action) const;
  [[nodiscard]] bool chance(Device& device, double share) const { return share > 0 && device.random.unit() < share; }

  const Profile profile_;
  const RecordFile& file_;
  std::vector<Device> devices_;
  std::vector<std::string> heads_;  // `{"meter":"meter-01","ts":`, by device
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  uint64_t next_order_ = 0;
  FaultCounts counts_;
};

}  // namespace tidegate::sim
