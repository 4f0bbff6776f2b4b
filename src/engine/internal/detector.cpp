#include "engine/internal/detector.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/internal/window_math.h"

namespace tidegate::engine {

using sql::Detect;
using sql::DetectKind;

namespace {

// Outside of the limits: of values, or of a change.
bool outside(const Detect& rule, double value) {
  return (rule.above && value > *rule.above) || (rule.below && value < *rule.below);
}

// Well enough inside for an alert to end.
bool clears(const Detect& rule, double value) {
  const bool high_enough = !rule.below || (rule.clear_above ? value > *rule.clear_above : value >= *rule.below);
  const bool low_enough = !rule.above || (rule.clear_below ? value < *rule.clear_below : value <= *rule.above);
  return high_enough && low_enough;
}

}  // namespace

bool leaves_blank(const Detect& rule, double value) {
  return rule.kind == DetectKind::kThreshold && !outside(rule, value);
}

void Detector::reading(const Detect& rule, int64_t time_us, double value, Alerts& out) {
  time_us = std::max(time_us, time_us_);
  switch (rule.kind) {
    case DetectKind::kThreshold: threshold(rule, time_us, value, out); break;
    case DetectKind::kChange: change(rule, time_us, value, out); break;
    case DetectKind::kStuck: stuck(rule, time_us, value, out); break;
    case DetectKind::kMissing: missing(rule, time_us, out); break;
    case DetectKind::kCount: count(rule, time_us, out); break;
  }
  time_us_ = time_us;
}

void Detector::pass(const Detect& rule, int64_t time_us, Alerts& out) {
  if (deadline_us_ >= time_us) return;
  const int64_t at_us = deadline_us_;
  deadline_us_ = kNoDeadline;
  time_us_ = std::max(time_us_, at_us);
  switch (rule.kind) {
    case DetectKind::kThreshold: return raise(at_us, value_, out);
    case DetectKind::kMissing: return raise(at_us, std::nullopt, out);
    case DetectKind::kChange:
      readings_.clear();
      first_ = 0;
      return clear(at_us, std::nullopt, out);
    case DetectKind::kCount:
      forget_until(at_us - rule.for_us);
      return clear(at_us, static_cast<double>(remembered()), out);
    case DetectKind::kStuck: return;  // silence is no reading
  }
}

void Detector::threshold(const Detect& rule, int64_t time_us, double value, Alerts& out) {
  const bool is_outside = outside(rule, value);
  if (phase_ == Phase::kPending && !is_outside && deadline_us_ == time_us) pass(rule, time_us + 1, out);
  pass(rule, time_us, out);
  value_ = value;
  if (phase_ == Phase::kRaised) {
    if (clears(rule, value)) clear(time_us, value, out);
  } else if (!is_outside) {
    phase_ = Phase::kCalm;
    deadline_us_ = kNoDeadline;
  } else if (phase_ == Phase::kCalm) {
    phase_ = Phase::kPending;
    since_us_ = time_us;
    deadline_us_ = time_us + rule.for_us;
  }
  if (deadline_us_ <= time_us) pass(rule, time_us + 1, out);
}

// Against the oldest reading that is no older than the window.
void Detector::change(const Detect& rule, int64_t time_us, double value, Alerts& out) {
  pass(rule, time_us, out);
  forget_until(time_us - rule.for_us - 1);
  if (remembered() > 0 && readings_[first_].time_us < time_us) {
    const Reading& from = readings_[first_];
    const double periods = static_cast<double>(time_us - from.time_us) / static_cast<double>(rule.per_us);
    const double rate = (value - from.value) / periods;
    const bool too_fast = outside(rule, rate);
    if (too_fast && phase_ != Phase::kRaised) {
      since_us_ = from.time_us;
      raise(time_us, rate, out);
    } else if (!too_fast && phase_ == Phase::kRaised) {
      clear(time_us, rate, out);
    }
  }
  readings_.push_back({time_us, value});
  if (remembered() > kMaxDetectorReadings) ++first_;
  if (phase_ == Phase::kRaised) deadline_us_ = time_us + rule.for_us;
}

void Detector::stuck(const Detect& rule, int64_t time_us, double value, Alerts& out) {
  const bool moved = time_us_ == kNoTime || phase_ == Phase::kCalm || std::abs(value - value_) > rule.tolerance;
  if (moved) {
    if (phase_ == Phase::kRaised) clear(time_us, value, out);
    value_ = value;
    since_us_ = time_us;
    phase_ = Phase::kPending;
  } else if (phase_ == Phase::kPending && time_us - since_us_ >= rule.for_us) {
    raise(time_us, value, out);
  }
}

void Detector::missing(const Detect& rule, int64_t time_us, Alerts& out) {
  pass(rule, time_us, out);
  if (phase_ == Phase::kRaised) clear(time_us, std::nullopt, out);
  phase_ = Phase::kPending;
  since_us_ = time_us;
  deadline_us_ = time_us + rule.for_us;
}

void Detector::count(const Detect& rule, int64_t time_us, Alerts& out) {
  pass(rule, time_us + 1, out);
  forget_until(time_us - rule.for_us);
  readings_.push_back({time_us, 0});
  const auto times = static_cast<size_t>(rule.times);
  if (remembered() > times) ++first_;
  if (remembered() < times) return;
  since_us_ = phase_ == Phase::kRaised ? since_us_ : readings_[first_].time_us;
  if (phase_ != Phase::kRaised) raise(time_us, static_cast<double>(times), out);
  deadline_us_ = readings_[first_].time_us + rule.for_us;
}

void Detector::raise(int64_t at_us, std::optional<double> value, Alerts& out) {
  phase_ = Phase::kRaised;
  deadline_us_ = kNoDeadline;
  raised_at_us_ = at_us;
  out.push_back({true, value, at_us, raised_at_us_, since_us_});
}

void Detector::clear(int64_t at_us, std::optional<double> value, Alerts& out) {
  phase_ = Phase::kCalm;
  deadline_us_ = kNoDeadline;
  out.push_back({false, value, at_us, raised_at_us_, since_us_});
}

// Readings at or before it. What is forgotten is given back once it is more than half.
void Detector::forget_until(int64_t time_us) {
  while (first_ < readings_.size() && readings_[first_].time_us <= time_us) ++first_;
  if (first_ * 2 < readings_.size()) return;
  readings_.erase(readings_.begin(), readings_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

void Detector::write(ByteWriter& out) const {
  out.fixed(static_cast<uint8_t>(phase_));
  out.zigzag(time_us_);
  out.zigzag(since_us_);
  out.zigzag(raised_at_us_);
  out.zigzag(deadline_us_);
  out.fixed(std::bit_cast<uint64_t>(value_));
  out.varint(remembered());
  for (size_t at = first_; at < readings_.size(); ++at) {
    out.zigzag(readings_[at].time_us - (at == first_ ? 0 : readings_[at - 1].time_us));
    out.fixed(std::bit_cast<uint64_t>(readings_[at].value));
  }
}

bool Detector::read(ByteReader& in) {
  const auto phase = in.fixed<uint8_t>();
  phase_ = static_cast<Phase>(phase);
  time_us_ = in.zigzag();
  since_us_ = in.zigzag();
  raised_at_us_ = in.zigzag();
  deadline_us_ = in.zigzag();
  value_ = std::bit_cast<double>(in.fixed<uint64_t>());
  const uint64_t count = in.varint();
  if (!in.ok() || phase > static_cast<uint8_t>(Phase::kRaised) || count > kMaxDetectorReadings) return false;
  const auto far = [](int64_t time_us) { return !usable_time(time_us); };
  if (far(time_us_) || far(since_us_) || far(raised_at_us_) || deadline_us_ < -kFarTime || deadline_us_ > kNoDeadline) {
    return false;
  }
  int64_t time_us = 0;
  for (uint64_t at = 0; at < count; ++at) {
    const int64_t step = in.zigzag();
    const double value = std::bit_cast<double>(in.fixed<uint64_t>());
    if (!in.ok() || (at > 0 && step < 0) || far(step)) return false;
    time_us += step;
    if (far(time_us)) return false;
    readings_.push_back({time_us, value});
  }
  return true;
}

}  // namespace tidegate::engine
