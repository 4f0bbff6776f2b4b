// A lookup join at work: a batch's rows with what a version of the table has for them.
#pragma once

#include <memory>
#include <vector>

#include "compute/evaluator.h"
#include "engine/internal/device_table.h"
#include "engine/internal/lookup_index.h"
#include "sql/plan.h"

namespace tidegate::engine {

// Keeps these rows, in order, of both; `times` may be null.
void keep_rows(columnar::Batch& batch, RowTimes* times, std::span<const uint32_t> rows);

// One worker's. One thread at a time.
class LookupProbe {
 public:
  // `node` must outlive it.
  explicit LookupProbe(const sql::PlanNode& node);

  // Replaces `batch` by the join's result; `times`, if given, keeps in step with the rows.
  void run(columnar::Batch& batch, RowTimes* times, const LookupIndex& index);

 private:
  void find_rows(const columnar::Batch& batch, const LookupIndex& index);
  [[nodiscard]] bool has_values(const LookupIndex& index, size_t row) const;
  void add_mark(columnar::Batch& batch, const LookupIndex& index);
  void drop_unmatched(columnar::Batch& batch, RowTimes* times);
  void add_columns(columnar::Batch& batch, const LookupIndex& index) const;
  void check_match(columnar::Batch& joined, const LookupIndex& index);

  const sql::PlanNode& node_;
  const sql::LookupJoin& join_;
  std::vector<std::unique_ptr<compute::Evaluator>> keys_;
  std::unique_ptr<compute::Evaluator> time_;   // null: none
  std::unique_ptr<compute::Evaluator> match_;  // null: none
  ProbeMemory memory_;
  std::vector<columnar::ColumnPtr> key_columns_;
  columnar::ColumnPtr times_;    // if there is time_
  std::vector<uint32_t> found_;  // the table's row of each row, or LookupIndex::kNone
  std::vector<uint32_t> kept_;
};

}  // namespace tidegate::engine
