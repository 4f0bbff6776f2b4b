#include "readings.h"

#include <algorithm>
#include <set>

#include "nested.h"

namespace tidegate::queries {

namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int64_t kStepMs = 5'000;  // so that the clock often stops at the very moment at which something is due
constexpr int64_t kMinutesMs = 120'000;
constexpr int64_t kYearMs = 366 * kDayMs;
// In days since kFirstMs: 2026-03-08 and 2026-11-01 in New York, 2026-03-29 and 2026-10-25 in Paris.
constexpr int64_t kChanges[] = {66, 304, 87, 297};

Value maybe(Random& random, Value value) { return random.one_in(5) ? Value() : std::move(value); }

Row make_reading(Random& random, int64_t time) {
  static const std::vector<std::string> kDevices = {"a", "b", "pump", "x1"};
  static const std::vector<std::string> kTexts = {"", "a", "b", "ab", "Ba", "abc", "aXc", "bb"};
  const int64_t number = random.one_in(4) ? random.between(-1000, 1000) : random.between(-5, 5);
  const double real = static_cast<double>(random.between(-400, 400)) * 0.25;
  const int64_t cents = random.one_in(4) ? random.between(-9'999'999, 9'999'999) : random.between(-500, 500);
  Row row = {random.one_of(kDevices),
             time,
             maybe(random, number),
             maybe(random, real == 0 ? 0.0 : real),
             maybe(random, random.one_of(kTexts)),
             maybe(random, random.one_in(2)),
             maybe(random, Decimal{cents, 2})};
  for (Value& value : some_nested(random)) row.push_back(std::move(value));
  row.emplace_back(int64_t{0});
  return row;
}

int64_t some_offset(Random& random, const Story& story) {
  if (!story.calendar) {
    const bool whole = story.whole_seconds || random.one_in(3);
    return whole ? random.between(0, story.span_ms / 1000) * 1000 : random.between(0, story.span_ms);
  }
  // Mostly within a day or two of a change of the clocks; on the hour or close to it.
  const int64_t day =
      random.one_in(4) ? random.between(2, 360) : kChanges[random.between(0, 3)] + random.between(-1, 1);
  const int64_t hour = day * kDayMs + random.between(0, 23) * kHourMs;
  return random.one_in(2) ? hour + random.between(-1, 1) : hour + random.between(0, kHourMs);
}

// How long one is on its way. None that takes no longer than this is late.
int64_t some_delay(Random& random, const Story& story) {
  if (story.late && random.one_in(2)) return random.between(0, random.one_in(2) ? 60'000 : 2 * kDelayMs);
  return random.between(0, kDelayMs - 1);
}

// The order in which they come.
std::vector<Row> arrivals(Random& random, const Story& story) {
  std::set<int64_t> times;
  for (int64_t left = random.between(0, 80); left > 0; --left) times.insert(kFirstMs + some_offset(random, story));
  std::vector<std::pair<int64_t, Row>> arrivals;
  for (const int64_t time : times) {
    arrivals.emplace_back(time + some_delay(random, story), make_reading(random, time));
  }
  std::ranges::sort(arrivals, {}, [](const auto& arrival) { return arrival.first; });
  std::vector<Row> rows;
  for (auto& [at, row] : arrivals) rows.push_back(std::move(row));
  return rows;
}

int64_t some_wait(Random& random) {
  return random.one_in(3) ? random.between(1, 60'000) : random.between(1, 6) * kStepMs;
}

}  // namespace

Story make_story(Random& random) {
  Story story;
  story.calendar = random.one_in(4);
  story.late = !story.calendar && !random.one_in(3);
  story.whole_seconds = random.one_in(2);
  story.span_ms = story.calendar ? kYearMs : kMinutesMs;
  story.last_ms = kFirstMs + story.span_ms + (story.calendar ? 2 * kYearMs : kDayMs);
  if (story.late) {
    story.idle_ms = random.between(1, 8) * kStepMs;
    story.close_ms = random.between(1, 12) * kStepMs;
  }
  const std::vector<Row> rows = arrivals(random, story);
  std::set<Value> devices;
  size_t edition = 0;
  int64_t clock_ms = story.clock_ms();
  for (size_t at = 0; at < rows.size();) {
    Round& round = story.rounds.emplace_back();
    const bool silent = story.late && random.one_in(4);
    const auto most = static_cast<size_t>(random.between(1, story.late ? 15 : 60));
    const size_t end = silent ? at : std::min(rows.size(), at + most);
    if (story.late && (silent || random.one_in(2))) clock_ms += some_wait(random);
    edition += random.one_in(3) ? 1 : 0;
    round.clock_ms = clock_ms;
    round.edition = edition;
    round.dies = random.one_in(4);
    for (; at < end; ++at) {
      round.rows.push_back(rows[at]);
      round.rows.back()[kEdition] = static_cast<int64_t>(edition);
      devices.insert(rows[at][kDevice]);
    }
  }
  story.last.clock_ms = story.last_ms;
  story.last.edition = edition;
  for (const Value& device : devices) {
    Row& row = story.last.rows.emplace_back(kEdition + 1);
    row[kDevice] = device;
    row[kTs] = story.last_ms;
    row[kEdition] = static_cast<int64_t>(edition);
  }
  story.tables = make_tables(random, edition + 1, kFirstMs, story.span_ms);
  return story;
}

std::vector<Row> Story::by_time() const {
  std::vector<Row> rows;
  for (const Round& round : rounds) rows.insert(rows.end(), round.rows.begin(), round.rows.end());
  std::ranges::sort(rows, {}, time_of);
  return rows;
}

std::string json_of(const Row& row) { return line_of(kReadings, row); }

}  // namespace tidegate::queries
