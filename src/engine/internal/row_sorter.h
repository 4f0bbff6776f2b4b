// ORDER BY: keeps rows and gives them back in order. With a LIMIT it keeps only as many as may be wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "columnar/batch.h"
#include "sql/plan.h"

namespace tidegate::engine {

// One thread at a time. Rows that no key tells apart stay in the order they came in.
class RowSorter {
 public:
  // `keep`: how many of the first rows are wanted; nothing: all.
  RowSorter(std::vector<sql::SortKey> keys, std::optional<uint64_t> keep) : keys_(std::move(keys)), keep_(keep) {}

  void add(columnar::Batch rows);
  // After the last add(): puts all that is kept in order, for next() to give piece by piece.
  void sort();
  // Nothing at the end.
  [[nodiscard]] std::optional<columnar::Batch> next();
  // With what sort() will take for a moment.
  [[nodiscard]] size_t memory_bytes() const {
    return (sorted_ ? bytes_ : 2 * bytes_) + (rows_ + order_.size()) * sizeof(uint32_t);
  }

 private:
  // Rows beyond those wanted before they are thrown out: enough for that to be rare.
  static constexpr size_t kSlackRows = 65'536;
  static constexpr size_t kBatchRows = 8192;

  [[nodiscard]] bool before(const columnar::Batch& all, uint32_t left, uint32_t right) const;
  void trim();

  const std::vector<sql::SortKey> keys_;
  const std::optional<uint64_t> keep_;
  std::vector<columnar::Batch> parts_;  // the only one, once sorted
  size_t rows_ = 0;
  size_t bytes_ = 0;
  std::vector<uint32_t> order_;  // of the rows of parts_.front()
  size_t given_ = 0;             // of order_
  bool sorted_ = false;
};

// Less than, equal to or greater than zero; NULL is the least, NaN the greatest of numbers. Columns of one type.
[[nodiscard]] int compare_rows(const columnar::Column& column, size_t left, size_t right);

}  // namespace tidegate::engine
