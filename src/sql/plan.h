// The checked logical plan: what engine/ turns into operators. A tree of nodes, inputs below.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "catalog/definitions.h"
#include "catalog/table_definition.h"
#include "columnar/batch.h"
#include "sql/detect.h"
#include "sql/expression.h"

namespace tidegate::sql {

// Reads a stream. Output columns are `columns` of the stream's schema, in that order (unused ones are
// pruned; the time and device columns stay while a window above needs them).
struct Scan {
  std::shared_ptr<const catalog::StreamDefinition> stream;  // shared with the catalog, which may drop it meanwhile
  std::vector<size_t> columns;
};

// Keeps the rows for which the predicate is true (not false, not NULL).
struct Filter {
  Expression predicate;
};

// Computes one column per expression.
struct Project {
  std::vector<Expression> expressions;
};

// The numbers are part of operator ids: never change or reuse them.
enum class WindowKind : uint8_t { kTumble = 0, kHop = 1, kCumulate = 2, kSession = 3, kCalendar = 4, kAll = 5 };

// kTumble, kHop: windows [start, start + size) with start = offset + n * slide, n integer; slide = size for kTumble.
// kCumulate: windows [start, start + k * slide) up to the size, with start = offset + n * size.
// kSession: rows of one key of which none is further than `size` from the next; from the first row to `size` after the
// last. kCalendar: what the clocks of a zone show decides: every `months` months, else between one shift start and the
// next, else every `size` (whole days); months and days begin `offset` after midnight.
// kAll: one window of all rows, those without a usable event time among them; it closes when nothing more comes, so
// that it is for input that ends. A window without keys has a result even if there are no rows. Its numbers are
// kWholeUs.
inline constexpr int64_t kWholeUs = int64_t{1} << 62;
struct WindowSpec {
  WindowKind kind = WindowKind::kTumble;
  int64_t size_us = 0;
  int64_t slide_us = 0;
  int64_t offset_us = 0;
  std::string zone = {};                      // kCalendar: as io::find_time_zone takes it; "": UTC
  int32_t months = 0;                         // kCalendar
  std::vector<int64_t> shift_starts_us = {};  // kCalendar: after midnight, in order
  bool operator==(const WindowSpec&) const = default;
};

enum class AggregateFunction : uint8_t {
  kCountStar,
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kVarPop,
  kVarSamp,
  kStddevPop,
  kStddevSamp,
  kFirstValue,        // of the least event time; the order of rows is (event time, key group of the device, arrival)
  kLastValue,         // of the greatest
  kApproxPercentile,  // DDSketch
  kTimeWeightedAvg,
  kCounterDelta,
  kCoverage,
};

// COUNT is BIGINT; SUM is BIGINT of integers, DECIMAL(38, s) of DECIMAL(p, s) (an overflow is NULL and counted), FLOAT
// and DOUBLE of these; AVG of DECIMAL is DECIMAL(38, max(6, s)); MIN, MAX, FIRST_VALUE and LAST_VALUE have the
// argument's type; the others are DOUBLE. All but the counts and kCoverage are NULL without input. Rows whose argument
// is NULL are passed over; FILTER (WHERE ...) makes it NULL.
struct Aggregate {
  AggregateFunction function = AggregateFunction::kCountStar;
  size_t argument = 0;  // input column; unused for kCountStar; the event time for kCoverage
  columnar::Type type = columnar::TypeKind::kBigint;
  bool distinct = false;    // kCount, kSum, kAvg: of the distinct values
  double parameter = 0;     // kApproxPercentile: the fraction; kCounterDelta: where it rolls over, 0: nowhere
  int64_t interval_us = 0;  // kCoverage: between two expected readings
  int64_t phase_us = 0;     // kCoverage: expected slots start at this plus multiples of the interval
  std::optional<size_t> meter = std::nullopt;  // kCounterDelta: the input column that tells one meter from the next

  bool operator==(const Aggregate&) const = default;
};

// Groups by window and key columns. Output columns: the keys, then window_start, window_end (TIMESTAMP(3) or
// TIMESTAMP_LTZ(3) like the time column), window_time (window_end - 1 ms), then the aggregates. Emits a window
// once, when it closes.
struct WindowAggregate {
  WindowSpec window;
  size_t time_column = 0;    // input column of the event time
  std::vector<size_t> keys;  // input columns
  std::vector<Aggregate> aggregates;
  // The keys contain the stream's device column: a window closes by that device's own watermark.
  bool keyed_by_device = false;
  size_t device_column = 0;  // input column of the device; meaningful if the source has one
  bool has_device_column = false;
};

// What is computed for a row of the rows of its partition before it.
enum class OverFunction : uint8_t {
  kRowNumber,
  kLag,
  kCountStar,
  kCount,
  kSum,
  kAvg,
  kMin,
  kMax,
  kFirstValue,
  kLastValue,
};

// Types as for Aggregate. A frame is the row and `rows` rows before it, or those of the last `range_us` before it
// (both ends included) that are not behind it in order.
struct OverCall {
  OverFunction function = OverFunction::kRowNumber;
  size_t argument = 0;  // input column; unused for kRowNumber and kCountStar
  columnar::Type type = columnar::TypeKind::kBigint;
  int64_t rows = 0;  // kLag: how far back
  std::optional<int64_t> range_us = std::nullopt;
  Literal otherwise = {};  // kLag: where there is no row so far back

