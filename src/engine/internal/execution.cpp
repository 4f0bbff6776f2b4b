#include "engine/internal/execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tidegate::engine {

Execution::Execution(std::unique_ptr<GraphPlan> graph, columnar::StringPool& devices, int workers,
                     size_t max_batch_rows)
    : graph_(std::move(graph)), late_(graph_->plan()) {
  for (int index = 0; index < workers; ++index) {
    workers_.emplace_back(*graph_, devices, index, workers, max_batch_rows);
  }
  watermarks_.stages.assign(graph_->shared_stages(), -kNever);
}

void Execution::use_tables(const std::vector<lookup::TableVersionPtr>& tables) {
  lookups_.resize(graph_->lookups().size());
  for (size_t at = 0; at < lookups_.size(); ++at) {
    const LookupPlan& lookup = graph_->lookups()[at];
    const lookup::TableVersionPtr& version = tables[lookup.table];
    if (lookups_[at] != nullptr && lookups_[at]->version() == version) continue;
    lookups_[at] = std::make_shared<const LookupIndex>(lookup.join(), version);
  }
}

void Execution::begin(int64_t clock_us) { epoch_ = {clock_us, watermarks_.stages, lookups_}; }

void Execution::begin_given() { epoch_ = {0, watermarks_.stages, lookups_, true}; }

void Execution::advance(int64_t watermark) {
  for (Worker& worker : workers_) worker.raise_inputs(watermark);
  for (size_t at = 0; at < graph_->stages().size(); ++at) {
    const StagePlan& stage = graph_->stages()[at];
    std::vector<StatefulOperator*> copies;
    for (Worker& worker : workers_) {
      worker.raise_stage(at, watermark);
      copies.push_back(&worker.op(at));
    }
    if (stage.own_watermarks) {
      for (StatefulOperator* copy : copies) copy->fire_due({});
      for (StatefulOperator* copy : copies) copy->close_silent(-kNever);  // closes none, forgets what is over
    } else {
      copies.front()->fire_shared(watermark, copies);
      watermarks_.stages[stage.shared_index] = watermark;
    }
    for (Worker& worker : workers_) worker.flush(at, epoch_);
  }
  epoch_.shared_watermarks = watermarks_.stages;
}

int64_t Execution::next_watermark(int64_t from, int64_t to, size_t results) const {
  int64_t next = to;
  for (const Worker& worker : workers_) {
    for (size_t stage = 0; stage < graph_->stages().size(); ++stage) {
      const Pace pace = worker.op(stage).pace(results);
      if (pace.due < to) next = std::min(next, std::max(pace.due, from) + pace.step_us);
    }
  }
  return next;
}

void Execution::process(size_t source, std::span<const columnar::Batch> batches, WorkerPool& pool) {
  const auto work = [&](int index) {
    for (const columnar::Batch& batch : batches) workers_[static_cast<size_t>(index)].process(source, batch, epoch_);
  };
  pool.run(work);
}

Result<bool> Execution::finish(bool had_input, bool behind) {
  silence_clock_us_ = behind ? -kFarTime : epoch_.clock_us;
  if (!graph_->has_state()) return false;
  const uint64_t fired_before = fired();
  bool changed = move_watermarks(had_input);
  for (size_t stage = 0; stage < graph_->stages().size(); ++stage) {
    TRY_ASSIGN(const bool moved, finish_stage(stage));
    changed = changed || moved;
  }
  changed = changed || fired() != fired_before;
  if ((had_input || changed) && !scan_due_) watermarks_.scanned_at_us = epoch_.clock_us;
  return changed;
}

// Stages in order: what one emits is taken in by the next before that one's time moves.
Result<bool> Execution::finish_stage(size_t at) {
  const StagePlan& stage = graph_->stages()[at];
  bool moved = false;
  if (stage.own_watermarks) {
    for (Worker& worker : workers_) moved = worker.follow(at, epoch_, silence_clock_us_) || moved;
    for (Worker& worker : workers_) worker.op(at).close_silent(silence_clock_us_);
  } else {
    std::vector<StatefulOperator*> copies;
    for (Worker& worker : workers_) copies.push_back(&worker.op(at));
    copies.front()->fire_shared(watermarks_.stages[stage.shared_index], copies);
    copies.front()->fire_silent(silence_clock_us_);
  }
  for (Worker& worker : workers_) {
    TRY(worker.op(at).fire_spilled());
    worker.flush(at, epoch_);
  }
  return moved;
}

bool Execution::move_watermarks(bool had_input) {
  const std::vector<InputPlan>& inputs = graph_->inputs();
  scan_due_ = scan_can_wait(had_input);
  if (!scan_due_) next_idle_us_ = kNever;
  std::vector<int64_t> of_input(inputs.size(), -kNever);
  for (size_t at = 0; at < inputs.size(); ++at) {
    if (inputs[at].time_at) of_input[at] = watermark_of(at);
  }
  // The least over the inputs of which some device is not idle.
  const auto raise = [&](int64_t& watermark, std::span<const size_t> below) {
    int64_t least = kNever;
    for (const size_t at : below) {
      if (of_input[at] != -kNever) least = std::min(least, of_input[at]);
    }
    if (least == kNever || least <= watermark) return false;
    watermark = least;
    return true;
  };
  std::vector<size_t> all(inputs.size());
  std::iota(all.begin(), all.end(), size_t{0});
  bool moved = raise(watermarks_.least, all);
  for (const StagePlan& stage : graph_->stages()) {
    if (!stage.own_watermarks) moved = raise(watermarks_.stages[stage.shared_index], stage.inputs) || moved;
  }
  return moved;
}

