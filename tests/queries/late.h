// What a pipeline makes of readings that may be late: round by round and row by row, as docs/sql.md says of watermarks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "query.h"
#include "windows.h"

namespace tidegate::queries {

// Nothing has been heard of yet.
inline constexpr int64_t kNever = -(int64_t{1} << 60);

// The time of a device, and of all of them.
struct Device {
  int64_t watermark = kNever;
  int64_t heard_ms = 0;  // by the clock
};

void hear(Device& device, const Row& row, int64_t clock_ms);
// The least of the devices that are not idle; it does not go back.
[[nodiscard]] int64_t shared_watermark(const std::map<Value, Device>& devices, const Story& story, int64_t clock_ms,
                                       int64_t before);

// The row as an operator gets it; nothing: it is filtered out.
using Shape = std::function<std::optional<Row>(const Row&)>;
[[nodiscard]] Shape shape_if(bool filtered, const Expression& where);

// Rows that wait until their device's watermark reaches them; those behind it are late. `silent_ms`: so long after it
// was last heard of a device's rows wait no more.
[[nodiscard]] Outcome in_order(const Story& story, const Shape& shape, int64_t silent_ms);

// What a query says of each window; nothing: HAVING does not hold.
using Finish = std::function<std::optional<Row>(const Value& key, const Span& span, const std::vector<Row>& rows)>;

// Makes the query one of windows: over all readings, and as a pipeline. `own`: they close by each device's own
// watermark.
void set_windows(Query& query, const Windowing& windowing, const Shape& shape, const KeyOf& key, bool own,
                 const Finish& finish);

// A window over a window as a pipeline, each by the device and its own watermark or by the shared one; the outer one by
// the device only if the inner one is. `shape` makes of an inner window a row with its key and its time where a reading
// has the device and the time.
struct Level {
  Windowing windowing;
  KeyOf key;
  bool own = false;
};
[[nodiscard]] Outcome stacked(const Story& story, const Level& inner, const Level& outer, const Finish& shape,
                              const Finish& finish);

}  // namespace tidegate::queries
