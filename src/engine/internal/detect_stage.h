// Detection functions as a stage of the graph: rows in event-time order in, alerts raised and cleared out.
#pragma once

#include "engine/internal/operator_plan.h"

namespace tidegate::engine {

// Of a Detect node.
[[nodiscard]] Result<std::unique_ptr<OperatorPlan>> plan_detect(const sql::PlanNode& node, const OperatorPlace& place);

}  // namespace tidegate::engine
