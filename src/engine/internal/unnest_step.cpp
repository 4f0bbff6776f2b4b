#include "engine/internal/unnest_step.h"

#include <algorithm>
#include <cmath>

#include "base/logging.h"

namespace tidegate::engine {

using columnar::Batch;
using columnar::Column;
using columnar::ColumnPtr;
using columnar::kNoRow;
using columnar::TypeKind;

namespace {

constexpr size_t kLeastValueBytes = 8;  // with what a column keeps besides

// What the values of these rows take.
size_t bytes_of(const Column& column, size_t first, size_t rows) {
  if (rows == 0) return 0;
  if (column.type == TypeKind::kRow) {
    size_t bytes = rows;
    for (const ColumnPtr& field : column.children) bytes += bytes_of(*field, first, rows);
    return bytes;
  }
  if (column.type == TypeKind::kArray) {
    const uint32_t begin = column.offsets[first];
    return rows * kLeastValueBytes + bytes_of(*column.children[0], begin, column.offsets[first + rows] - begin);
  }
  if (column.is_plain_text()) return rows * kLeastValueBytes + column.offsets[first + rows] - column.offsets[first];
  return rows * kLeastValueBytes;
}

size_t row_bytes(const Batch& batch, size_t row) {
  size_t bytes = kLeastValueBytes;
  for (const ColumnPtr& column : batch.columns) bytes += bytes_of(*column, row, 1);
  return bytes;
}

}  // namespace

void for_each_part(const Batch& batch, size_t unnests, const std::function<void(Batch)>& take) {
  size_t first = 0;
  double together = 0;
  for (size_t row = 0; row < batch.rows; ++row) {
    // An array has at most as many elements as its row has bytes, and each of them repeats the row.
    const double becomes = std::pow(static_cast<double>(row_bytes(batch, row)), static_cast<double>(unnests + 1));
    if (row > first && together + becomes > static_cast<double>(kMaxUnnestedBytes)) {
      take(columnar::slice(batch, first, row - first));
      first = row;
      together = 0;
    }
    together += becomes;
  }
  if (first == 0) return take(batch);
  take(columnar::slice(batch, first, batch.rows - first));
}

UnnestStep::UnnestStep(const sql::PlanNode& node)
    : node_(node), unnest_(std::get<sql::Unnest>(node.node)), array_(compute::compile(unnest_.array)) {}

void UnnestStep::run(Batch& batch, RowTimes* times) {
  const ColumnPtr arrays = array_->evaluate(batch);
  find_elements(batch, *arrays);
  Batch out{node_.output, {}, {}, rows_.size()};
  const auto pass = [&](size_t first, size_t end) {
    for (size_t at = first; at < end; ++at) {
      out.columns.push_back(columnar::gather(*batch.columns[unnest_.passed[at]], rows_));
    }
  };
  pass(0, unnest_.place);
  for (const size_t field : unnest_.columns) {
    out.columns.push_back(field == unnest_.fields() ? numbers() : column_of(*arrays->children[0], field));
  }
  pass(unnest_.place, unnest_.passed.size());
  if (!batch.kinds.empty()) {
    for (const uint32_t row : rows_) out.kinds.push_back(batch.kinds[row]);
  }
  batch = std::move(out);
  if (times == nullptr) return;
  times_.resize(rows_.size());
  for (size_t at = 0; at < rows_.size(); ++at) {
    times_.device[at] = times->device[rows_[at]];
    times_.watermark[at] = times->watermark[rows_[at]];
  }
  std::swap(*times, times_);
}

void UnnestStep::find_elements(const Batch& batch, const Column& arrays) {
  rows_.clear();
  elements_.clear();
  numbers_.clear();
  const auto add = [this](size_t row, uint32_t element, size_t number) {
    rows_.push_back(static_cast<uint32_t>(row));
    elements_.push_back(element);
    numbers_.push_back(static_cast<int32_t>(number));
  };
  size_t left_bytes = kMaxUnnestedBytes;
  for (size_t row = 0; row < batch.rows; ++row) {
    size_t count = arrays.length_at(row);
    if (count > 0) {
      size_t repeated = kLeastValueBytes;
      for (const size_t column : unnest_.passed) repeated += bytes_of(*batch.columns[column], row, 1);
      const size_t bytes = count * repeated + bytes_of(arrays, row, 1);
      if (bytes > left_bytes) {
        if (!said_) {
          log_warn(
              "a record is not taken apart: its rows would take too much memory",
              {{"operator", node_.operator_id}, {"elements", count}, {"bytes", bytes}, {"limit", kMaxUnnestedBytes}});
        }
        said_ = true;
        count = 0;
      } else {
        left_bytes -= bytes;
      }
    }
    for (size_t at = 0; at < count; ++at) add(row, arrays.offsets[row] + static_cast<uint32_t>(at), at + 1);
    if (count == 0 && unnest_.left) add(row, kNoRow, 0);
  }
}

ColumnPtr UnnestStep::column_of(const Column& elements, size_t field) {
  const bool taken_apart = elements.type == TypeKind::kRow;
  const Column& source = taken_apart ? *elements.children[field] : elements;
  present_ = elements_;
  if (taken_apart && elements.has_nulls()) {
    for (uint32_t& element : present_) {
      if (element != kNoRow && !elements.valid(element)) element = kNoRow;
    }
  }
  if (std::ranges::find(present_, kNoRow) == present_.end()) return columnar::gather(source, present_);
  return std::make_shared<const Column>(columnar::gather_or_null(source, present_));
}

ColumnPtr UnnestStep::numbers() const {
  columnar::ColumnBuilder numbers(TypeKind::kInt);
  numbers.reserve(numbers_.size());
  for (const int32_t number : numbers_) {
    if (number == 0) {
      numbers.append_null();
    } else {
      numbers.append<int32_t>(number);
    }
  }
  return numbers.finish();
}

}  // namespace tidegate::engine
