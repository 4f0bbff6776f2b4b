#include "engine/internal/row_sorter.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <numeric>
#include <span>

#include "columnar/decimal.h"

namespace tidegate::engine {

namespace {

int sign_of(std::strong_ordering order) { return order < 0 ? -1 : (order > 0 ? 1 : 0); }

int compare_numbers(double left, double right) {
  if (std::isnan(left) || std::isnan(right)) return int{std::isnan(left)} - int{std::isnan(right)};
  return int{left > right} - int{left < right};
}

}  // namespace

int compare_rows(const columnar::Column& column, size_t left, size_t right) {
  const bool has_left = column.valid(left);
  const bool has_right = column.valid(right);
  if (!has_left || !has_right) return int{has_left} - int{has_right};
  switch (column.type.kind) {
    case columnar::TypeKind::kNull: return 0;
    case columnar::TypeKind::kString:
    case columnar::TypeKind::kBytes: return sign_of(column.string_at(left) <=> column.string_at(right));
    case columnar::TypeKind::kDouble:
      return compare_numbers(column.values<double>()[left], column.values<double>()[right]);
    case columnar::TypeKind::kFloat:
      return compare_numbers(column.values<float>()[left], column.values<float>()[right]);
    case columnar::TypeKind::kDecimal: {
      const auto values = column.values<columnar::Int128>();  // of one column, so of one scale
      return int{values[left] > values[right]} - int{values[left] < values[right]};
    }
    default: return sign_of(column.integer_at(left) <=> column.integer_at(right));
  }
}

bool RowSorter::before(const columnar::Batch& all, uint32_t left, uint32_t right) const {
  for (const sql::SortKey& key : keys_) {
    const columnar::Column& column = *all.columns[key.column];
    const int order = compare_rows(column, left, right);
    if (order == 0) continue;
    if (column.valid(left) && column.valid(right)) return key.descending ? order > 0 : order < 0;
    return column.valid(right) == key.nulls_first;
  }
  return left < right;
}

void RowSorter::add(columnar::Batch rows) {
  if (rows.rows == 0) return;
  rows_ += rows.rows;
  bytes_ += rows.memory_bytes();
  parts_.push_back(std::move(rows));
  if (keep_ && rows_ > kSlackRows && rows_ - kSlackRows > *keep_) trim();
}

void RowSorter::trim() {
  const columnar::Batch all = columnar::concatenate(parts_);
  std::vector<uint32_t> order(all.rows);
  std::iota(order.begin(), order.end(), 0U);
  const auto less = [&](uint32_t left, uint32_t right) { return before(all, left, right); };
  const auto wanted = static_cast<std::ptrdiff_t>(*keep_);
  if (wanted < std::ssize(order)) std::nth_element(order.begin(), order.begin() + wanted, order.end(), less);
  order.resize(std::min<size_t>(order.size(), *keep_));
  std::ranges::sort(order);  // as they came in: that decides between equal ones
  parts_.assign(1, columnar::gather(all, order));
  rows_ = parts_.front().rows;
  bytes_ = parts_.front().memory_bytes();
}

void RowSorter::sort() {
  sorted_ = true;
  if (rows_ == 0) return;
  if (keep_ && rows_ > *keep_) trim();
  columnar::Batch all = columnar::concatenate(parts_);
  parts_.clear();
  order_.resize(all.rows);
  std::iota(order_.begin(), order_.end(), 0U);
  std::ranges::sort(order_, [&](uint32_t left, uint32_t right) { return before(all, left, right); });
  bytes_ = all.memory_bytes();
  parts_.push_back(std::move(all));
}

std::optional<columnar::Batch> RowSorter::next() {
  if (given_ == order_.size()) return std::nullopt;
  const size_t count = std::min(kBatchRows, order_.size() - given_);
  columnar::Batch rows = columnar::gather(parts_.front(), std::span(order_).subspan(given_, count));
  given_ += count;
  return rows;
}

}  // namespace tidegate::engine
