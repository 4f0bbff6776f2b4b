#include "engine/internal/worker.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace tidegate::engine {

Worker::Worker(const ChainPlan& chain, columnar::StringPool& devices, int index, int count, size_t max_batch_rows)
    : chain_(chain),
      index_(index),
      count_(count),
      max_batch_rows_(std::max<size_t>(max_batch_rows, 1)),
      devices_(devices),
      before_(chain, 1, chain.window_at()),
      after_(chain, std::min(chain.window_at() + 1, chain.nodes().size()), chain.nodes().size()) {
  if (chain.window() != nullptr) window_.emplace(*chain.window(), devices_);
}

void Worker::process(const columnar::Batch& rows, const EpochInputs& epoch) {
  const bool shared_out = count_ > 1 && chain_.source().device_column.has_value();
  if (shared_out) return process_own(rows, epoch);
  if (index_ != 0) return;
  for (size_t at = 0; at < rows.rows; at += max_batch_rows_) {
    process_batch(cut(rows, at, std::min(max_batch_rows_, rows.rows - at)), epoch);
  }
}

// A device belongs to the worker of its key group, so its records keep their order.
void Worker::process_own(const columnar::Batch& rows, const EpochInputs& epoch) {
  const columnar::Column& device = *rows.columns[*chain_.source().device_column];
  const columnar::Batch all = cut(rows, 0, rows.rows);
  const auto is_own = [&](size_t row) {
    if (!device.valid(row)) return index_ == 0;
    const KeyGroup group = device.pool == &devices_.names()
                               ? device.pool->key_group(StringCode{device.values<uint32_t>()[row]})
                               : key_group_of(device.string_at(row));
    return group.value % count_ == index_;
  };
  own_.clear();
  for (size_t row = 0; row < rows.rows; ++row) {
    if (is_own(row)) own_.push_back(static_cast<uint32_t>(row));
    if (own_.size() < max_batch_rows_) continue;
    process_batch(columnar::gather(all, own_), epoch);
    own_.clear();
  }
  if (!own_.empty()) process_batch(columnar::gather(all, own_), epoch);
}

columnar::Batch Worker::cut(const columnar::Batch& rows, size_t first, size_t count) const {
  columnar::Batch out{nullptr, {}, {}, rows.rows};
  for (const size_t column : chain_.columns()) out.columns.push_back(rows.columns[column]);
  out.kinds = rows.kinds;
  return columnar::slice(out, first, count);
}

void Worker::process_batch(columnar::Batch batch, const EpochInputs& epoch) {
  rows_in_ += batch.rows;
  RowTimes* times = nullptr;
  if (window_) {
    const catalog::StreamDefinition& source = chain_.source();
    const columnar::Column* device = chain_.device_at() ? batch.columns[*chain_.device_at()].get() : nullptr;
    const int64_t delay_us = std::clamp<int64_t>(source.watermark_delay_us, 0, kFarTime);
    devices_.observe(device, *batch.columns[*chain_.time_at()], delay_us, epoch.clock_us, times_);
    times = &times_;
  }
  batch.columns.resize(chain_.scan().columns.size());
  batch.schema = chain_.nodes().front()->output;
  before_.run(batch, times);
  if (!window_) {
    if (batch.rows == 0) return;
    output_bytes_ += batch.memory_bytes();
    outputs_.push_back(std::move(batch));
    return;
  }
  window_in_ += batch.rows;
  window_->process(batch, times_, epoch.shared_watermark, epoch.clock_us);
  if (window_->results().rows() >= max_batch_rows_) finish_results();
}

void Worker::finish_results() {
  if (!window_ || window_->results().rows() == 0) return;
  columnar::Batch results = window_->results().finish();
  window_out_ += results.rows;
  after_.run(results, nullptr);
  if (results.rows == 0) return;
  output_bytes_ += results.memory_bytes();
  outputs_.push_back(std::move(results));
}

std::vector<columnar::Batch> Worker::take_outputs() {
  output_bytes_ = 0;
  return std::exchange(outputs_, {});
}

size_t Worker::memory_bytes() const { return devices_.memory_bytes() + (window_ ? window_->memory_bytes() : 0); }

void Worker::add_status(std::vector<OperatorStatus>& operators) const {
  operators.front().rows_in += rows_in_;
  operators.front().rows_out += rows_in_;
  before_.add_status(operators);
  after_.add_status(operators);
  if (!window_) return;
  OperatorStatus& window = operators[chain_.window_at()];
  window.rows_in += window_in_;
  window.rows_out += window_out_;
  window.late += window_->late_rows();
  window.memory_bytes += memory_bytes();
}

}  // namespace tidegate::engine
