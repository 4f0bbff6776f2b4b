#include "detect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tidegate::queries {

namespace {

std::string interval(int64_t ms) { return fmt::format("INTERVAL '{}.{:03}' SECOND", ms / 1000, ms % 1000); }

std::string argument(const char* name, const std::optional<double>& value) {
  return value ? fmt::format(", {} => {}", name, *value) : "";
}

int64_t some_duration(Random& random) {
  return random.one_in(2) ? random.between(1, 30) * 1000 : random.between(1, 30'000);
}

// Limits among the values, so far apart that what clears an alert lies in between.
Detection some_threshold(Random& random, int64_t spread) {
  Detection made;
  made.for_ms = random.one_in(3) ? 0 : some_duration(random);
  const int64_t halves = random.between(4, 3 * spread);
  const double low = static_cast<double>(random.between(-2 * spread, spread / 2)) * 0.5;
  const double high = low + static_cast<double>(halves) * 0.5;
  const auto inwards = [&] { return static_cast<double>(random.between(0, halves / 2 - 1)) * 0.5; };
  if (!random.one_in(3)) made.above = high;
  if (!made.above || random.one_in(3)) made.below = low;
  if (made.above && random.one_in(2)) made.clear_below = high - inwards();
  if (made.below && random.one_in(2)) made.clear_above = low + inwards();
  return made;
}

}  // namespace

std::string Detection::sql(const std::string& on) const {
  const std::string of = on.empty() ? "" : fmt::format(", ON => DESCRIPTOR({})", on);
  const std::string lasting = ", FOR => " + interval(for_ms);
  const std::string within = ", WITHIN => " + interval(for_ms);
  switch (kind) {
    case DetectKind::kThreshold:
      return of + argument("ABOVE", above) + argument("BELOW", below) + argument("CLEAR_BELOW", clear_below) +
             argument("CLEAR_ABOVE", clear_above) + (for_ms > 0 ? lasting : "");
    case DetectKind::kChange:
      return of + argument("RISE", above) + (below ? argument("FALL", -*below) : "") + ", PER => " + interval(per_ms) +
             within;
    case DetectKind::kStuck: return of + (tolerance > 0 ? fmt::format(", TOLERANCE => {}", tolerance) : "") + lasting;
    case DetectKind::kMissing: return of + lasting;
    case DetectKind::kCount: return of + fmt::format(", TIMES => {}", times) + within;
  }
  return "";
}

Detection some_detection(Random& random, int64_t spread) {
  static const std::vector<DetectKind> kKinds = {DetectKind::kThreshold, DetectKind::kThreshold, DetectKind::kChange,
                                                 DetectKind::kStuck,     DetectKind::kMissing,   DetectKind::kCount};
  const DetectKind kind = random.one_of(kKinds);
  if (kind == DetectKind::kThreshold) return some_threshold(random, spread);
  Detection made;
  made.kind = kind;
  made.for_ms = some_duration(random);
  made.times = static_cast<size_t>(random.between(1, 4));
  made.tolerance = random.one_in(3) ? 0 : static_cast<double>(random.between(1, 2 * spread)) * 0.5;
  if (kind == DetectKind::kChange) {
    made.per_ms = random.between(1, 60) * 1000;
    const auto rate = [&] { return static_cast<double>(random.between(1, 4 * spread * random.between(1, 5))) * 0.5; };
    if (!random.one_in(3)) made.above = rate();
    if (!made.above || random.one_in(2)) made.below = -rate();
  }
  return made;
}

bool Watch::outside(double value) const {
  return (what_.above && value > *what_.above) || (what_.below && value < *what_.below);
}

// Below CLEAR_BELOW and above CLEAR_ABOVE; without these, back at the limits.
bool Watch::clears(double value) const {
  if (what_.above && (what_.clear_below ? value >= *what_.clear_below : value > *what_.above)) return false;
  return !what_.below || (what_.clear_above ? value > *what_.clear_above : value >= *what_.below);
}

void Watch::raise(int64_t at, Value value, int64_t since) {
  alerts_.push_back({true, std::move(value), at, at, since});
}

void Watch::clear(int64_t at, Value value) {
  const Alert last = alerts_.back();
  alerts_.push_back({false, std::move(value), at, last.raised_at, last.since});
}

// When the readings up to the latest have begun to be outside.
int64_t Watch::outside_since() const {
  size_t first = points_.size() - 1;
  while (first > 0 && outside(points_[first - 1].value)) --first;
  return points_[first].time;
}

// Readings of the last WITHIN.
size_t Watch::within(int64_t now) const {
  return static_cast<size_t>(
      std::ranges::count_if(points_, [&](const Point& point) { return point.time > now - what_.for_ms; }));
}

void Watch::reading(int64_t time, double value) {
  // What comes for a time that is decided on counts as of then.
  if (!points_.empty()) time = std::max(time, points_.back().time);
  if (!alerts_.empty()) time = std::max(time, alerts_.back().at);
  const Point point{time, value};
  switch (what_.kind) {
    case DetectKind::kThreshold: return threshold(point);
    case DetectKind::kChange: return change(point);
    case DetectKind::kStuck: return stuck(point);
    case DetectKind::kMissing: return missing(point);
    case DetectKind::kCount: return count(point);
  }
}

void Watch::until(int64_t time) {
  if (points_.empty()) return;
  const Point last = points_.back();
  switch (what_.kind) {
    case DetectKind::kThreshold: {
      if (raised() || !outside(last.value)) return;
      const int64_t due = outside_since() + what_.for_ms;
      if (due < time) raise(due, last.value, outside_since());
      return;
    }
    case DetectKind::kChange:
      if (!raised() || last.time + what_.for_ms >= time) return;
      clear(last.time + what_.for_ms, {});
      points_.clear();  // it begins anew
      return;
    case DetectKind::kStuck: return;
    case DetectKind::kMissing:
      if (!raised() && last.time + what_.for_ms < time) raise(last.time + what_.for_ms, {}, last.time);
      return;
    case DetectKind::kCount: {
      if (!raised()) return;
      const int64_t end = points_[points_.size() - what_.times].time + what_.for_ms;
      if (end < time) clear(end, static_cast<double>(within(end)));
      return;
    }
  }
}

void Watch::threshold(const Point& point) {
  // It has lasted long enough also if the value comes back at that very moment.
  until(outside(point.value) ? point.time : point.time + 1);
  points_.push_back(point);
  if (!raised()) return until(point.time + 1);
  if (clears(point.value)) clear(point.time, point.value);
}

void Watch::change(const Point& point) {
  until(point.time);
  points_.push_back(point);
  const auto from =
      std::ranges::find_if(points_, [&](const Point& other) { return other.time >= point.time - what_.for_ms; });
  if (from->time == point.time) return;
  const double rate =
      (point.value - from->value) / (static_cast<double>(point.time - from->time) / static_cast<double>(what_.per_ms));
  if (outside(rate) && !raised()) return raise(point.time, rate, from->time);
  if (!outside(rate) && raised()) clear(point.time, rate);
}

void Watch::stuck(const Point& point) {
  if (points_.empty() || std::abs(point.value - points_.front().value) > what_.tolerance) {
    if (raised()) clear(point.time, point.value);
    points_ = {point};
    return;
  }
  points_.push_back(point);
  if (!raised() && point.time - points_.front().time >= what_.for_ms) {
    raise(point.time, point.value, points_.front().time);
  }
}

void Watch::missing(const Point& point) {
  until(point.time);
  if (raised()) clear(point.time, {});
  points_.push_back(point);
}

void Watch::count(const Point& point) {
  until(point.time + 1);
  points_.push_back(point);
  if (raised() || within(point.time) < what_.times) return;
  raise(point.time, static_cast<double>(within(point.time)), points_[points_.size() - what_.times].time);
}

}  // namespace tidegate::queries
