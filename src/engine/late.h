// Late rows: what a pipeline's late stream looks like.
#pragma once

#include "columnar/batch.h"
#include "sql/plan.h"

namespace tidegate::engine {

// The schema of the rows that a plan may find too late: the input columns of its window aggregate. Null when the
// plan has none. All columns are nullable: a record without event time belongs to no window and goes there too.
[[nodiscard]] columnar::SchemaPtr late_schema(const sql::Plan& plan);

}  // namespace tidegate::engine
