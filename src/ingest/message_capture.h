// MessageCapture: shows somebody the next messages on some topics, streams or not, as they came.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::ingest {

struct CapturedMessage {
  std::string topic;
  std::string payload;
};

// Any thread. Costs a publication one look at an atomic while nobody captures.
class MessageCapture {
 public:
  static constexpr size_t kMaxMessages = 1000;       // of one capture: a person reads some
  static constexpr size_t kMaxBytes = 8U << 20;      // of one capture, or a flood would fill the memory
  static constexpr int64_t kMaxWaitUs = 50'000'000;  // clients wait a minute for an answer

  // Waits until so many messages came on the topic filter (MQTT wildcards), or the time is over: what there is by then.
  // BadRequest for a filter or a limit that cannot be; LimitReached while another capture is under way; ShuttingDown.
  [[nodiscard]] Result<std::vector<CapturedMessage>> collect(std::string_view filter, size_t messages, int64_t wait_us);
  // Called with every message that a sender may publish.
  void offer(std::string_view topic, std::string_view payload) {
    if (active_.load(std::memory_order_relaxed)) take(topic, payload);
  }
  // Ends the wait of a capture under way; later ones are refused.
  void stop();

 private:
  void take(std::string_view topic, std::string_view payload);

  std::atomic<bool> active_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  // What follows belongs to mutex_.
  std::string filter_;
  size_t wanted_ = 0;
  size_t bytes_ = 0;
  bool full_ = false;
  bool stopped_ = false;
  std::vector<CapturedMessage> messages_;
};

}  // namespace tidegate::ingest
