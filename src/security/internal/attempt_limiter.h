// Slows down guessing: after five wrong attempts in a row an account waits 1 s, then 2, 4, ... up to 5 minutes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/guarded.h"
#include "io/clock.h"

namespace tidegate::security {

// Any thread.
class AttemptLimiter {
 public:
  explicit AttemptLimiter(const io::Clock& clock) : clock_(clock) {}

  // NotAuthenticated, with the time to wait, while the account is held back. The answer is the same whether the account
  // exists or not.
  [[nodiscard]] Result<> check(std::string_view account) const;
  void failed(std::string_view account);
  void succeeded(std::string_view account);

  static constexpr int kFreeAttempts = 5;
  static constexpr int64_t kLongestWaitUs = 300'000'000;
  // Accounts remembered; made-up names must not fill the memory. When full, the ones whose wait is over are forgotten,
  // and if there are none new names go uncounted: guessing at many names at once hits the connection limits instead.
  static constexpr size_t kMaxAccounts = 10'000;

 private:
  struct Attempts {
    int failures = 0;
    int64_t until_us = 0;  // monotonic
  };
  const io::Clock& clock_;
  Guarded<std::unordered_map<std::string, Attempts>> accounts_;
};

}  // namespace tidegate::security
