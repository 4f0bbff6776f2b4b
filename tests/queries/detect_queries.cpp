// Queries of detection functions.
#include <fmt/format.h>

#include <algorithm>

#include "detect.h"
#include "late.h"
#include "query.h"

namespace tidegate::queries {

namespace {

// What a query looks at: readings that pass a condition, by what they are partitioned.
struct Rule {
  Detection detection;
  std::optional<size_t> on;  // n or v
  std::vector<size_t> keys;
  Shape shape;
};

using Watches = std::map<std::vector<Value>, Watch>;

std::vector<Value> key_of(const Rule& rule, const Row& row) {
  std::vector<Value> key;
  for (const size_t at : rule.keys) key.push_back(row[at]);
  return key;
}

void look(const Rule& rule, const Row& row, Watches& watches) {
  double value = 0;
  if (rule.on) {
    if (is_null(row[*rule.on])) return;
    const auto* whole = std::get_if<int64_t>(&row[*rule.on]);
    value = whole != nullptr ? static_cast<double>(*whole) : std::get<double>(row[*rule.on]);
  }
  watches.try_emplace(key_of(rule, row), rule.detection).first->second.reading(time_of(row), value);
}

void pass(const Value& device, int64_t time, Watches& watches) {
  for (auto& [key, watch] : watches) {
    if (is_null(device) || key.front() == device) watch.until(time);
  }
}

std::vector<Row> alerts_of(const Watches& watches) {
  std::vector<Row> out;
  for (const auto& [key, watch] : watches) {
    for (const Alert& alert : watch.alerts()) {
      Row row = key;
      row.insert(row.end(), {std::string(alert.raised ? "raised" : "cleared"), alert.value, alert.at, alert.raised_at,
                             alert.at - alert.since});
      out.push_back(std::move(row));
    }
  }
  return out;
}

// All readings at once: nothing is late, and time passes up to the newest of them.
std::vector<Row> over_all(const Rule& rule, const std::vector<Row>& readings, int64_t end) {
  Watches watches;
  for (const Row& reading : readings) {
    if (const std::optional<Row> row = rule.shape(reading)) look(rule, *row, watches);
  }
  pass({}, end, watches);
  return alerts_of(watches);
}

// A device's readings wait until its watermark has reached them, or the device has been silent for the watermark's
// delay.
struct Waiting {
  Device device;
  std::map<int64_t, Row> rows;  // by time
};

void let_out(const Rule& rule, int64_t time, std::map<int64_t, Row>& rows, Watches& watches) {
  while (!rows.empty() && rows.begin()->first <= time) {
    look(rule, rows.begin()->second, watches);
    rows.erase(rows.begin());
  }
}

void hear(const Rule& rule, const Row& reading, int64_t clock_ms, Waiting& waiting, Watches& watches,
          Outcome& outcome) {
  const int64_t before = waiting.device.watermark;
  waiting.device.heard_ms = clock_ms;
  waiting.device.watermark = std::max(before, time_of(reading) - kDelayMs);
  if (const std::optional<Row> row = rule.shape(reading)) {
    if (time_of(*row) < before) {
      outcome.late.emplace_back(time_of(*row));
    } else {
      waiting.rows[time_of(*row)] = *row;
    }
  }
  let_out(rule, waiting.device.watermark, waiting.rows, watches);
  pass(reading[kDevice], waiting.device.watermark, watches);
}

// As a pipeline, by each device's own watermark and the clock.
Outcome by_device(const Rule& rule, const Story& story) {
  Outcome outcome;
  Watches watches;
  std::map<Value, Waiting> devices;
  std::vector<Round> rounds = story.rounds;
  rounds.push_back(story.last);
  for (const Round& round : rounds) {
    for (const Row& reading : round.rows) {
      hear(rule, reading, round.clock_ms, devices[reading[kDevice]], watches, outcome);
    }
    for (auto& [name, waiting] : devices) {
      const int64_t silent_ms = round.clock_ms - waiting.device.heard_ms;
      if (silent_ms >= std::min(kDelayMs, story.close_ms) && !waiting.rows.empty()) {
        waiting.device.watermark = std::max(waiting.device.watermark, waiting.rows.rbegin()->first);
        let_out(rule, waiting.device.watermark, waiting.rows, watches);
      }
      pass(name, waiting.device.watermark + silent_ms, watches);
    }
  }
  outcome.rows = alerts_of(watches);
  return outcome;
}

// As a pipeline, by the shared watermark; once nothing has come from anybody for `idle_timeout`, by the clock: time has
// gone on since then from the newest reading, less the watermark's delay.
Outcome by_shared(const Rule& rule, const Story& story) {
  Outcome outcome;
  Watches watches;
  std::map<Value, Device> devices;
  std::map<int64_t, Row> waiting;
  int64_t shared = kNever;
  int64_t heard_ms = 0;
  int64_t newest = kNever;
  std::vector<Round> rounds = story.rounds;
  rounds.push_back(story.last);
  for (const Round& round : rounds) {
    for (const Row& reading : round.rows) {
      hear(devices[reading[kDevice]], reading, round.clock_ms);
      const std::optional<Row> row = rule.shape(reading);
      if (!row) continue;
      heard_ms = round.clock_ms;
      newest = std::max(newest, time_of(*row));
      if (time_of(*row) < shared) {
        outcome.late.emplace_back(time_of(*row));
      } else {
        waiting[time_of(*row)] = *row;
      }
    }
    shared = shared_watermark(devices, story, round.clock_ms, shared);
    let_out(rule, shared, waiting, watches);
    pass({}, shared, watches);
    const int64_t silent_ms = round.clock_ms - heard_ms;
    if (newest == kNever || silent_ms <= story.idle_ms) continue;
    let_out(rule, newest - kDelayMs + silent_ms, waiting, watches);
    pass({}, newest - kDelayMs + silent_ms, watches);
  }
  outcome.rows = alerts_of(watches);
  return outcome;
}

}  // namespace

Query detect_query(Random& random) {
  static const std::vector<std::vector<size_t>> kKeys = {{kDevice}, {kDevice}, {kDevice, kS}, {kS}};
  ExpressionMaker make(random);
  Rule rule;
  const size_t looked_at = random.one_in(3) ? kN : kV;
  rule.detection = some_detection(random, looked_at == kN ? 5 : 80);
  rule.keys = random.one_of(kKeys);
  const DetectKind kind = rule.detection.kind;
  const bool any_row = kind == DetectKind::kMissing || kind == DetectKind::kCount;
  if (!any_row || random.one_in(3)) rule.on = looked_at;
  const bool filtered = random.one_in(3);
  const Expression where = make.condition(2);
  rule.shape = shape_if(filtered, where);
  std::string keys;
  Query query;
  for (const size_t at : rule.keys) {
    keys += (keys.empty() ? "" : ", ") + kReadings[at].name;
    query.columns.push_back(kReadings[at]);
  }
  query.family = "detections";
  query.columns.insert(query.columns.end(), {{"event", Type::kString},
                                             {"value_", Type::kDouble},
                                             {"event_time", Type::kTime},
                                             {"raised_at", Type::kTime},
                                             {"duration_ms", Type::kBigint}});
  static const char* const kNames[] = {"THRESHOLD", "CHANGE", "STUCK", "MISSING", "COUNT"};
  query.sql = fmt::format(
      "SELECT {0}, event, `value` AS value_, event_time, raised_at, duration_ms FROM TABLE(DETECT_{1}(TABLE {2} "
      "PARTITION "
      "BY {0}{3}))",
      keys, kNames[static_cast<size_t>(kind)],
      filtered ? "(SELECT * FROM readings WHERE " + where.sql + ")" : "readings",
      rule.detection.sql(rule.on ? kReadings[*rule.on].name : ""));
  query.rows = [=](const std::vector<Row>& readings) {
    return over_all(rule, readings, readings.empty() ? 0 : time_of(readings.back()));
  };
  const bool own = rule.keys.front() == kDevice;
  query.outcome = [=](const Story& all) { return own ? by_device(rule, all) : by_shared(rule, all); };
  return query;
}

}  // namespace tidegate::queries
