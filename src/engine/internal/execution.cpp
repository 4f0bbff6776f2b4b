#include "engine/internal/execution.h"

#include <algorithm>

namespace tidegate::engine {

Execution::Execution(std::unique_ptr<ChainPlan> chain, columnar::StringPool& devices, int workers,
                     size_t max_batch_rows)
    : chain_(std::move(chain)) {
  workers_.reserve(static_cast<size_t>(workers));  // operators refer to their worker's devices: no moving
  for (int index = 0; index < workers; ++index) {
    workers_.emplace_back(*chain_, devices, index, workers, max_batch_rows);
  }
  if (chain_->window() != nullptr && workers > 1) merger_ = std::make_unique<WindowMerger>(*chain_->window());
}

void Execution::begin(int64_t clock_us) { epoch_ = {clock_us, watermark_.value}; }

void Execution::process(std::span<const columnar::Batch> batches, WorkerPool& pool) {
  const auto work = [&](int index) {
    for (const columnar::Batch& batch : batches) workers_[static_cast<size_t>(index)].process(batch, epoch_);
  };
  pool.run(work);
}

bool Execution::finish(bool had_input) {
  if (chain_->window() == nullptr) return false;
  const uint64_t fired_before = windows_fired();
  const int64_t watermark_before = watermark_.value;
  watermark_.value = std::max(watermark_.value, next_watermark(had_input));
  if (chain_->window()->own_watermarks) {
    for (Worker& worker : workers_) worker.window()->close_silent(epoch_.clock_us);
  } else {
    fire_shared();
  }
  const bool changed = windows_fired() != fired_before || watermark_.value != watermark_before;
  if (had_input || changed) {
    if (!scan_due_) watermark_.scanned_at_us = epoch_.clock_us;
  }
  for (Worker& worker : workers_) worker.finish_results();
  return changed;
}

int64_t Execution::next_watermark(bool had_input) {
  scan_due_ = false;
  if (chain_->source().watermark_scope == catalog::WatermarkScope::kPartition) {
    int64_t greatest = -kNever;
    for (Worker& worker : workers_) greatest = std::max(greatest, worker.devices().greatest_watermark());
    return greatest;
  }
  size_t devices = 0;
  for (Worker& worker : workers_) devices += worker.devices().size();
  if (had_input && devices > kManyDevices && epoch_.clock_us - watermark_.scanned_at_us < kScanIntervalUs) {
    scan_due_ = true;
    return -kNever;
  }
  return scan_devices();
}

// The least watermark of the devices that are not idle; -kNever if all are, so that it stays where it is.
int64_t Execution::scan_devices() {
  int64_t least = kNever;
  next_idle_us_ = kNever;
  const int64_t timeout_us = std::clamp<int64_t>(chain_->source().idle_timeout_us, 0, kFarTime);
  for (Worker& worker : workers_) {
    for (const Device& device : worker.devices().all()) {
      if (epoch_.clock_us - device.last_seen_us > timeout_us || device.watermark == -kNever) continue;
      least = std::min(least, device.watermark);
      next_idle_us_ = std::min(next_idle_us_, device.last_seen_us + timeout_us + 1);
    }
  }
  return least == kNever ? -kNever : least;
}

void Execution::fire_shared() {
  for (Worker& worker : workers_) worker.window()->fire_shared(watermark_.value, merger_.get());
  if (merger_ != nullptr) workers_.front().window()->add_merged(*merger_);
}

std::vector<columnar::Batch> Execution::take_outputs() {
  std::vector<columnar::Batch> all;
  for (Worker& worker : workers_) {
    for (columnar::Batch& batch : worker.take_outputs()) all.push_back(std::move(batch));
  }
  return all;
}

std::vector<columnar::Batch> Execution::take_late() {
  std::vector<columnar::Batch> all;
  if (chain_->window() == nullptr) return all;
  for (Worker& worker : workers_) {
    for (columnar::Batch& batch : worker.window()->late()) all.push_back(std::move(batch));
    worker.window()->late().clear();
  }
  return all;
}

size_t Execution::output_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : workers_) bytes += worker.output_bytes();
  return bytes;
}

int64_t Execution::next_timer_us() const {
  if (chain_->window() == nullptr || !has_open_windows()) return kNever;
  if (!chain_->window()->own_watermarks) {
    if (chain_->source().watermark_scope == catalog::WatermarkScope::kPartition) return kNever;
    return scan_due_ ? watermark_.scanned_at_us + kScanIntervalUs : next_idle_us_;
  }
  int64_t next = kNever;
  for (const Worker& worker : workers_) next = std::min(next, worker.window()->close_bound_us());
  return next;
}

uint64_t Execution::windows_fired() const {
  uint64_t fired = 0;
  for (const Worker& worker : workers_) fired += worker.window()->fired();
  return fired;
}

bool Execution::has_open_windows() const {
  return std::ranges::any_of(workers_, [](const Worker& worker) { return worker.window()->has_open_windows(); });
}

size_t Execution::memory_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : workers_) bytes += worker.memory_bytes();
  return bytes;
}

std::vector<OperatorStatus> Execution::operator_status() const {
  std::vector<OperatorStatus> operators;
  for (const sql::PlanNode* node : chain_->nodes()) {
    operators.push_back({node->operator_id, std::string(operator_kind(*node))});
  }
  for (const Worker& worker : workers_) worker.add_status(operators);
  return operators;
}

}  // namespace tidegate::engine
