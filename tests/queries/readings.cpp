#include "readings.h"

#include <algorithm>
#include <set>

namespace tidegate::queries {

namespace {

constexpr int64_t kSpanMs = 120'000;

Value maybe(Random& random, Value value) { return random.one_in(5) ? Value() : std::move(value); }

Row make_reading(Random& random, int64_t time) {
  static const std::vector<std::string> kDevices = {"a", "b", "pump", "x1"};
  static const std::vector<std::string> kTexts = {"", "a", "b", "ab", "Ba", "abc", "aXc", "bb"};
  const int64_t number = random.one_in(4) ? random.between(-1000, 1000) : random.between(-5, 5);
  const double real = static_cast<double>(random.between(-400, 400)) * 0.25;
  return {random.one_of(kDevices),
          time,
          maybe(random, number),
          maybe(random, real == 0 ? 0.0 : real),
          maybe(random, random.one_of(kTexts)),
          maybe(random, random.one_in(2))};
}

}  // namespace

Readings make_readings(Random& random) {
  Readings out;
  std::set<int64_t> times;
  for (int64_t left = random.between(0, 80); left > 0; --left) {
    const int64_t offset = random.one_in(3) ? random.between(0, kSpanMs / 1000) * 1000 : random.between(0, kSpanMs);
    times.insert(kFirstMs + offset);
  }
  std::vector<std::pair<int64_t, Row>> arrivals;
  std::set<Value> devices;
  for (const int64_t time : times) {
    out.by_time.push_back(make_reading(random, time));
    arrivals.emplace_back(time + random.between(0, kDelayMs - 1), out.by_time.back());
    devices.insert(out.by_time.back()[kDevice]);
  }
  std::ranges::sort(arrivals, {}, [](const auto& arrival) { return arrival.first; });
  for (auto& [at, row] : arrivals) out.by_arrival.push_back(std::move(row));
  for (const Value& device : devices) out.last.push_back({device, kLastMs, {}, {}, {}, {}});
  return out;
}

std::string json_of(const Row& row) { return line_of(kReadings, row); }

}  // namespace tidegate::queries
