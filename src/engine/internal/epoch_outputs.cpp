#include "engine/internal/epoch_outputs.h"

#include <algorithm>

namespace tidegate::engine {

columnar::Batch as_rows_of(const catalog::StreamDefinition& stream, columnar::Batch batch,
                           columnar::StringPool& devices) {
  batch.schema = stream.schema;
  if (!stream.device_column || *stream.device_column >= batch.columns.size()) return batch;
  columnar::ColumnPtr& column = batch.columns[*stream.device_column];
  if (column->pool == &devices || column->type != columnar::TypeKind::kString) return batch;
  columnar::ColumnBuilder encoded(devices);
  encoded.reserve(column->rows);
  for (size_t row = 0; row < column->rows; ++row) {
    const auto code = column->valid(row) ? devices.intern(column->string_at(row)) : std::nullopt;
    if (code) {
      encoded.append<uint32_t>(code->value);
    } else {
      encoded.append_null();
    }
  }
  column = encoded.finish();
  return batch;
}

void add_rows(StreamId stream, columnar::Batch rows, log::EpochCommit& epoch, size_t max_bytes) {
  const size_t bytes = rows.memory_bytes();
  if (rows.rows == 0) return;
  if (bytes <= max_bytes || rows.rows == 1) {
    epoch.outputs.emplace_back(stream, std::move(rows));
    return;
  }
  // Rows of one size are done at once; where some are much larger than others, a part may have to be split again.
  const size_t parts = std::min(bytes / max_bytes + 1, rows.rows);
  const size_t step = (rows.rows + parts - 1) / parts;
  for (size_t at = 0; at < rows.rows; at += step) {
    add_rows(stream, columnar::slice(rows, at, std::min(step, rows.rows - at)), epoch, max_bytes);
  }
}

}  // namespace tidegate::engine