  bool operator==(const OverCall&) const = default;
};

struct OrderKey {
  size_t column = 0;
  bool descending = false;
};

// Rows in event-time order, each once the watermark has reached it, with a column more per call. If `order` is given,
// partitions are of closed windows, all rows of one event time: they are numbered in that order.
struct Over {
  size_t time_column = 0;
  std::vector<size_t> keys;     // input columns: the partition
  std::vector<OrderKey> order;  // empty: the event time
  std::vector<OverCall> calls;
  int64_t ttl_us = 0;  // a partition without rows for longer than this, in event time, begins anew; 0: never
  bool keyed_by_device = false;
  size_t device_column = 0;  // input column of the device; meaningful if the source has one
  bool has_device_column = false;
};

// The rows of all inputs, which have the output's types.
struct UnionAll {};

enum class LookupKind : uint8_t {
  kInner,   // rows that the table has no row for are dropped
  kLeft,    // they have NULL in the table's columns
  kIn,      // a column more: whether the table has the keys; NULL if it cannot be said, as SQL's IN has it
  kExists,  // a column more: whether the table has a row with these keys
};

// Each row with the table's row of the same key, of which there is at most one at a time. NULL equals no key. The
// output's columns: the first `place` of the input's, then `columns` of the table, then the input's others; of kIn and
// kExists the input's, then the BOOLEAN.
struct LookupJoin {
  LookupKind kind = LookupKind::kInner;
  catalog::TablePtr table;             // shared with the catalog, which may drop it meanwhile
  std::vector<Expression> keys;        // over the input's columns; never DOUBLE
  std::vector<Expression> table_keys;  // over all columns of the table, of the same types
  // Over the input: the row counts that holds at this time. Nothing: the table has no versions, or all of them count
  // (kIn and kExists).
  std::optional<Expression> time = std::nullopt;
  // Over all columns of the table, of kIn and kExists: rows for which it is not true are not there.
  std::optional<Expression> condition = std::nullopt;
  // Over the output, of kLeft: where it is not true, there is no row.
  std::optional<Expression> match = std::nullopt;
  std::vector<size_t> columns = {};  // of the table
  size_t place = 0;
};

// Each row once for each element of an array, in the order of the elements. The output's columns: the first `place` of
// those that are passed on, then `columns`, then the others that are passed on. A ROW is taken apart into its fields.
struct Unnest {
  Expression array;             // over the input's columns
  bool left = false;            // rows without elements stay, with NULL in `columns`
  std::vector<size_t> passed;   // columns of the input, ascending
  std::vector<size_t> columns;  // of the fields of the element (a value of another type is one), then its number from 1
  size_t place = 0;

  // How many fields an element has.
  [[nodiscard]] size_t fields() const {
    const columnar::Type& element = array.type.element().type;
    return element == columnar::TypeKind::kRow ? element.fields->size() : 1;
  }
};

using Operation = std::variant<Scan, Filter, Project, WindowAggregate, UnionAll, Over, Detect, LookupJoin, Unnest>;

struct PlanNode {
  Operation node;
  columnar::SchemaPtr output;
  // Stable across restarts and unrelated edits: the view's or common table expression's name plus a hash of what
  // the node means. State is stored under it.
  std::string operator_id;
  std::vector<std::unique_ptr<PlanNode>> inputs;
};

// ORDER BY, LIMIT and OFFSET: only of a query over what is stored, at its very end.
struct SortKey {
  size_t column = 0;  // of the root's output
  bool descending = false;
  bool nulls_first = true;
};
struct Ordering {
  std::vector<SortKey> keys = {};
  size_t hidden = 0;  // the root's last columns are there for `keys` alone
  std::optional<uint64_t> limit = std::nullopt;
  uint64_t offset = 0;
  TextPosition position = {};  // where it begins in the text
};

struct Plan {
  std::unique_ptr<PlanNode> root;
  std::optional<Ordering> ordering = std::nullopt;  // never of a pipeline
  // Where it groups all rows without a window: only over what ends.
  std::optional<TextPosition> whole = std::nullopt;
};

// The tree as EXPLAIN prints it, one node a line, inputs indented below.
[[nodiscard]] std::string explain(const Plan& plan);

}  // namespace tidegate::sql
