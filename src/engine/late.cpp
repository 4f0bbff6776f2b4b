#include "engine/late.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/internal/operator_plan.h"

namespace tidegate::engine {

LateLayout::LateLayout(const sql::Plan& plan) {
  columnar::Schema schema;
  if (plan.root != nullptr) walk(*plan.root, schema);
  if (!places_.empty()) schema_ = std::make_shared<const columnar::Schema>(std::move(schema));
}

void LateLayout::walk(const sql::PlanNode& node, columnar::Schema& schema) {
  for (const auto& input : node.inputs) walk(*input, schema);
  if (is_stateful(node) && !node.inputs.empty()) add(*node.inputs.front()->output, schema);
}

void LateLayout::add(const columnar::Schema& input, columnar::Schema& schema) {
  std::vector<size_t>& places = places_.emplace_back();
  const bool first = places_.size() == 1;
  for (const columnar::Field& field : input.fields) {
    const auto unused = [&](size_t at) {
      return !first && schema.fields[at].name == field.name && schema.fields[at].type == field.type &&
             std::ranges::find(places, at) == places.end();
    };
    size_t at = 0;
    while (at < schema.fields.size() && !unused(at)) ++at;
    places.push_back(at);
    if (at < schema.fields.size()) continue;
    std::string name = field.name;
    for (int copy = 2; !first && schema.index_of(name).has_value(); ++copy)
      name = fmt::format("{}_{}", field.name, copy);
    schema.fields.push_back({std::move(name), field.type, true});
  }
}

columnar::Batch LateLayout::place(size_t index, columnar::Batch rows) const {
  const std::vector<size_t>& places = places_.at(index);
  columnar::Batch placed{schema_, {}, std::move(rows.kinds), rows.rows};
  for (size_t column = 0; column < schema_->fields.size(); ++column) {
    const auto from = std::ranges::find(places, column);
    if (from != places.end()) {
      placed.columns.push_back(std::move(rows.columns[static_cast<size_t>(from - places.begin())]));
      continue;
    }
    columnar::ColumnBuilder nothing(schema_->fields[column].type);
    for (size_t row = 0; row < rows.rows; ++row) nothing.append_null();
    placed.columns.push_back(nothing.finish());
  }
  return placed;
}

}  // namespace tidegate::engine
