// What lies on a link of the graph: a run of filters, projections, unions, lookup joins and arrays taken apart.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compute/evaluator.h"
#include "engine/internal/graph.h"
#include "engine/internal/lookup_probe.h"
#include "engine/internal/unnest_step.h"

namespace tidegate::engine {

// One thread at a time.
class StatelessStage {
 public:
  StatelessStage(const GraphPlan& graph, std::span<const sql::PlanNode* const> steps);

  // Replaces `batch` by the stage's result; `times`, if given, keeps in step with the rows. `lookups`: the indexes of
  // the graph's lookup joins, in their order.
  void run(columnar::Batch& batch, RowTimes* times, std::span<const LookupIndexPtr> lookups);
  // How many steps make several rows of one.
  [[nodiscard]] size_t unnests() const { return unnests_; }
  // Adds this copy's counters to those of the operators.
  void add_status(std::vector<OperatorStatus>& operators) const;

 private:
  struct Step {
    const sql::PlanNode* node;
    size_t position;  // in the graph's nodes
    std::vector<std::unique_ptr<compute::Evaluator>> evaluators = {};
    std::unique_ptr<LookupProbe> probe = nullptr;
    size_t lookup = 0;  // of a probe, in the graph's lookups
    std::unique_ptr<UnnestStep> unnest = nullptr;
    uint64_t rows_in = 0;
    uint64_t rows_out = 0;
  };
  void filter(Step& step, columnar::Batch& batch, RowTimes* times);
  static void project(Step& step, columnar::Batch& batch);

  std::vector<Step> steps_;
  std::vector<uint32_t> rows_;
  size_t unnests_ = 0;
};

}  // namespace tidegate::engine
