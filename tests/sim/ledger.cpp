#include "ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tidegate::simulation {

namespace {

constexpr int64_t kWindowUs = 10 * kMicrosPerSecond;
constexpr int64_t kDelayUs = 2 * kMicrosPerSecond;
constexpr int64_t kRetentionUs = 120 * kMicrosPerSecond;
constexpr const char* kStreams[] = {"readings", "fleeting", "totals", "large", "rated", "totals_late"};

std::string text_of(const Row& row) { return fmt::format("offset {}: {}", row.offset, fmt::join(row.values, ", ")); }

int64_t number(const std::string& text) { return std::stoll(text); }

int64_t id_of(const std::string& stream, const Row& row) { return number(row.values[stream == "readings" ? 2 : 1]); }

// WHERE n > 50, in the log's order.
std::vector<std::vector<std::string>> expected_large(const std::vector<Row>& readings) {
  std::vector<std::vector<std::string>> expected;
  for (const Row& row : readings) {
    if (number(row.values[3]) > 50) expected.push_back({row.values[0], row.values[2], row.values[3]});
  }
  return expected;
}

// A record is in two windows, which come out at different times, often with a kill and another version of the table in
// between: what it found there the first time is what it finds for ever.
std::string check_rated(const std::vector<Row>& rated) {
  std::map<int64_t, std::string> rates;
  std::set<std::pair<int64_t, std::string>> windows;
  for (const Row& row : rated) {
    const int64_t id = number(row.values[0]);
    if (!windows.emplace(id, row.values[1]).second) return "a window came out twice: " + text_of(row);
    if (row.values[2] != "1") return "not one record: " + text_of(row);
    const auto [known, first] = rates.emplace(id, row.values[3]);
    if (!first && known->second != row.values[3]) return "found at " + known->second + " before: " + text_of(row);
  }
  return "";
}

struct Windows {
  std::map<std::pair<std::string, int64_t>, std::pair<int64_t, int64_t>> totals;  // device, start: count, sum
  std::multiset<std::string> late;  // device, time, n: the columns that the query needs
};

// The batch recomputation, one row at a time: a row is late if its window was closed by the rows of its device before.
Windows expected_windows(const std::vector<Row>& readings) {
  Windows windows;
  std::map<std::string, int64_t> watermarks;
  for (const Row& row : readings) {
    const int64_t time_us = number(row.values[1]);
    const int64_t start_us = time_us - time_us % kWindowUs;
    const auto [known, first] = watermarks.try_emplace(row.values[0], INT64_MIN);
    if (known->second >= start_us + kWindowUs - kMicrosPerMilli) {
      windows.late.insert(row.values[0] + "/" + row.values[1] + "/" + row.values[3]);
    } else {
      auto& [count, sum] = windows.totals[{row.values[0], start_us}];
      ++count;
      sum += number(row.values[3]);
    }
    known->second = std::max(known->second, time_us - kDelayUs);
  }
  return windows;
}

}  // namespace

std::string Ledger::check_sent(const std::string& stream, const std::vector<Row>& rows) const {
  std::set<int64_t> ids;
  for (const Row& row : rows) {
    const int64_t id = id_of(stream, row);
    const auto found = sent_.find(id);
    if (found == sent_.end() || found->second.stream != stream) return "never sent to " + stream + ": " + text_of(row);
    if (found->second.values != row.values) return "sent otherwise to " + stream + ": " + text_of(row);
    if (!ids.insert(id).second) return "twice in " + stream + ": " + text_of(row);
  }
  return "";
}

std::string Ledger::check_nothing_lost(const std::vector<Row>& readings) const {
  std::set<int64_t> ids;
  for (const Row& row : readings) ids.insert(id_of("readings", row));
  for (const auto& [id, record] : sent_) {
    if (record.stream == "readings" && record.acknowledged && !ids.contains(id)) {
      return fmt::format("acknowledged and lost: record {} of readings", id);
    }
  }
  return "";
}

// Only what is old may be gone, and only from the front.
std::string Ledger::check_retention(const std::vector<Row>& fleeting, int64_t now_us) const {
  std::set<int64_t> ids;
  for (const Row& row : fleeting) ids.insert(id_of("fleeting", row));
  const int64_t first = ids.empty() ? INT64_MAX : *ids.begin();
  for (const auto& [id, record] : sent_) {
    if (record.stream != "fleeting" || !record.acknowledged || ids.contains(id)) continue;
    if (id > first) return fmt::format("acknowledged and lost: record {} of fleeting, behind one that is there", id);
    if (record.acknowledged_us + kRetentionUs > now_us) return fmt::format("dropped too early: record {}", id);
  }
  return "";
}

// What was visible was durable: it stays, at its offset.
std::string Ledger::check_same_as_before(const std::string& stream, const std::vector<Row>& rows) {
  std::map<int64_t, Row>& seen = seen_[stream];
  std::map<int64_t, Row> now;
  for (const Row& row : rows) now.emplace(row.offset, row);
  const int64_t begin = now.empty() ? INT64_MAX : now.begin()->first;
  for (const auto& [offset, row] : seen) {
    if (stream == "fleeting" && offset < begin) continue;
    const auto found = now.find(offset);
    if (found == now.end()) return "was in " + stream + " and is gone: " + text_of(row);
    if (!(found->second == row)) {
      return "was in " + stream + " and changed: " + text_of(row) + " to " + text_of(found->second);
    }
  }
  seen = std::move(now);
  return "";
}