bool Execution::scan_can_wait(bool had_input) const {
  if (!had_input || epoch_.clock_us - watermarks_.scanned_at_us >= kScanIntervalUs) return false;
  size_t devices = 0;
  for (size_t at = 0; at < graph_->inputs().size(); ++at) {
    const InputPlan& input = graph_->inputs()[at];
    if (!input.time_at || input.stream().watermark_scope == catalog::WatermarkScope::kPartition) continue;
    for (const Worker& worker : workers_) devices += worker.devices(at).size();
  }
  return devices > kManyDevices;
}

// -kNever if it has nothing to say.
int64_t Execution::watermark_of(size_t input) {
  if (graph_->inputs()[input].stream().watermark_scope == catalog::WatermarkScope::kPartition) {
    int64_t greatest = -kNever;
    for (const Worker& worker : workers_) greatest = std::max(greatest, worker.devices(input).greatest_watermark());
    return greatest;
  }
  return scan_due_ ? -kNever : scan_devices(input);
}

// The least watermark of the devices that are not idle; -kNever if all are, so that it stays where it is.
int64_t Execution::scan_devices(size_t input) {
  int64_t least = kNever;
  const int64_t timeout_us = std::clamp<int64_t>(graph_->inputs()[input].stream().idle_timeout_us, 0, kFarTime);
  for (Worker& worker : workers_) {
    for (const Device& device : worker.devices(input).all()) {
      if (silence_clock_us_ - device.last_seen_us > timeout_us || device.watermark == -kNever) continue;
      least = std::min(least, device.watermark);
      next_idle_us_ = std::min(next_idle_us_, device.last_seen_us + timeout_us + 1);
    }
  }
  return least == kNever ? -kNever : least;
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
  for (size_t stage = 0; stage < graph_->stages().size(); ++stage) {
    for (Worker& worker : workers_) {
      std::vector<columnar::Batch>& late = worker.op(stage).late();
      for (columnar::Batch& batch : late) all.push_back(late_.place(stage, std::move(batch)));
      late.clear();
    }
  }
  return all;
}

size_t Execution::output_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : workers_) bytes += worker.output_bytes();
  return bytes;
}

int64_t Execution::next_timer_us() const {
  int64_t next = kNever;
  for (size_t stage = 0; stage < graph_->stages().size(); ++stage) next = std::min(next, next_timer_us(stage));
  return next;
}

int64_t Execution::next_timer_us(size_t at) const {
  if (!has_open(at)) return kNever;
  const StagePlan& stage = graph_->stages()[at];
  if (!stage.own_watermarks) {
    const bool by_devices = std::ranges::any_of(stage.inputs, [this](size_t input) {
      return graph_->inputs()[input].stream().watermark_scope == catalog::WatermarkScope::kDevice;
    });
    const int64_t silent_us = workers_.front().op(at).close_bound_us();
    if (!by_devices) return silent_us;
    return std::min(silent_us, scan_due_ ? watermarks_.scanned_at_us + kScanIntervalUs : next_idle_us_);
  }
  int64_t next = kNever;
  for (const Worker& worker : workers_) {
    next = std::min({next, worker.op(at).close_bound_us(), worker.next_idle_us(at)});
  }
  return next;
}

uint64_t Execution::fired() const {
  uint64_t fired = 0;
  for (const Worker& worker : workers_) {
    for (size_t stage = 0; stage < graph_->stages().size(); ++stage) fired += worker.op(stage).fired();
  }
  return fired;
}

bool Execution::has_open(size_t stage) const {
  return std::ranges::any_of(workers_, [&](const Worker& worker) { return worker.op(stage).has_open(); });
}

size_t Execution::memory_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : workers_) bytes += worker.memory_bytes();
  for (const LookupIndexPtr& lookup : lookups_) bytes += lookup->memory_bytes();
  return bytes;
}

size_t Execution::spillable_bytes() const {
  size_t bytes = 0;
  for (const Worker& worker : workers_) {
    for (const KeyedState* state : worker.states()) bytes += state->spillable_bytes();
  }
  return bytes;
}

int64_t Execution::watermark_of_state(size_t op) const {
  const size_t inputs = graph_->state_ids().size() - graph_->stages().size();
  if (op < inputs) return -kNever;
  const StagePlan& stage = graph_->stages()[op - inputs];
  return stage.own_watermarks ? -kNever : watermarks_.stages[stage.shared_index];
}

Result<> Execution::check_memory(size_t limit_bytes) const {
  const size_t bytes = memory_bytes();
  if (limit_bytes == 0 || bytes <= limit_bytes) return {};
  return fail(ErrorCode::LimitReached,
              fmt::format("its state takes {} MB, and {} MB is what one may take", bytes >> 20, limit_bytes >> 20),
              "use shorter windows or fewer keys, or start the server with a larger --pipeline-memory");
}

size_t Execution::devices() const {
  size_t devices = 0;
  for (size_t input = 0; input < graph_->inputs().size(); ++input) {
    if (!graph_->inputs()[input].time_at) continue;
    for (const Worker& worker : workers_) devices += worker.devices(input).size();
  }
  return devices;
}

std::vector<OperatorStatus> Execution::operator_status() const {
  std::vector<OperatorStatus> operators;
  for (const sql::PlanNode* node : graph_->nodes()) {
    operators.push_back({node->operator_id, std::string(operator_kind(*node))});
  }
  for (const Worker& worker : workers_) worker.add_status(operators);
  for (size_t at = 0; at < lookups_.size(); ++at) {
    operators[graph_->position_of(graph_->lookups()[at].node)].memory_bytes += lookups_[at]->memory_bytes();
  }
  return operators;
}

}  // namespace tidegate::engine
