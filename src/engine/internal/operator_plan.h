// What all workers' copies of a stateful operator share: its plan node, worked out, and how to make a copy.
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "engine/internal/stateful_operator.h"
#include "sql/plan.h"

namespace tidegate::engine {

// Immutable.
class OperatorPlan {
 public:
  OperatorPlan() = default;
  virtual ~OperatorPlan() = default;
  OperatorPlan(const OperatorPlan&) = delete;
  OperatorPlan& operator=(const OperatorPlan&) = delete;

  // `devices` must outlive the copy.
  [[nodiscard]] virtual std::unique_ptr<StatefulOperator> make(DeviceTable& devices, int workers) const = 0;
};

// What the graph has found out about the place an operator stands at.
struct OperatorPlace {
  bool own_watermarks = false;
  bool adopts_input = false;  // stands right above one input
  // The longest of the inputs'.
  int64_t close_after_us = 0;
  int64_t idle_timeout_us = 0;
  int64_t delay_us = 0;  // of the watermark behind the newest event time
};

[[nodiscard]] bool is_stateful(const sql::PlanNode& node);
// Whether the keys contain the device, so that each device's own watermark may close what it has.
[[nodiscard]] bool keyed_by_device(const sql::PlanNode& node);
// The column of the operator's input that names the device.
[[nodiscard]] std::optional<size_t> device_column(const sql::PlanNode& node);
// Of a stateful node. SqlUnsupported or SqlInvalidWindow for what cannot be computed.
[[nodiscard]] Result<std::unique_ptr<OperatorPlan>> plan_operator(const sql::PlanNode& node,
                                                                  const OperatorPlace& place);

}  // namespace tidegate::engine