std::string Ledger::check(const Life& life, int64_t now_us) {
  const log::LogStats stats = life.stats();
  if (stats.integrity_errors > 0) return "the log reports damage where there is none";
  for (const log::StreamStats& stream : stats.streams) {
    if (!stream.quarantined.empty()) return "the log lost records of " + stream.name;
  }
  if (life.damage().lost) return "the store reports damage where there is none";
  for (const engine::PipelineStatus& pipeline : life.pipelines()) {
    if (pipeline.state == catalog::PipelineState::kFailed) return pipeline.name + " failed: " + pipeline.error;
    if (pipeline.skipped > 0) return pipeline.name + " skipped records";
  }
  std::map<std::string, std::vector<Row>> rows;
  for (const char* stream : kStreams) {
    Result<std::vector<Row>> read = life.read(stream);
    if (!read) return std::string("cannot read ") + stream + ": " + read.error().to_string();
    rows[stream] = std::move(*read);
    if (std::string wrong = check_same_as_before(stream, rows[stream]); !wrong.empty()) return wrong;
  }
  for (const char* stream : {"readings", "fleeting"}) {
    if (std::string wrong = check_sent(stream, rows[stream]); !wrong.empty()) return wrong;
  }
  if (std::string wrong = check_nothing_lost(rows["readings"]); !wrong.empty()) return wrong;
  if (std::string wrong = check_retention(rows["fleeting"], now_us); !wrong.empty()) return wrong;
  const auto expected = expected_large(rows["readings"]);
  for (size_t at = 0; at < rows["large"].size(); ++at) {
    if (at >= expected.size() || rows["large"][at].values != expected[at]) {
      return "not what the filter lets through: " + text_of(rows["large"][at]);
    }
  }
  if (std::string wrong = check_rated(rows["rated"]); !wrong.empty()) return wrong;
  std::set<std::pair<std::string, std::string>> windows;
  for (const Row& row : rows["totals"]) {
    if (!windows.emplace(row.values[0], row.values[1]).second) return "a window came out twice: " + text_of(row);
  }
  return "";
}

std::string Ledger::check_results(const Life& life, int64_t closed_us) {
  std::map<std::string, std::vector<Row>> rows;
  for (const char* stream : kStreams) {
    Result<std::vector<Row>> read = life.read(stream);
    if (!read) return std::string("cannot read ") + stream + ": " + read.error().to_string();
    rows[stream] = std::move(*read);
  }
  if (rows["large"].size() != expected_large(rows["readings"]).size()) return "the filter's output is not complete";
  const Windows expected = expected_windows(rows["readings"]);
  std::multiset<std::string> late;
  for (const Row& row : rows["totals_late"]) late.insert(fmt::format("{}", fmt::join(row.values, "/")));
  if (late != expected.late) {
    return fmt::format("late: {}; should be: {}", fmt::join(late, " "), fmt::join(expected.late, " "));
  }
  size_t closed = 0;
  for (const auto& [window, total] : expected.totals) closed += window.second < closed_us ? 1 : 0;
  for (const Row& row : rows["totals"]) {
    const auto found = expected.totals.find({row.values[0], number(row.values[1])});
    if (found == expected.totals.end() || found->second.first != number(row.values[2]) ||
        found->second.second != number(row.values[3])) {
      return "not what the log's records add up to: " + text_of(row);
    }
  }
  if (rows["totals"].size() != closed) return fmt::format("{} windows of {}", rows["totals"].size(), closed);
  return "";
}

std::string Ledger::check_after_damage(const Life& life) const {
  bool told = life.damage().lost || life.stats().integrity_errors > 0;
  std::map<std::string, std::vector<Row>> rows;
  for (const char* stream : {"readings", "large", "totals"}) {
    Result<std::vector<Row>> read = life.read_around_damage(stream, told);
    if (!read) return "";  // it said what it cannot read
    rows[stream] = std::move(*read);
  }
  if (std::string wrong = check_sent("readings", rows["readings"]); !wrong.empty()) return wrong;
  if (told) return "";
  if (std::string wrong = check_nothing_lost(rows["readings"]); !wrong.empty()) return "without a word: " + wrong;
  for (const auto& [stream, now] : rows) {
    std::map<int64_t, Row> by_offset;
    for (const Row& row : now) by_offset.emplace(row.offset, row);
    const auto seen = seen_.find(stream);
    if (seen == seen_.end()) continue;
    for (const auto& [offset, row] : seen->second) {
      const auto found = by_offset.find(offset);
      if (found == by_offset.end() || !(found->second == row)) return "gone without a word: " + text_of(row);
    }
  }
  return "";
}

}  // namespace tidegate::simulation
