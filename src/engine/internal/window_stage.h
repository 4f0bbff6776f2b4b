// Window aggregates as stages of the graph.
#pragma once

#include "engine/internal/operator_plan.h"

namespace tidegate::engine {

// Of a WindowAggregate node. SqlInvalidWindow for windows that cannot be computed.
[[nodiscard]] Result<std::unique_ptr<OperatorPlan>> plan_window(const sql::PlanNode& node, const OperatorPlace& place);

}  // namespace tidegate::engine
