#include "engine/internal/stateless_stage.h"

#include <algorithm>

namespace tidegate::engine {

StatelessStage::StatelessStage(const GraphPlan& graph, std::span<const sql::PlanNode* const> steps) {
  for (const sql::PlanNode* node : steps) {
    Step step{node, graph.position_of(node)};
    if (const auto* filter = std::get_if<sql::Filter>(&node->node)) {
      step.evaluators.push_back(compute::compile(filter->predicate));
    } else if (const auto* project = std::get_if<sql::Project>(&node->node)) {
      for (const sql::Expression& expression : project->expressions) {
        step.evaluators.push_back(compute::compile(expression));
      }
    } else if (std::holds_alternative<sql::LookupJoin>(node->node)) {
      step.probe = std::make_unique<LookupProbe>(*node);
      const auto found = std::ranges::find(graph.lookups(), node, &LookupPlan::node);
      step.lookup = static_cast<size_t>(found - graph.lookups().begin());
    } else if (std::holds_alternative<sql::Unnest>(node->node)) {
      step.unnest = std::make_unique<UnnestStep>(*node);
      ++unnests_;
    }
    steps_.push_back(std::move(step));
  }
}

void StatelessStage::run(columnar::Batch& batch, RowTimes* times, std::span<const LookupIndexPtr> lookups) {
  for (Step& step : steps_) {
    if (batch.rows == 0) return;
    step.rows_in += batch.rows;
    if (std::holds_alternative<sql::Filter>(step.node->node)) {
      filter(step, batch, times);
    } else if (std::holds_alternative<sql::Project>(step.node->node)) {
      project(step, batch);
    } else if (step.probe != nullptr) {
      step.probe->run(batch, times, *lookups[step.lookup]);
    } else if (step.unnest != nullptr) {
      step.unnest->run(batch, times);
    } else {
      batch.schema = step.node->output;  // a union: the columns are the same, their names may not be
    }
    step.rows_out += batch.rows;
  }
}

void StatelessStage::filter(Step& step, columnar::Batch& batch, RowTimes* times) {
  const columnar::ColumnPtr keep = step.evaluators.front()->evaluate(batch);
  compute::true_rows(*keep, rows_);
  keep_rows(batch, times, rows_);
}

void StatelessStage::project(Step& step, columnar::Batch& batch) {
  columnar::Batch out{step.node->output, {}, std::move(batch.kinds), batch.rows};
  for (const auto& evaluator : step.evaluators) out.columns.push_back(evaluator->evaluate(batch));
  batch = std::move(out);
}

void StatelessStage::add_status(std::vector<OperatorStatus>& operators) const {
  for (const Step& step : steps_) {
    operators[step.position].rows_in += step.rows_in;
    operators[step.position].rows_out += step.rows_out;
    for (const auto& evaluator : step.evaluators) operators[step.position].errors += evaluator->errors();
  }
}

}  // namespace tidegate::engine
