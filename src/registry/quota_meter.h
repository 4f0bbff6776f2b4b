// Measures what one device or gateway sends against its quota.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "io/clock.h"
#include "registry/quota.h"

namespace tidegate::registry {

enum class QuotaVerdict : uint8_t { kTaken, kMessages, kBytes, kPayload, kConnections };
inline constexpr size_t kQuotaVerdicts = 5;

struct QuotaAnswer {
  QuotaVerdict verdict = QuotaVerdict::kTaken;
  int64_t wait_us = 0;  // of kMessages and kBytes: until the same would be taken
};

// QuotaExceeded (RecordTooLarge for kPayload) that names the sender and what is used up.
[[nodiscard]] Error over_quota_error(std::string_view subject, const QuotaAnswer& answer);

// What became of messages and connections that were not taken.
struct QuotaCounts {
  std::array<uint64_t, kQuotaVerdicts> refused{};  // by verdict; the sender was told
  uint64_t dropped = 0;                            // QoS 0
  uint64_t held = 0;                               // MQTT 3.1.1: times that reading was put off
};
struct QuotaTotals {
  std::array<std::atomic<uint64_t>, kQuotaVerdicts> refused{};
  std::atomic<uint64_t> dropped{0};
  std::atomic<uint64_t> held{0};
};

// What meters ask, whose answers change with quotas, devices and places. Any thread.
class QuotaRules {
 public:
  virtual ~QuotaRules() = default;
  // False: nothing is limited for anybody, and meters do not measure.
  [[nodiscard]] bool any() const { return any_.load(std::memory_order_relaxed); }
  // Counts up when answers of limits_of() may have changed.
  [[nodiscard]] virtual uint64_t version() const = 0;
  // `subject` is "device:NAME" or "gateway:NAME".
  [[nodiscard]] virtual EffectiveQuota effective(std::string_view subject) const = 0;
  [[nodiscard]] QuotaTotals& totals() { return totals_; }

 protected:
  std::atomic<bool> any_{false};

 private:
  QuotaTotals totals_;
};

// Any thread: the connections of a device may belong to several, and HTTP to another.
class QuotaMeter {
 public:
  // `rules` and `clock` outlive it.
  QuotaMeter(QuotaRules& rules, const io::Clock& clock, std::string subject)
      : rules_(rules), clock_(clock), subject_(std::move(subject)) {}

  // Counts a message, if it is within the quota. No more than two reads of memory while nothing limits the sender.
  [[nodiscard]] QuotaAnswer take(size_t payload_bytes) {
    if (!rules_.any() || unlimited_at_.load(std::memory_order_acquire) == rules_.version()) return {};
    return take_limited(payload_bytes);
  }
  // Counts a connection until disconnect(). `replaces`: one that is open ends with it, so it is always taken.
  [[nodiscard]] bool connect(bool replaces);
  void disconnect();

  void refused(QuotaVerdict verdict);
  void dropped();
  void held();

  [[nodiscard]] const std::string& subject() const { return subject_; }
  [[nodiscard]] QuotaCounts counts() const { return state_.lock()->counts; }
  [[nodiscard]] uint32_t connections() const { return state_.lock()->connections; }
  // It measures nothing that a new one would not measure alike.
  [[nodiscard]] bool is_idle() const;

 private:
  // Tokens come at a rate up to a capacity. What is larger than the capacity passes when it is full, and is owed.
  struct Bucket {
    double rate = 0;  // 0: no limit
    double capacity = 0;
    double tokens = 0;

    void set(std::optional<double> per_s, double burst_s, double least_capacity);
    void refill(double elapsed_s);
    [[nodiscard]] double missing(double wanted) const;
  };
  struct State {
    uint64_t version = 0;
    Bucket messages;
    Bucket bytes;
    std::optional<double> payload_bytes;
    std::optional<double> connections_limit;
    int64_t refilled_us = 0;
    uint32_t connections = 0;
    QuotaCounts counts;
  };

  QuotaAnswer take_limited(size_t payload_bytes);
  void learn(State& state);

  QuotaRules& rules_;
  const io::Clock& clock_;
  const std::string subject_;
  std::atomic<uint64_t> unlimited_at_{0};  // the rules' version at which no rate and no size is limited; 0: none
  Guarded<State> state_;
};

}  // namespace tidegate::registry
