#include "engine/late.h"

namespace tidegate::engine {

columnar::SchemaPtr late_schema(const sql::Plan& plan) {
  const sql::PlanNode* node = plan.root.get();
  while (node != nullptr) {
    const sql::PlanNode* input = node->inputs.empty() ? nullptr : node->inputs.front().get();
    if (std::holds_alternative<sql::WindowAggregate>(node->node) && input != nullptr) {
      auto schema = std::make_shared<columnar::Schema>(*input->output);
      for (columnar::Field& field : schema->fields) field.nullable = true;
      return schema;
    }
    node = input;
  }
  return nullptr;
}

}  // namespace tidegate::engine
