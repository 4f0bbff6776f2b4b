// Windows of time, and which rows are in which: plainly.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "values.h"

namespace tidegate::queries {

struct Span {
  int64_t start = 0;  // milliseconds
  int64_t end = 0;
  auto operator<=>(const Span&) const = default;
};

enum class WindowKind : uint8_t { kTumble, kHop, kCumulate, kSession };

struct Windows {
  WindowKind kind = WindowKind::kTumble;
  int64_t size_ms = 0;
  int64_t step_ms = 0;  // of kHop and kCumulate
};

// The windows that a time is in, or sessions.
struct Windowing {
  std::function<std::vector<Span>(int64_t)> spans;
  int64_t gap_ms = 0;  // of sessions; else 0
};

using Groups = std::map<std::pair<Value, Span>, std::vector<Row>>;
using KeyOf = std::function<Value(const Row&)>;

[[nodiscard]] Windows some_windows(Random& random);
// TUMBLE(TABLE source, ...); sessions are partitioned by `partition`.
[[nodiscard]] std::string sql_of(const Windows& windows, const std::string& source, const std::string& time,
                                 const std::string& partition);
[[nodiscard]] Windowing windowing_of(const Windows& windows);
// Rows in the order of their times, which stand in a column.
[[nodiscard]] Groups groups_of(const Windowing& windowing, const std::vector<Row>& rows, const KeyOf& key, size_t time);

}  // namespace tidegate::queries
