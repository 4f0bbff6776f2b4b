#include "engine/internal/lookup_probe.h"

#include <algorithm>

namespace tidegate::engine {

using columnar::Column;
using columnar::ColumnPtr;
using columnar::TypeKind;

static_assert(LookupIndex::kNone == columnar::kNoRow);

void keep_rows(columnar::Batch& batch, RowTimes* times, std::span<const uint32_t> rows) {
  if (rows.size() == batch.rows) return;
  batch = columnar::gather(batch, rows);
  if (times == nullptr) return;
  for (size_t i = 0; i < rows.size(); ++i) {
    times->device[i] = times->device[rows[i]];
    times->watermark[i] = times->watermark[rows[i]];
  }
  times->resize(rows.size());
}

LookupProbe::LookupProbe(const sql::PlanNode& node) : node_(node), join_(std::get<sql::LookupJoin>(node.node)) {
  for (const sql::Expression& key : join_.keys) keys_.push_back(compute::compile(key));
  if (join_.time) time_ = compute::compile(*join_.time);
  if (join_.match) match_ = compute::compile(*join_.match);
}

void LookupProbe::run(columnar::Batch& batch, RowTimes* times, const LookupIndex& index) {
  find_rows(batch, index);
  switch (join_.kind) {
    case sql::LookupKind::kIn:
    case sql::LookupKind::kExists: add_mark(batch, index); break;
    case sql::LookupKind::kInner:
      drop_unmatched(batch, times);
      add_columns(batch, index);
      break;
    case sql::LookupKind::kLeft:
      if (match_ != nullptr) {
        columnar::Batch joined = batch;
        add_columns(joined, index);
        check_match(joined, index);
      }
      add_columns(batch, index);
      break;
  }
}

void LookupProbe::find_rows(const columnar::Batch& batch, const LookupIndex& index) {
  key_columns_.clear();
  for (const auto& key : keys_) key_columns_.push_back(key->evaluate(batch));
  index.find(key_columns_, batch.rows, memory_, found_);
  if (time_ == nullptr) {
    for (uint32_t& group : found_) group = index.row_of(group);
    return;
  }
  times_ = time_->evaluate(batch);
  const int64_t* at = times_->values<int64_t>().data();
  for (size_t row = 0; row < batch.rows; ++row) {
    found_[row] = times_->valid(row) ? index.row_at(found_[row], at[row]) : LookupIndex::kNone;
  }
}

// Of IN: whether there is any value for the row.
bool LookupProbe::has_values(const LookupIndex& index, size_t row) const {
  if (time_ == nullptr) return index.has_rows();
  return times_->valid(row) && index.has_rows_at(times_->integer_at(row));
}

void LookupProbe::add_mark(columnar::Batch& batch, const LookupIndex& index) {
  columnar::ColumnBuilder mark(TypeKind::kBoolean);
  mark.reserve(batch.rows);
  const bool in = join_.kind == sql::LookupKind::kIn;
  for (size_t row = 0; row < batch.rows; ++row) {
    const bool found = found_[row] != LookupIndex::kNone;
    // x IN (...) is unknown if x is, or a NULL among the values might be x; but not if there are no values.
    const bool unknown =
        in && !found && (index.has_null() || !key_columns_.front()->valid(row)) && has_values(index, row);
    if (unknown) {
      mark.append_null();
    } else {
      mark.append<uint8_t>(found ? 1 : 0);
    }
  }
  batch.columns.push_back(mark.finish());
  batch.schema = node_.output;
}

void LookupProbe::drop_unmatched(columnar::Batch& batch, RowTimes* times) {
  kept_.clear();
  for (uint32_t row = 0; row < batch.rows; ++row) {
    if (found_[row] != LookupIndex::kNone) kept_.push_back(row);
  }
  if (kept_.size() == batch.rows) return;
  std::erase(found_, LookupIndex::kNone);
  keep_rows(batch, times, kept_);
}

void LookupProbe::add_columns(columnar::Batch& batch, const LookupIndex& index) const {
  const bool all = std::ranges::find(found_, LookupIndex::kNone) == found_.end();
  std::vector<ColumnPtr> columns(batch.columns.begin(),
                                 batch.columns.begin() + static_cast<std::ptrdiff_t>(join_.place));
  for (const size_t column : join_.columns) {
    const Column& source = *index.version()->rows.columns[column];
    columns.push_back(all ? columnar::gather(source, found_)
                          : std::make_shared<const Column>(columnar::gather_or_null(source, found_)));
  }
  columns.insert(columns.end(), batch.columns.begin() + static_cast<std::ptrdiff_t>(join_.place), batch.columns.end());
  batch.columns = std::move(columns);
  batch.schema = node_.output;
}

// Where the rest of ON is not true, the table has no row.
void LookupProbe::check_match(columnar::Batch& joined, const LookupIndex& /*index*/) {
  const ColumnPtr holds = match_->evaluate(joined);
  const uint8_t* is_true = holds->values<uint8_t>().data();
  for (size_t row = 0; row < joined.rows; ++row) {
    if (!holds->valid(row) || is_true[row] == 0) found_[row] = LookupIndex::kNone;
  }
}

}  // namespace tidegate::engine
