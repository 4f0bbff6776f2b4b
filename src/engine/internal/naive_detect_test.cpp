// What naive_detect.h declares.
#include "engine/internal/naive_detect.h"

#include <algorithm>
#include <cmath>

namespace tidegate::engine {

void NaiveDetect::epoch(const std::vector<Reading>& readings, int64_t clock_us) {
  for (const Reading& reading : readings) {
    DeviceState& device = devices_[reading.device];
    device.last_seen_us = clock_us;
    const int64_t time = reading.time_us;
    if (!reading.timed || time < device.watermark) {
      late.push_back(fmt::format("{}|{}|{}", reading.device, reading.timed ? fmt::format("{}", time / 1000) : "-",
                                 reading.valued ? fmt::format("{:.6f}", reading.value) : "-"));
      continue;
    }
    device.waiting.emplace(time, reading);
    device.watermark = std::max(device.watermark, time - stream_.watermark_delay_us);
    let_out(reading.device, device, device.watermark);
  }
  for (auto& [name, device] : devices_) {
    const int64_t silence_us = clock_us - device.last_seen_us;
    if (silence_us >= stream_.watermark_delay_us && !device.waiting.empty()) {
      device.watermark = std::max(device.watermark, device.waiting.rbegin()->first);
      let_out(name, device, device.watermark);
    }
    look(name, device, device.watermark + silence_us);
  }
}

void NaiveDetect::let_out(const std::string& name, DeviceState& device, int64_t until) {
  while (!device.waiting.empty() && device.waiting.begin()->first <= until) {
    const Reading reading = device.waiting.begin()->second;
    device.waiting.erase(device.waiting.begin());
    if (rule_.value_column && (!reading.valued || !std::isfinite(reading.value))) continue;
    int64_t time = reading.time_us;
    if (!device.points.empty()) time = std::max(time, device.points.back().time);
    if (!device.found.empty()) time = std::max(time, device.found.back().at);
    device.points.push_back({time, reading.value});
    look(name, device, time);
  }
  look(name, device, until);
}

void NaiveDetect::look(const std::string& name, DeviceState& device, int64_t passed) {
  const std::vector<Found> all = search(device, passed);
  for (size_t at = device.found.size(); at < all.size(); ++at) {
    const Found& found = all[at];
    device.found.push_back(found);
    results.push_back(fmt::format("{}|{}|{}|{}|{}|{}", name, found.raised ? "raised" : "cleared", found.value,
                                  found.at / 1000, found.raised_at / 1000, (found.at - found.since) / 1000));
  }
}

std::vector<NaiveDetect::Found> NaiveDetect::search(const DeviceState& device, int64_t passed) const {
  const std::vector<Point>& points = device.points;
  switch (rule_.kind) {
    case sql::DetectKind::kThreshold: return thresholds(points, passed);
    case sql::DetectKind::kChange: return changes(points, passed);
    case sql::DetectKind::kStuck: return stuck(points);
    case sql::DetectKind::kMissing: return gaps(points, passed, device.found);
    case sql::DetectKind::kCount: return counts(points, passed);
  }
  return {};
}

namespace {

std::string number(double value) { return fmt::format("{:.6f}", value); }

}  // namespace

std::vector<NaiveDetect::Found> NaiveDetect::thresholds(const std::vector<Point>& points, int64_t passed) const {
  const auto outside = [&](double v) { return v > *rule_.above || (rule_.below && v < *rule_.below); };
  const auto inside = [&](double v) { return v < *rule_.clear_below && (!rule_.below || v >= *rule_.below); };
  std::vector<Found> all;
  for (size_t at = 0; at < points.size(); ++at) {
    const Point& point = points[at];
    if (!all.empty() && all.back().raised) {
      const Found last = all.back();
      if (inside(point.value)) all.push_back({false, number(point.value), point.time, last.at, last.since});
      continue;
    }
    if (!outside(point.value)) continue;
    // Back to where this run outside began, after the latest alert.
    size_t first = at;
    while (first > 0 && outside(points[first - 1].value)) --first;
    const int64_t due = points[first].time + rule_.for_us;
    const bool last = at + 1 == points.size();
    const int64_t until = last ? passed : points[at + 1].time;
    const bool holds_until_next = !last && due == until && !outside(points[at + 1].value);
    if (due <= point.time || due < until || holds_until_next) {
      all.push_back({true, number(point.value), std::max(due, points[first].time), due, points[first].time});
    }
  }
  return all;
}

std::vector<NaiveDetect::Found> NaiveDetect::changes(const std::vector<Point>& points, int64_t passed) const {
  std::vector<Found> all;
  for (size_t at = 0; at < points.size(); ++at) {
    const Point& point = points[at];
    size_t from = 0;
    while (points[from].time < point.time - rule_.for_us) ++from;
    if (points[from].time < point.time) {
      const double rate = (point.value - points[from].value) /
                          (static_cast<double>(point.time - points[from].time) / static_cast<double>(rule_.per_us));
      const bool fast = rate > *rule_.above || rate < *rule_.below;
      const bool is_raised = !all.empty() && all.back().raised;
      if (fast && !is_raised) all.push_back({true, number(rate), point.time, point.time, points[from].time});
      if (!fast && is_raised) {
        const Found last = all.back();
        all.push_back({false, number(rate), point.time, last.at, last.since});
      }
    }
    const int64_t next = at + 1 < points.size() ? points[at + 1].time : passed;
    if (!all.empty() && all.back().raised && point.time + rule_.for_us < next) {
      const Found last = all.back();
      all.push_back({false, "-", point.time + rule_.for_us, last.at, last.since});
    }
  }
  return all;
}

std::vector<NaiveDetect::Found> NaiveDetect::stuck(const std::vector<Point>& points) const {
  std::vector<Found> all;
  for (size_t first = 0; first < points.size();) {
    size_t end = first;
    bool out = false;
    for (; end < points.size() && std::abs(points[end].value - points[first].value) <= rule_.tolerance; ++end) {
      if (out || points[end].time - points[first].time < rule_.for_us) continue;
      out = true;
      all.push_back({true, number(points[end].value), points[end].time, points[end].time, points[first].time});
    }
    if (out && end < points.size()) {
      all.push_back({false, number(points[end].value), points[end].time, all.back().at, points[first].time});
    }
    first = end;
  }
  return all;
}

// `out`: what was found before, by the clock.
std::vector<NaiveDetect::Found> NaiveDetect::gaps(const std::vector<Point>& points, int64_t passed,
                                                  const std::vector<Found>& out) const {
  std::vector<Found> all;
  for (size_t at = 0; at < points.size(); ++at) {
    const int64_t time = points[at].time;
    const int64_t due = time + rule_.for_us;
    const bool last = at + 1 == points.size();
    const bool may_be_out = last || points[at + 1].time >= due;
    const bool is_out = may_be_out && all.size() < out.size() && out[all.size()].raised && out[all.size()].at == due;
    const bool is_due = due < (last ? passed : points[at + 1].time);
    if (is_due || is_out) all.push_back({true, "-", due, due, time});
    if ((is_due || is_out) && !last) {
      all.push_back({false, "-", points[at + 1].time, all.back().at, all.back().since});
    }
  }
  return all;
}

std::vector<NaiveDetect::Found> NaiveDetect::counts(const std::vector<Point>& points, int64_t passed) const {
  std::vector<Found> all;
  const auto within = [&](size_t up_to, int64_t now) {
    return std::count_if(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(up_to),
                         [&](const Point& point) { return point.time > now - rule_.for_us; });
  };
  for (size_t at = 0; at < points.size(); ++at) {
    const bool is_raised = !all.empty() && all.back().raised;
    if (!is_raised && within(at + 1, points[at].time) >= rule_.times) {
      const Point& first = points[at + 1 - static_cast<size_t>(rule_.times)];
      all.push_back({true, number(static_cast<double>(rule_.times)), points[at].time, points[at].time, first.time});
    }
    if (all.empty() || !all.back().raised) continue;
    // The first time at which there are fewer.
    const bool last = at + 1 == points.size();
    for (size_t gone = 0; gone <= at; ++gone) {
      const int64_t end = points[gone].time + rule_.for_us;
      if (end < points[at].time || within(at + 1, end) >= rule_.times) continue;
      if (last ? end >= passed : end > points[at + 1].time) break;
      const auto left = static_cast<double>(within(at + 1, end));
      all.push_back({false, number(left), end, all.back().at, all.back().since});
      break;
    }
  }
  return all;
}

}  // namespace tidegate::engine
