// OVER as a stage of the graph: each row with what is computed of the rows before it.
#pragma once

#include "engine/internal/operator_plan.h"

namespace tidegate::engine {

// Of an Over node.
[[nodiscard]] Result<std::unique_ptr<OperatorPlan>> plan_over(const sql::PlanNode& node, const OperatorPlace& place);

}  // namespace tidegate::engine
