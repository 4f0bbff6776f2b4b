#include "engine/internal/operator_plan.h"

#include "engine/internal/detect_stage.h"
#include "engine/internal/over_stage.h"
#include "engine/internal/window_stage.h"

namespace tidegate::engine {

bool is_stateful(const sql::PlanNode& node) {
  return std::holds_alternative<sql::WindowAggregate>(node.node) || std::holds_alternative<sql::Over>(node.node) ||
         std::holds_alternative<sql::Detect>(node.node);
}

bool keyed_by_device(const sql::PlanNode& node) {
  if (const auto* window = std::get_if<sql::WindowAggregate>(&node.node)) return window->keyed_by_device;
  if (const auto* over = std::get_if<sql::Over>(&node.node)) return over->keyed_by_device;
  if (const auto* detect = std::get_if<sql::Detect>(&node.node)) return detect->keyed_by_device;
  return false;
}

std::optional<size_t> device_column(const sql::PlanNode& node) {
  const auto* window = std::get_if<sql::WindowAggregate>(&node.node);
  if (window != nullptr && window->has_device_column) return window->device_column;
  const auto* over = std::get_if<sql::Over>(&node.node);
  if (over != nullptr && over->has_device_column) return over->device_column;
  const auto* detect = std::get_if<sql::Detect>(&node.node);
  if (detect != nullptr && detect->has_device_column) return detect->device_column;
  return std::nullopt;
}

Result<std::unique_ptr<OperatorPlan>> plan_operator(const sql::PlanNode& node, const OperatorPlace& place) {
  if (std::holds_alternative<sql::WindowAggregate>(node.node)) return plan_window(node, place);
  if (std::holds_alternative<sql::Over>(node.node)) return plan_over(node, place);
  if (std::holds_alternative<sql::Detect>(node.node)) return plan_detect(node, place);
  return fail(ErrorCode::SqlUnsupported, "the engine has no such operator");
}

}  // namespace tidegate::engine
