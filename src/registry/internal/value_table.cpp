#include "registry/internal/value_table.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "columnar/value_bytes.h"

namespace tidegate::registry {

using columnar::TypeKind;

bool ValueTable::can_follow(const catalog::StreamDefinition& stream) { return stream.device_column.has_value(); }

ValueTable::ValueTable(std::shared_ptr<const catalog::StreamDefinition> stream) : stream_(std::move(stream)) {
  plan_columns(0);
}

void ValueTable::add_columns(std::shared_ptr<const catalog::StreamDefinition> stream) {
  const size_t known = stream_->schema->fields.size();
  const size_t width = plans_.size();
  stream_ = std::move(stream);
  plan_columns(known);
  std::vector<Cell> wider(rows_.size() * plans_.size());
  for (size_t row = 0; row < rows_.size(); ++row) {
    std::copy_n(cells_.begin() + static_cast<ptrdiff_t>(row * width), width,
                wider.begin() + static_cast<ptrdiff_t>(row * plans_.size()));
  }
  cells_ = std::move(wider);
}

void ValueTable::plan_columns(size_t first) {
  columnar::BatchBuilder nulls(stream_->schema);
  for (size_t column = 0; column < nulls.column_count(); ++column) nulls.column(column).append_null();
  nulls.end_row();
  nothing_ = nulls.finish();
  for (size_t column = first; column < stream_->schema->fields.size(); ++column) {
    if (column == stream_->device_column) continue;
    switch (stream_->schema->fields[column].type) {
      case TypeKind::kBoolean:
      case TypeKind::kInt:
      case TypeKind::kBigint:
      case TypeKind::kFloat:
      case TypeKind::kDouble:
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz: plans_.push_back({column, Kept::kFixed}); break;
      case TypeKind::kString:
      case TypeKind::kBytes: plans_.push_back({column, Kept::kText}); break;
      case TypeKind::kDecimal:
      case TypeKind::kArray:
      case TypeKind::kRow: plans_.push_back({column, Kept::kBytes}); break;
      default: break;  // of other types only that the device was heard is kept
    }
  }
}

size_t ValueTable::bytes() const {
  return row_of_code_.capacity() * sizeof(uint32_t) + rows_.capacity() * sizeof(Row) +
         cells_.capacity() * sizeof(Cell) + texts_.capacity() * sizeof(std::string) + text_bytes_;
}

// Vectors double when they are full: that is what must fit.
size_t ValueTable::cost_of_row(uint32_t code) const {
  const auto growth = [](const auto& vector, size_t more) {
    const size_t wanted = vector.size() + more;
    return wanted > vector.capacity() ? std::max(wanted, vector.capacity()) * sizeof(vector[0]) : 0;
  };
  const size_t numbers = code < row_of_code_.size() ? 0 : std::max<size_t>(code + 1, row_of_code_.size() * 2);
  return growth(rows_, 1) + growth(cells_, plans_.size()) + growth(texts_, plans_.size()) + numbers * sizeof(uint32_t);
}

ValueTable::Row* ValueTable::row_of(uint32_t code) {
  if (code < row_of_code_.size() && row_of_code_[code] != kNoRow) return &rows_[row_of_code_[code] - 1];
  if (bytes() + cost_of_row(code) > room_) {
    ++refused_;
    return nullptr;
  }
  if (code >= row_of_code_.size()) row_of_code_.resize(std::max<size_t>(code + 1, row_of_code_.size() * 3 / 2), kNoRow);
  rows_.emplace_back();
  cells_.resize(cells_.size() + plans_.size());
  row_of_code_[code] = static_cast<uint32_t>(rows_.size());
  return &rows_.back();
}

int64_t ValueTable::event_time(const log::LogBatch& batch, size_t row) const {
  if (!stream_->time_column) return batch.ingest_time.value;
  const columnar::Column& column = *batch.batch.columns[*stream_->time_column];
  return column.valid(row) ? column.values<int64_t>()[row] : batch.ingest_time.value;
}

void ValueTable::find_winners(const log::LogBatch& batch) {
  const columnar::Column& devices = *batch.batch.columns[*stream_->device_column];
  const auto codes = devices.values<uint32_t>();
  touched_.clear();
  ++batches_;
  for (size_t at = 0; at < batch.batch.rows; ++at) {
    if (!devices.valid(at)) continue;
    Row* row = row_of(codes[at]);
    if (row == nullptr) continue;
    const int64_t time_us = event_time(batch, at);
    if (row->batch != batches_) {
      row->batch = batches_;
      row->winner = static_cast<uint32_t>(at);
      row->winner_time_us = time_us;
      touched_.push_back(static_cast<uint32_t>(row - rows_.data()));
    } else if (time_us >= row->winner_time_us) {
      row->winner = static_cast<uint32_t>(at);
      row->winner_time_us = time_us;
    }
    row->offset = batch.first.value + static_cast<int64_t>(at);
    row->seen_us = batch.ingest_time.value;
  }
}

void ValueTable::put(const columnar::Column& column, size_t plan, size_t source_row, size_t row, int64_t time_us) {
  Cell& cell = cells_[row * plans_.size() + plan];
  if (time_us < cell.time_us) return;
  if (plans_[plan].kept != Kept::kFixed && cell.bits == 0 && bytes() + kMaxKeptTextBytes > room_) {
    ++refused_;
    return;
  }
  cell.time_us = time_us;
  if (plans_[plan].kept == Kept::kFixed) {
    const size_t width = columnar::value_width(column.type);
    cell.bits = 0;
    std::memcpy(&cell.bits, column.fixed.data() + source_row * width, width);
    return;
  }
  if (cell.bits == 0) {
    texts_.emplace_back();
    cell.bits = texts_.size();
  }
  std::string& text = texts_[cell.bits - 1];
  text_bytes_ -= text.capacity();
  if (plans_[plan].kept == Kept::kText) {
    text.assign(column.string_at(source_row).substr(0, kMaxKeptTextBytes));
  } else {
    text.clear();
    columnar::append_value_bytes(column, source_row, text);
    if (text.size() > kMaxKeptTextBytes) {  // an array cut short would look like a whole one
      text.clear();
      text.shrink_to_fit();
    }
  }
  text_bytes_ += text.capacity();
}

// A column without NULLs has its last value in each device's newest row; only one with NULLs is gone through row by
// row.
void ValueTable::take(const log::LogBatch& batch, size_t room) {
  room_ = room;
  find_winners(batch);
  const columnar::Column& devices = *batch.batch.columns[*stream_->device_column];
  const auto codes = devices.values<uint32_t>();
  for (size_t plan = 0; plan < plans_.size(); ++plan) {
    if (plans_[plan].column >= batch.batch.columns.size()) break;  // read before the column came
    const columnar::Column& column = *batch.batch.columns[plans_[plan].column];
    if (!column.has_nulls()) {
      for (const uint32_t row : touched_) put(column, plan, rows_[row].winner, row, rows_[row].winner_time_us);
      continue;
    }
    for (size_t at = 0; at < batch.batch.rows; ++at) {
      if (!column.valid(at) || !devices.valid(at) || codes[at] >= row_of_code_.size()) continue;
      const uint32_t row = row_of_code_[codes[at]];
      if (row != kNoRow) put(column, plan, at, row - 1, event_time(batch, at));
    }
  }
}

columnar::ColumnPtr ValueTable::cell_column(const ColumnPlan& plan, const Cell& cell) const {
  if (plan.kept == Kept::kBytes) {
    columnar::ColumnBuilder builder(stream_->schema->fields[plan.column].type);
    ByteReader in(texts_[cell.bits - 1]);
    CHECK(columnar::read_value_bytes(in, builder));
    return builder.finish();
  }
  columnar::Column column;
  column.type = stream_->schema->fields[plan.column].type;
  column.rows = 1;
  if (plan.kept == Kept::kFixed) {
    column.fixed.resize(columnar::value_width(column.type));
    std::memcpy(column.fixed.data(), &cell.bits, columnar::value_width(column.type));
  } else {
    const std::string& text = texts_[cell.bits - 1];
    column.text.append({text.data(), text.size()});
    column.offsets.push_back(0);
    column.offsets.push_back(static_cast<uint32_t>(text.size()));
  }
  return std::make_shared<const columnar::Column>(std::move(column));
}

bool ValueTable::fill(StringCode device, StreamState& state) const {
  state.row = nothing_;
  state.times_us.assign(nothing_.columns.size(), std::nullopt);
  if (device.value >= row_of_code_.size() || row_of_code_[device.value] == kNoRow) return false;
  const size_t row = row_of_code_[device.value] - 1;
  state.offset = Offset{rows_[row].offset};
  state.seen_us = rows_[row].seen_us;
  for (size_t plan = 0; plan < plans_.size(); ++plan) {
    const Cell& cell = cells_[row * plans_.size() + plan];
    if (cell.time_us == kNoTime) continue;
    const bool too_large = plans_[plan].kept == Kept::kBytes && texts_[cell.bits - 1].empty();
    if (!too_large) state.row.columns[plans_[plan].column] = cell_column(plans_[plan], cell);
    state.times_us[plans_[plan].column] = cell.time_us;
  }
  return true;
}

std::optional<int64_t> ValueTable::seen_us(StringCode device) const {
  if (device.value >= row_of_code_.size() || row_of_code_[device.value] == kNoRow) return std::nullopt;
  return rows_[row_of_code_[device.value] - 1].seen_us;
}

}  // namespace tidegate::registry
