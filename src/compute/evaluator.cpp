#include "compute/evaluator.h"

#include <optional>

#include "base/check.h"
#include "compute/internal/nodes.h"

namespace tidegate::compute {

namespace {

class CompiledEvaluator final : public Evaluator {
 public:
  explicit CompiledEvaluator(const sql::Expression& expression) : root_(compile_node(expression)) {}

  columnar::ColumnPtr evaluate(const columnar::Batch& input) override {
    if (const auto column = root_->input_column()) return input.columns[*column];
    Run run{input};
    const Value value = root_->run(run);
    errors_ += run.errors;
    if (value.constant) return spread(*value.column, input.rows);
    // Whoever asked keeps the result; everything below it is used again for the next batch.
    return std::make_shared<const Column>(std::move(*root_->own_result()));
  }

  uint64_t errors() const override { return errors_; }

 private:
  // One value for `rows` rows.
  static columnar::ColumnPtr spread(const Column& value, size_t rows) {
    const std::vector<uint32_t> first(rows, 0);
    return columnar::gather(value, first);
  }

  NodePtr root_;
  uint64_t errors_ = 0;
};

}  // namespace

std::unique_ptr<Evaluator> compile(const sql::Expression& expression) {
  return std::make_unique<CompiledEvaluator>(expression);
}

void true_rows(const Column& condition, std::vector<uint32_t>& rows) {
  CHECK(condition.type == TypeKind::kBoolean);
  const auto truth = condition.values<uint8_t>();
  rows.resize(condition.rows);
  size_t count = 0;
  // Without a branch: every row is written, and the next one overwrites it unless it counts.
  if (!condition.has_nulls()) {
    for (size_t row = 0; row < condition.rows; ++row) {
      rows[count] = static_cast<uint32_t>(row);
      count += truth[row] & 1U;
    }
  } else {
    const uint64_t* valid = condition.validity.words().data();
    for (size_t row = 0; row < condition.rows; ++row) {
      rows[count] = static_cast<uint32_t>(row);
      count += truth[row] & (valid[row / 64] >> (row % 64)) & 1U;
    }
  }
  rows.resize(count);
}

}  // namespace tidegate::compute
