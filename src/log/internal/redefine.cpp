// An open stream gets another definition: columns at its end.
#include <algorithm>

#include "log/internal/log_core.h"

namespace tidegate::log::internal {

void fit_columns(columnar::Batch& rows, const PieceShape& shape, const columnar::StringPool& devices) {
  const std::vector<columnar::Field>& fields = shape.schema->fields;
  rows.schema = shape.schema;
  if (rows.columns.size() > fields.size()) rows.columns.resize(fields.size());
  for (size_t at = rows.columns.size(); at < fields.size(); ++at) {
    rows.columns.push_back(null_column(fields[at].type, rows.rows, shape.device_column == at ? &devices : nullptr));
  }
}

// The tail too: whoever plans by the new definition finds its columns in everything that it reads.
Result<> LogCore::apply(const RedefineItem& item) {
  const catalog::StreamDefinition& definition = *item.definition;
  PieceShape shape{definition.schema, definition.time_column, definition.device_column};
  auto shared = shared_.lock();
  const auto found = shared->streams.find(definition.id);
  if (found == shared->streams.end()) return {};  // dropped meanwhile
  Stream& stream = *found->second;
  for (LogBatchPtr& kept : stream.tail) {
    if (kept->batch.columns.size() == shape.schema->fields.size()) continue;
    LogBatch changed = *kept;
    shared->tail_bytes -= kept->batch.memory_bytes();
    fit_columns(changed.batch, shape, devices_);
    shared->tail_bytes += changed.batch.memory_bytes();
    kept = std::make_shared<const LogBatch>(std::move(changed));  // shared as every LogBatch
  }
  stream.definition = item.definition;
  stream.shape = std::move(shape);
  stream.retention_us = item.retention_us;
  return {};
}

}  // namespace tidegate::log::internal
