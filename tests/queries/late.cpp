#include "late.h"

#include <algorithm>

namespace tidegate::queries {

namespace {

// The windows that have closed by the end, and the times of the rows that none of them took.
struct ClosedWindows {
  std::vector<std::pair<std::pair<Value, Span>, std::vector<Row>>> windows;
  std::vector<Value> late;
};

bool closed(const Span& span, int64_t watermark) { return span.end - 1 <= watermark; }

// Windows that are open, and those that have closed.
class OpenWindows {
 public:
  explicit OpenWindows(const Level& rule) : rule_(rule) {}

  // False: too late for all.
  bool add(const Value& owner, const Row& row, int64_t watermark) {
    const int64_t time = time_of(row);
    if (rule_.windowing.gap_ms > 0) return add_to_session(owner, row, watermark);
    bool taken = false;
    for (const Span& span : rule_.windowing.spans(time)) {
      if (closed(span, watermark)) continue;
      taken = true;
      const Value key = rule_.key(row);
      const auto same = [&](const Window& window) {
        return window.owner == owner && window.key == key && window.span == span;
      };
      const auto found = std::ranges::find_if(open_, same);
      (found != open_.end() ? *found : open_.emplace_back(Window{owner, key, span, {}})).rows.push_back(row);
    }
    return taken;
  }

  void close(const Value& owner, int64_t watermark, ClosedWindows& out) {
    std::erase_if(open_, [&](const Window& window) {
      if (window.owner != owner || !closed(window.span, watermark)) return false;
      out.windows.push_back({{window.key, window.span}, window.rows});
      return true;
    });
  }

  // When the last one of an owner closes.
  [[nodiscard]] int64_t end_of(const Value& owner) const {
    int64_t end = kNever;
    for (const Window& window : open_) {
      if (window.owner == owner) end = std::max(end, window.span.end - 1);
    }
    return end;
  }

 private:
  struct Window {
    Value owner;  // the device by whose watermark it closes; NULL: the shared one
    Value key;
    Span span;
    std::vector<Row> rows;
  };

  // At most the gap apart: one session.
  bool add_to_session(const Value& owner, const Row& row, int64_t watermark) {
    const int64_t time = time_of(row);
    Window session{owner, rule_.key(row), {time, time + rule_.windowing.gap_ms}, {row}};
    if (closed(session.span, watermark)) return false;
    std::erase_if(open_, [&](const Window& other) {
      if (other.owner != owner || other.key != session.key) return false;
      if (other.span.start > session.span.end || other.span.end < session.span.start) return false;
      session.span = {std::min(session.span.start, other.span.start), std::max(session.span.end, other.span.end)};
      session.rows.insert(session.rows.end(), other.rows.begin(), other.rows.end());
      return true;
    });
    open_.push_back(std::move(session));
    return true;
  }

