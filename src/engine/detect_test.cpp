// Detections against a reference that goes through all readings again each time, under many settings.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/internal/detector.h"
#include "engine/internal/naive_detect.h"
#include "io/random.h"

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

namespace {

using columnar::TypeKind;
using NodePtr = std::unique_ptr<sql::PlanNode>;
using StreamPtr = std::shared_ptr<const catalog::StreamDefinition>;  // as in the fixture

// DETECT...(TABLE stream PARTITION BY key, ON => DESCRIPTOR(value)) of the fixture's stream.
sql::Plan plan_of(const StreamPtr& stream, const sql::Detect& rule, size_t key) {
  auto scan = std::make_unique<sql::PlanNode>();
  scan->node = sql::Scan{stream, key == 0 ? std::vector<size_t>{0, 1, 2} : std::vector<size_t>{0, 1, 2, key}};
  columnar::Schema schema;
  for (const size_t column : std::get<sql::Scan>(scan->node).columns) {
    schema.fields.push_back(stream->schema->fields[column]);
  }
  scan->output = std::make_shared<columnar::Schema>(std::move(schema));
  scan->operator_id = "scan";
  sql::Detect detect = rule;
  detect.time_column = 1;
  detect.keys = {key == 0 ? size_t{0} : size_t{3}};
  detect.keyed_by_device = key == 0;
  detect.has_device_column = true;
  auto node = std::make_unique<sql::PlanNode>();
  node->output = std::make_shared<columnar::Schema>(columnar::Schema{{{"key", TypeKind::kString},
                                                                      {"event", TypeKind::kString, false},
                                                                      {"value", TypeKind::kDouble},
                                                                      {"event_time", TypeKind::kTimestampLtz},
                                                                      {"raised_at", TypeKind::kTimestampLtz},
                                                                      {"duration_ms", TypeKind::kBigint}}});
  node->node = std::move(detect);
  node->operator_id = "detect";
  node->inputs.push_back(std::move(scan));
  return {std::move(node)};
}

std::vector<sql::Detect> rules() {
  using enum sql::DetectKind;
  sql::Detect threshold{.kind = kThreshold, .value_column = 2, .above = 40, .clear_below = 30};
  sql::Detect lasting = threshold;
  lasting.for_us = 15 * kSecond;
  sql::Detect band = lasting;
  band.below = 5;
  const sql::Detect change{.kind = kChange,
                           .value_column = 2,
                           .above = 3,
                           .below = -5,
                           .for_us = 20 * kSecond,
                           .per_us = kSecond,
                           .ttl_us = 20 * kSecond};
  const sql::Detect stuck{.kind = kStuck, .value_column = 2, .tolerance = 25, .for_us = 10 * kSecond};
  const sql::Detect missing{.kind = kMissing, .for_us = 9 * kSecond};
  const sql::Detect missing_value{.kind = kMissing, .value_column = 2, .for_us = 20 * kSecond};
  const sql::Detect count{.kind = kCount, .for_us = 10 * kSecond, .times = 4, .ttl_us = 10 * kSecond};
  return {threshold, lasting, band, change, stuck, missing, missing_value, count};
}

struct Trouble {
  int threads = 1;
  size_t batch_rows = 8192;
  size_t read_rows = 1'000'000;
  bool disturbed = false;
};

struct Outcome {
  std::vector<std::string> results;
  std::vector<std::string> late;
  bool operator==(const Outcome&) const = default;
};

std::vector<Reading> some_readings(io::SeededRandom& random, int64_t& now_us) {
  std::vector<Reading> readings;
  const uint64_t rows = random.below(30);
  for (uint64_t i = 0; i < rows; ++i) {
    now_us += static_cast<int64_t>(random.below(600)) * 1000;
    const uint64_t device = random.below(6);
    // Now mostly high, now mostly low.
    const bool high = (now_us / (40 * kSecond) + static_cast<int64_t>(device)) % 2 == 0 && random.below(10) != 0;
    const uint64_t value = high ? 35 + random.below(15) : random.below(45);
    Reading reading{fmt::format("d{}", device), now_us, static_cast<double>(value)};
    if (random.below(8) == 0) reading.time_us -= static_cast<int64_t>(random.below(10'000)) * 1000;
    if (random.below(20) == 0) reading.valued = false;
    if (random.below(40) == 0) reading.timed = false;
    if (random.below(30) == 0) reading.value = std::numeric_limits<double>::quiet_NaN();
    readings.push_back(std::move(reading));
  }
  return readings;
}

// What the engine finds; `naive`, if given, goes through the same.
Outcome play(const sql::Detect& rule, size_t key, const Trouble& trouble, uint64_t seed, NaiveDetect* naive) {
  auto settings = readings_stream();
  settings->idle_timeout_us = 20 * kSecond;
  Bench bench(settings);
  bench.options.threads = trouble.threads;
  bench.options.max_batch_rows = trouble.batch_rows;
  bench.options.clean_stop = false;
  bench.options.snapshot_interval_us = 30 * kSecond;
  bench.log.max_read_rows = trouble.read_rows;
  io::SeededRandom random(seed);
  io::SeededRandom luck(seed + 1);
  int64_t now_us = 0;
  bench.start(plan_of(settings, rule, key));
  for (int push = 0; push < 60; ++push) {
    const std::vector<Reading> readings = some_readings(random, now_us);
    bench.append(readings);
    bench.clock.advance_us(static_cast<int64_t>(random.below(8)) * kSecond);
    if (random.below(10) == 0) bench.clock.advance_us(45 * kSecond);
    bench.run();
    if (naive != nullptr) naive->epoch(readings, bench.clock.now_us() - Bench::kStart);
    if (!trouble.disturbed || luck.below(3) != 0) continue;
    luck.below(2) == 0 ? bench.kill() : bench.stop();
    bench.options.threads = 1 + static_cast<int>(luck.below(4));
    bench.start(plan_of(settings, rule, key));
  }
  return {sorted(bench.results()), sorted(bench.late_rows())};
}

}  // namespace

TEST_CASE("detections find what a reference finds that looks at all readings again") {
  for (const sql::Detect& rule : rules()) {
    size_t total = 0;
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(static_cast<int>(rule.kind));
      CAPTURE(seed);
      const auto stream = readings_stream();
      NaiveDetect naive(*stream, rule);
      const Outcome found = play(rule, 0, {}, seed, &naive);
      total += found.results.size();
      CHECK(found.results == sorted(naive.results));
      CHECK(found.late == sorted(naive.late));
    }
    CHECK(total > 50);
  }
}

TEST_CASE("detections do not depend on batches, threads, kills and restarts") {
  for (const sql::Detect& each : rules()) {
    for (const size_t key : {size_t{0}, size_t{4}}) {
      sql::Detect rule = each;
      if (key != 0) rule.ttl_us = std::max(rule.ttl_us, 100 * kSecond);
      size_t total = 0;
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(static_cast<int>(rule.kind));
        CAPTURE(key);
        CAPTURE(seed);
        const Outcome expected = play(rule, key, {}, seed, nullptr);
        total += expected.results.size();
        CHECK(play(rule, key, {.batch_rows = 1}, seed, nullptr) == expected);
        CHECK(play(rule, key, {.threads = 4, .batch_rows = 7, .read_rows = 3}, seed, nullptr) == expected);
        CHECK(play(rule, key, {.batch_rows = 16, .read_rows = 5, .disturbed = true}, seed, nullptr) == expected);
      }
      CHECK(total > 0);
    }
  }
}

