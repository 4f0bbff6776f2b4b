// The devices that a gateway speaks for: names and patterns of names ('*' any run of characters, '?' one).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"

namespace tidegate::security {

inline constexpr size_t kMaxScopePatterns = 1000;  // gone through for each device that a connection first speaks for
inline constexpr size_t kMaxPatternBytes = 256;

// BadRequest: none, too many, empty or too long.
[[nodiscard]] Result<> check_scope(const std::vector<std::string>& patterns);

// Any thread. Principals of open connections hold it, so that a change reaches them.
class DeviceScope {
 public:
  explicit DeviceScope(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}
  [[nodiscard]] bool takes(std::string_view device) const;
  // Counts up with every change: answers that were kept are worth nothing then.
  [[nodiscard]] uint64_t version() const { return version_.load(std::memory_order_acquire); }
  void set(std::vector<std::string> patterns) {
    *patterns_.lock() = std::move(patterns);
    version_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] std::vector<std::string> patterns() const { return *patterns_.lock(); }

 private:
  std::atomic<uint64_t> version_{1};
  Guarded<std::vector<std::string>> patterns_;
};

}  // namespace tidegate::security
