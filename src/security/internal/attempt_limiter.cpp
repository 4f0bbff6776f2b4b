#include "security/internal/attempt_limiter.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidegate::security {

Result<> AttemptLimiter::check(std::string_view account) const {
  const auto accounts = accounts_.lock();
  const auto found = accounts->find(std::string(account));
  if (found == accounts->end()) return {};
  const int64_t wait_us = found->second.until_us - clock_.monotonic_us();
  if (wait_us <= 0) return {};
  return fail(ErrorCode::NotAuthenticated, fmt::format("too many wrong attempts for '{}'", account),
              fmt::format("try again in {} s", (wait_us + 999'999) / 1'000'000));
}

void AttemptLimiter::failed(std::string_view account) {
  const int64_t now_us = clock_.monotonic_us();
  auto accounts = accounts_.lock();
  if (accounts->size() >= kMaxAccounts) {
    std::erase_if(*accounts, [&](const auto& entry) { return entry.second.until_us <= now_us; });
    if (accounts->size() >= kMaxAccounts) return;
  }
  Attempts& attempts = (*accounts)[std::string(account)];
  ++attempts.failures;
  if (attempts.failures < kFreeAttempts) return;
  const int doublings = std::min(attempts.failures - kFreeAttempts, 20);
  attempts.until_us = now_us + std::min(kLongestWaitUs, int64_t{1'000'000} << doublings);
}

void AttemptLimiter::succeeded(std::string_view account) { accounts_.lock()->erase(std::string(account)); }

}  // namespace tidegate::security