  const Level& rule_;
  std::vector<Window> open_;
};

std::vector<Round> all_rounds(const Story& story) {
  std::vector<Round> rounds = story.rounds;
  rounds.push_back(story.last);
  return rounds;
}

}  // namespace

void hear(Device& device, const Row& row, int64_t clock_ms) {
  device.heard_ms = clock_ms;
  device.watermark = std::max(device.watermark, time_of(row) - kDelayMs);
}

int64_t shared_watermark(const std::map<Value, Device>& devices, const Story& story, int64_t clock_ms, int64_t before) {
  std::optional<int64_t> least;
  for (const auto& [name, device] : devices) {
    if (clock_ms - device.heard_ms > story.idle_ms) continue;
    least = std::min(least.value_or(device.watermark), device.watermark);
  }
  return std::max(before, least.value_or(before));
}

Shape shape_if(bool filtered, const Expression& where) {
  return [=](const Row& row) -> std::optional<Row> {
    if (filtered && !is_true(where.value(row))) return std::nullopt;
    return row;
  };
}

Outcome in_order(const Story& story, const Shape& shape, int64_t silent_ms) {
  Outcome outcome;
  std::map<Value, Device> devices;
  std::map<Value, int64_t> greatest;  // of the rows that wait or waited
  for (const Round& round : all_rounds(story)) {
    for (const Row& row : round.rows) {
      Device& device = devices[row[kDevice]];
      const int64_t before = device.watermark;
      hear(device, row, round.clock_ms);
      const std::optional<Row> shaped = shape(row);
      if (!shaped) continue;
      if (time_of(row) < before) {
        outcome.late.emplace_back(time_of(row));
      } else {
        outcome.rows.push_back(*shaped);
        greatest[row[kDevice]] = std::max(greatest[row[kDevice]], time_of(row));
      }
    }
    for (auto& [name, device] : devices) {
      const bool silent = round.clock_ms - device.heard_ms >= silent_ms;
      if (silent && greatest.contains(name)) device.watermark = std::max(device.watermark, greatest[name]);
    }
  }
  std::erase_if(outcome.rows, [&](const Row& row) { return time_of(row) > devices[row[kDevice]].watermark; });
  std::ranges::sort(outcome.rows, {}, time_of);
  return outcome;
}

namespace {

ClosedWindows closed_windows(const Story& story, const Shape& shape, const Level& rule) {
  ClosedWindows out;
  OpenWindows open(rule);
  std::map<Value, Device> devices;
  int64_t shared = kNever;
  for (const Round& round : all_rounds(story)) {
    for (const Row& row : round.rows) {
      Device& device = devices[row[kDevice]];
      const int64_t judged_by = rule.own ? device.watermark : shared;
      hear(device, row, round.clock_ms);
      const Value owner = rule.own ? row[kDevice] : Value();
      const std::optional<Row> shaped = shape(row);
      if (shaped && !open.add(owner, *shaped, judged_by)) out.late.emplace_back(time_of(row));
      if (rule.own) open.close(owner, device.watermark, out);
    }
    if (!rule.own) {
      shared = shared_watermark(devices, story, round.clock_ms, shared);
      open.close({}, shared, out);
      continue;
    }
    for (auto& [name, device] : devices) {
      if (round.clock_ms - device.heard_ms < story.close_ms) continue;
      device.watermark = std::max(device.watermark, open.end_of(name));
      open.close(name, device.watermark, out);
    }
  }
  return out;
}

}  // namespace

void set_windows(Query& query, const Windowing& windowing, const Shape& shape, const KeyOf& key, bool own,
                 const Finish& finish) {
  query.rows = [=](const std::vector<Row>& readings) {
    std::vector<Row> kept;
    for (const Row& reading : readings) {
      if (std::optional<Row> row = shape(reading)) kept.push_back(std::move(*row));
    }
    std::vector<Row> out;
    for (const auto& [group, rows] : groups_of(windowing, kept, key, kTs)) {
      if (std::optional<Row> row = finish(group.first, group.second, rows)) out.push_back(std::move(*row));
    }
    return out;
  };
  query.outcome = [=](const Story& story) {
    const ClosedWindows closed = closed_windows(story, shape, {windowing, key, own});
    Outcome outcome{{}, closed.late};
    for (const auto& [group, rows] : closed.windows) {
      if (std::optional<Row> row = finish(group.first, group.second, rows)) outcome.rows.push_back(std::move(*row));
    }
    return outcome;
  };
}

namespace {

// The outer windows of a device once all rows of a round are in: its time is that of the inner ones.
void close_outer(const Value& name, int64_t inner_watermark, bool silent, int64_t& watermark, OpenWindows& open,
                 ClosedWindows& out) {
  watermark = std::max(watermark, inner_watermark);
  open.close(name, watermark, out);
  if (!silent) return;
  watermark = std::max(watermark, open.end_of(name));
  open.close(name, watermark, out);
}

class Stack {
 public:
  Stack(const Level& inner, const Level& outer, const Finish& shape)
      : inner_(inner), outer_(outer), shape_(shape), fine_(inner_), coarse_(outer_) {}

  // The rows that come together: time that devices share moves when all of them are in, and the clock closes what it
  // closes after that.
  void happen(const Round& round, const Story& story, Outcome& outcome) {
    ClosedWindows results;
    for (const Row& row : round.rows) {
      Device& device = devices_[row[kDevice]];
      const Value owner = inner_.own ? row[kDevice] : Value();
      if (!fine_.add(owner, row, inner_.own ? device.watermark : shared_)) outcome.late.push_back(row[kTs]);
      hear(device, row, round.clock_ms);
      if (inner_.own) fine_.close(owner, device.watermark, results);
    }
    const int64_t shared = shared_watermark(devices_, story, round.clock_ms, shared_);
    if (inner_.own) {
      for (auto& [name, device] : devices_) {
        if (round.clock_ms - device.heard_ms < story.close_ms) continue;
        device.watermark = std::max(device.watermark, fine_.end_of(name));
        fine_.close(name, device.watermark, results);
      }
    } else {
      fine_.close({}, shared, results);
    }
    hand_on(results, outcome);
    shared_ = shared;
    if (!outer_.own) return coarse_.close({}, shared_, closed);
    for (const auto& [name, device] : devices_) {
      const bool silent = round.clock_ms - device.heard_ms >= story.close_ms;
      close_outer(name, device.watermark, silent, outer_time(name), coarse_, closed);
    }
  }

  ClosedWindows closed;  // outer ones

 private:
  int64_t& outer_time(const Value& device) { return outer_watermarks_.try_emplace(device, kNever).first->second; }

  void hand_on(const ClosedWindows& results, Outcome& outcome) {
    for (const auto& [group, rows] : results.windows) {
      const Row row = *shape_(group.first, group.second, rows);
      const Value owner = outer_.own ? group.first : Value();
      if (!coarse_.add(owner, row, outer_.own ? outer_time(owner) : shared_)) outcome.late.emplace_back();
    }
  }

  const Level& inner_;
  const Level& outer_;
  const Finish& shape_;
  OpenWindows fine_;
  OpenWindows coarse_;
  std::map<Value, Device> devices_;
  std::map<Value, int64_t> outer_watermarks_;
  int64_t shared_ = kNever;
};

}  // namespace

Outcome stacked(const Story& story, const Level& inner, const Level& outer, const Finish& shape, const Finish& finish) {
  Outcome outcome;
  Stack stack(inner, outer, shape);
  for (const Round& round : all_rounds(story)) stack.happen(round, story, outcome);
  for (const auto& [group, rows] : stack.closed.windows) {
    outcome.rows.push_back(*finish(group.first, group.second, rows));
  }
  return outcome;
}

}  // namespace tidegate::queries
