// UNNEST at work: a batch's rows, each once for each element of an array.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "compute/evaluator.h"
#include "engine/internal/device_table.h"
#include "sql/plan.h"

namespace tidegate::engine {

// What the rows of a part may become at once. Their other columns stand in each of them: a text of 500 KB beside an
// array of as many would be 250 GB.
inline constexpr size_t kMaxUnnestedBytes = 64U << 20;

// Parts of a batch, in order, that become at most kMaxUnnestedBytes when `unnests` arrays of their rows are taken
// apart; parts of one row may become more. Arrays that are computed count as what they are computed of.
void for_each_part(const columnar::Batch& batch, size_t unnests, const std::function<void(columnar::Batch)>& take);

// One worker's. One thread at a time.
class UnnestStep {
 public:
  // `node` must outlive it.
  explicit UnnestStep(const sql::PlanNode& node);

  // Replaces `batch` by its elements; `times`, if given, keeps in step with the rows. Rows that do not fit into
  // kMaxUnnestedBytes any more count as without elements.
  void run(columnar::Batch& batch, RowTimes* times);

 private:
  void find_elements(const columnar::Batch& batch, const columnar::Column& arrays);
  [[nodiscard]] columnar::ColumnPtr column_of(const columnar::Column& elements, size_t field);
  [[nodiscard]] columnar::ColumnPtr numbers() const;

  const sql::PlanNode& node_;
  const sql::Unnest& unnest_;
  std::unique_ptr<compute::Evaluator> array_;
  std::vector<uint32_t> rows_;      // of each row that comes out, the one that it is made of
  std::vector<uint32_t> elements_;  // and its element, or kNoRow
  std::vector<uint32_t> present_;   // the same, without elements that are NULL
  std::vector<int32_t> numbers_;    // of the element in its array, from 1; 0: none
  RowTimes times_;
  bool said_ = false;  // that a row was too large
};

}  // namespace tidegate::engine