TEST_CASE("a detector's bytes are read back, and others are refused") {
  const sql::Detect rule{.kind = sql::DetectKind::kCount, .for_us = 10 * kSecond, .times = 3};
  Detector detector;
  Alerts alerts;
  for (int64_t second = 0; second < 4; ++second) detector.reading(rule, second * kSecond, 0, alerts);
  CHECK(alerts.size() == 1);
  std::string bytes;
  ByteWriter out(bytes);
  detector.write(out);
  for (size_t length = 0; length < bytes.size(); ++length) {
    ByteReader in(std::string_view(bytes).substr(0, length));
    CHECK(!Detector().read(in));
  }
  ByteReader in(bytes);
  Detector copy;
  REQUIRE(copy.read(in));
  CHECK(in.finished());
  Alerts of_copy;
  Alerts of_first;
  copy.pass(rule, 100 * kSecond, of_copy);
  detector.pass(rule, 100 * kSecond, of_first);
  CHECK(of_copy == of_first);
  CHECK(of_copy.size() == 1);
}

TEST_CASE("a partition remembers a bounded number of readings") {
  const sql::Detect rule{.kind = sql::DetectKind::kChange, .above = 1e9, .for_us = int64_t{1} << 40, .per_us = 1};
  Detector detector;
  Alerts alerts;
  for (int64_t at = 0; at < 100'000; ++at) detector.reading(rule, at, 0, alerts);
  CHECK(alerts.empty());
  CHECK(detector.memory_bytes() < 4 * kMaxDetectorReadings * 16);
}

}  // namespace tidegate::engine
