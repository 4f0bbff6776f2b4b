// Late rows: what a pipeline's late stream looks like.
#pragma once

#include <vector>

#include "columnar/batch.h"
#include "sql/plan.h"

namespace tidegate::engine {

// The columns of the rows that a plan may find too late: those of the inputs of its stateful operators, in the order
// rows meet them. Columns of one name and type are shared between operators; a row has NULL in those that its operator
// does not have. All are nullable: a record without event time belongs to no window and goes there too.
class LateLayout {
 public:
  explicit LateLayout(const sql::Plan& plan);

  // Null if no operator can find a row late.
  [[nodiscard]] const columnar::SchemaPtr& schema() const { return schema_; }
  // Rows that the `index`th stateful operator found late, as rows of the schema.
  [[nodiscard]] columnar::Batch place(size_t index, columnar::Batch rows) const;

 private:
  void walk(const sql::PlanNode& node, columnar::Schema& schema);
  void add(const columnar::Schema& input, columnar::Schema& schema);

  columnar::SchemaPtr schema_;
  std::vector<std::vector<size_t>> places_;  // by operator: the schema's column of each of its columns
};

[[nodiscard]] inline columnar::SchemaPtr late_schema(const sql::Plan& plan) { return LateLayout(plan).schema(); }

}  // namespace tidegate::engine
