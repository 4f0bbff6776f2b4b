// Evaluates bound expressions over batches, a column at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "columnar/batch.h"
#include "sql/expression.h"

namespace tidegate::compute {

// One compiled expression. Holds scratch memory: one thread at a time.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // One value per row of `input`. What SQL cannot compute (overflow, a text that is no number, division by zero) is
  // NULL and counted in `errors()`.
  [[nodiscard]] virtual columnar::ColumnPtr evaluate(const columnar::Batch& input) = 0;
  [[nodiscard]] virtual uint64_t errors() const = 0;
};

[[nodiscard]] std::unique_ptr<Evaluator> compile(const sql::Expression& expression);

// Rows for which a BOOLEAN column is true, in order, into `rows` (cleared first).
void true_rows(const columnar::Column& condition, std::vector<uint32_t>& rows);

}  // namespace tidegate::compute
