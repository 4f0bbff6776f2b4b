#include "registry/quota_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tidegate::registry {
namespace {

constexpr double kRounding = 1e-6;         // of a token: sums of fractions do not add up exactly
constexpr int64_t kForgetUs = 60'000'000;  // after a minute's silence a meter may go

std::optional<double> value_of(const EffectiveQuota& quota, QuotaLimit limit) {
  const auto& one = quota[static_cast<size_t>(limit)];
  return one ? std::optional(one->value) : std::nullopt;
}

}  // namespace

Error over_quota_error(std::string_view subject, const QuotaAnswer& answer) {
  switch (answer.verdict) {
    case QuotaVerdict::kPayload:
      return {ErrorCode::RecordTooLarge,
              fmt::format("the payload is larger than the quota of {} allows", subject),
              "send smaller messages, or have the quota raised",
              {}};
    case QuotaVerdict::kConnections:
      return {ErrorCode::QuotaExceeded,
              fmt::format("{} has as many connections as its quota allows", subject),
              "close one of them, or have the quota raised",
              {}};
    default:
      return {ErrorCode::QuotaExceeded,
              fmt::format("{} has used up its quota of {} per second", subject,
                          answer.verdict == QuotaVerdict::kBytes ? "bytes" : "messages"),
              fmt::format("send it again in {:.3f} s, or have the quota raised",
                          static_cast<double>(answer.wait_us) * 1e-6),
              {}};
  }
}

// A new limit begins with a full bucket.
void QuotaMeter::Bucket::set(std::optional<double> per_s, double burst_s, double least_capacity) {
  const bool is_new = rate == 0;
  rate = per_s.value_or(0);
  capacity = std::max(rate * burst_s, least_capacity);
  tokens = is_new ? capacity : std::min(tokens, capacity);
}

void QuotaMeter::Bucket::refill(double elapsed_s) { tokens = std::min(capacity, tokens + rate * elapsed_s); }

// Seconds until `wanted` passes.
double QuotaMeter::Bucket::missing(double wanted) const {
  const double needed = std::min(wanted, capacity);
  return rate == 0 || tokens >= needed - kRounding ? 0 : (needed - tokens) / rate;
}

void QuotaMeter::learn(State& state) {
  const uint64_t version = rules_.version();  // before the answer: what changes in between is asked for again
  if (state.version == version) return;
  const EffectiveQuota quota = rules_.effective(subject_);
  const double burst_s = value_of(quota, QuotaLimit::kBurst).value_or(kDefaultBurstS);
  state.messages.set(value_of(quota, QuotaLimit::kMessages), burst_s, 1);
  state.bytes.set(value_of(quota, QuotaLimit::kBytes), burst_s, 1);
  state.payload_bytes = value_of(quota, QuotaLimit::kPayload);
  state.connections_limit = value_of(quota, QuotaLimit::kConnections);
  state.version = version;
  const bool unlimited = state.messages.rate == 0 && state.bytes.rate == 0 && !state.payload_bytes;
  unlimited_at_.store(unlimited ? version : 0, std::memory_order_release);
}

QuotaAnswer QuotaMeter::take_limited(size_t payload_bytes) {
  const auto bytes = static_cast<double>(payload_bytes);
  auto state = state_.lock();
  learn(*state);
  if (state->payload_bytes && bytes > *state->payload_bytes) return {QuotaVerdict::kPayload, 0};
  const int64_t now_us = clock_.monotonic_us();
  const double elapsed_s = static_cast<double>(now_us - std::exchange(state->refilled_us, now_us)) * 1e-6;
  state->messages.refill(elapsed_s);
  state->bytes.refill(elapsed_s);
  const double messages_s = state->messages.missing(1);
  const double bytes_s = state->bytes.missing(bytes);
  if (messages_s == 0 && bytes_s == 0) {
    state->messages.tokens -= 1;
    state->bytes.tokens -= bytes;
    return {};
  }
  const double wait_s = std::max(messages_s, bytes_s);
  return {messages_s >= bytes_s ? QuotaVerdict::kMessages : QuotaVerdict::kBytes,
          static_cast<int64_t>(std::ceil(wait_s * 1e6 - kRounding))};
}

bool QuotaMeter::connect(bool replaces) {
  auto state = state_.lock();
  if (rules_.any()) {
    learn(*state);
  } else {
    state->connections_limit.reset();
    state->version = 0;
  }
  const bool room = !state->connections_limit || state->connections < *state->connections_limit;
  if (room || replaces) {
    ++state->connections;
    return true;
  }
  ++state->counts.refused[static_cast<size_t>(QuotaVerdict::kConnections)];
  ++rules_.totals().refused[static_cast<size_t>(QuotaVerdict::kConnections)];
  return false;
}

void QuotaMeter::disconnect() { --state_.lock()->connections; }

void QuotaMeter::refused(QuotaVerdict verdict) {
  ++state_.lock()->counts.refused[static_cast<size_t>(verdict)];
  ++rules_.totals().refused[static_cast<size_t>(verdict)];
}

void QuotaMeter::dropped() {
  ++state_.lock()->counts.dropped;
  ++rules_.totals().dropped;
}

void QuotaMeter::held() {
  ++state_.lock()->counts.held;
  ++rules_.totals().held;
}

bool QuotaMeter::is_idle() const {
  const auto state = state_.lock();
  const bool owes = state->messages.tokens < 0 || state->bytes.tokens < 0;
  return state->connections == 0 && !owes && clock_.monotonic_us() - state->refilled_us > kForgetUs;
}

}  // namespace tidegate::registry
