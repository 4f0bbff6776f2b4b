// A plan as the chain of operators that runs it: scan, filters and projections, at most one window aggregate, more
// filters and projections.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "compute/evaluator.h"
#include "engine/engine.h"
#include "engine/internal/device_table.h"
#include "engine/internal/window_plan.h"
#include "sql/plan.h"

namespace tidegate::engine {

// Which kinds of rows an operator can take, and which it makes of inserts.
struct RowKinds {
  bool accepts_updates = false;
  bool produces_updates = false;
};
[[nodiscard]] RowKinds row_kinds(const sql::PlanNode& node);
[[nodiscard]] std::string_view operator_kind(const sql::PlanNode& node);

// Immutable; all workers' copies refer to it.
class ChainPlan {
 public:
  // SqlUnsupported for plans this engine has no operators for, SqlInvalidWindow for windows that cannot be computed.
  [[nodiscard]] static Result<std::unique_ptr<ChainPlan>> build(sql::Plan plan);

  [[nodiscard]] const catalog::StreamDefinition& source() const { return *scan_->stream; }
  [[nodiscard]] const sql::Scan& scan() const { return *scan_; }
  [[nodiscard]] const columnar::SchemaPtr& output() const { return plan_.root->output; }
  [[nodiscard]] const std::vector<const sql::PlanNode*>& nodes() const { return nodes_; }
  // Position in nodes() of the window aggregate; nodes().size() if there is none.
  [[nodiscard]] size_t window_at() const { return window_at_; }
  [[nodiscard]] const WindowPlan* window() const { return window_ ? &*window_ : nullptr; }
  // The operator that state is stored under; empty if the chain has no state.
  [[nodiscard]] std::string_view state_id() const;
  // The source's columns that a batch is cut down to: those of the scan, then what the watermarks need besides.
  [[nodiscard]] const std::vector<size_t>& columns() const { return columns_; }
  [[nodiscard]] std::optional<size_t> time_at() const { return time_at_; }      // in columns()
  [[nodiscard]] std::optional<size_t> device_at() const { return device_at_; }  // in columns()

 private:
  Result<> link();
  Result<> check_window() const;
  void choose_columns();
  size_t column_position(size_t source_column);

  sql::Plan plan_;
  const sql::Scan* scan_ = nullptr;
  std::vector<const sql::PlanNode*> nodes_;  // scan first
  size_t window_at_ = 0;
  std::optional<WindowPlan> window_;
  std::vector<size_t> columns_;
  std::optional<size_t> time_at_;
  std::optional<size_t> device_at_;
};

// A run of filters and projections. One thread at a time.
class StatelessStage {
 public:
  // Nodes [first, last) of the chain.
  StatelessStage(const ChainPlan& chain, size_t first, size_t last);

  // Replaces `batch` by the stage's result; `times`, if given, keeps in step with the rows.
  void run(columnar::Batch& batch, RowTimes* times);
  // Adds this copy's counters to those of the operators.
  void add_status(std::vector<OperatorStatus>& operators) const;

 private:
  struct Step {
    const sql::PlanNode* node;
    size_t position;  // in the chain
    std::vector<std::unique_ptr<compute::Evaluator>> evaluators;
    uint64_t rows_in = 0;
    uint64_t rows_out = 0;
  };
  void filter(Step& step, columnar::Batch& batch, RowTimes* times);
  static void project(Step& step, columnar::Batch& batch);

  std::vector<Step> steps_;
  std::vector<uint32_t> rows_;
};

}  // namespace tidegate::engine
