#include "engine/internal/worker.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace tidegate::engine {

Worker::Worker(const GraphPlan& graph, columnar::StringPool& devices, int index, int count, size_t max_batch_rows)
    : graph_(graph),
      names_(devices),
      index_(index),
      count_(count),
      max_batch_rows_(std::max<size_t>(max_batch_rows, 1)) {
  for (const InputPlan& input : graph_.inputs()) add_input(input);
  for (const StagePlan& stage : graph_.stages()) add_stage(stage);
}

void Worker::add_input(const InputPlan& plan) {
  const std::span steps(plan.out.steps);
  Input& input = inputs_.emplace_back(Input{plan,
                                            StatelessStage(graph_, steps.first(plan.device_filters)),
                                            StatelessStage(graph_, steps.subspan(plan.device_filters)),
                                            {},
                                            {},
                                            {}});
  if (!plan.followed) return;
  input.devices = std::make_unique<DeviceTable>(names_);
  if (plan.adopted) return;
  input.state = std::make_unique<InputDevices>(*input.devices);
  states_.push_back(input.state.get());
}

void Worker::add_stage(const StagePlan& plan) {
  Stage& stage = stages_.emplace_back(Stage{plan, StatelessStage(graph_, plan.out.steps), nullptr, {}, {}, {}, {}});
  if (plan.adopts_input()) {
    stage.devices = inputs_[plan.feeds.front().index].devices.get();
  } else {
    stage.own_devices = std::make_unique<DeviceTable>(names_);
    stage.devices = stage.own_devices.get();
  }
  if (plan.own_watermarks && stage.own_devices != nullptr) {
    std::vector<DeviceTable*> feeds;
    for (const Feed& feed : plan.feeds) {
      feeds.push_back(feed.is_stage ? stages_[feed.index].devices : inputs_[feed.index].devices.get());
    }
    stage.follower = std::make_unique<DeviceFollower>(*stage.devices, std::move(feeds), plan.idle_timeout_us);
  }
  stage.op = plan.op->make(*stage.devices, count_);
  states_.push_back(stage.op.get());
}

void Worker::process(size_t source, const columnar::Batch& rows, const EpochTimes& epoch) {
  for (Input& input : inputs_) {
    if (input.plan.source != source) continue;
    const bool shared_out = count_ > 1 && input.plan.stream().device_column.has_value();
    if (shared_out) {
      process_own(input, rows, epoch);
    } else if (index_ == 0) {
      process_all(input, rows, epoch);
    }
  }
}

void Worker::process_all(Input& input, const columnar::Batch& rows, const EpochTimes& epoch) {
  for (size_t at = 0; at < rows.rows; at += max_batch_rows_) {
    process_part(input, cut(input.plan, rows, at, std::min(max_batch_rows_, rows.rows - at)), epoch);
  }
}

// A device belongs to the worker of its key group, so its records keep their order.
void Worker::process_own(Input& input, const columnar::Batch& rows, const EpochTimes& epoch) {
  const columnar::Column& device = *rows.columns[*input.plan.stream().device_column];
  const columnar::Batch all = cut(input.plan, rows, 0, rows.rows);
  const auto is_own = [&](size_t row) {
    if (!device.valid(row)) return index_ == 0;
    const KeyGroup group = device.pool == &names_ ? device.pool->key_group(StringCode{device.values<uint32_t>()[row]})
                                                  : key_group_of(device.string_at(row));
    return group.value % count_ == index_;
  };
  own_.clear();
  for (size_t row = 0; row < rows.rows; ++row) {
    if (is_own(row)) own_.push_back(static_cast<uint32_t>(row));
    if (own_.size() < max_batch_rows_) continue;
    process_part(input, columnar::gather(all, own_), epoch);
    own_.clear();
  }
  if (!own_.empty()) process_part(input, columnar::gather(all, own_), epoch);
}

columnar::Batch Worker::cut(const InputPlan& plan, const columnar::Batch& rows, size_t first, size_t count) {
  columnar::Batch out{nullptr, {}, {}, rows.rows};
  for (const size_t column : plan.columns) out.columns.push_back(rows.columns[column]);
  out.kinds = rows.kinds;
  return columnar::slice(out, first, count);
}

// Before anything looks at its times: what comes out of a batch may close windows only when all of its rows are in
// them.
void Worker::process_part(Input& input, columnar::Batch batch, const EpochTimes& epoch) {
  const size_t unnests = input.steps.unnests();
  if (unnests == 0) return process_batch(input, std::move(batch), epoch);
  for_each_part(batch, unnests, [&](columnar::Batch part) { process_batch(input, std::move(part), epoch); });
}

void Worker::process_batch(Input& input, columnar::Batch batch, const EpochTimes& epoch) {
  input.rows += batch.rows;
  const InputPlan& plan = input.plan;
  input.device_filters.run(batch, nullptr, {});
  if (batch.rows == 0) return;
  RowTimes* times = nullptr;
  if (input.devices != nullptr) {
    const columnar::Column* device = plan.device_at ? batch.columns[*plan.device_at].get() : nullptr;
    const int64_t delay_us = std::clamp<int64_t>(plan.stream().watermark_delay_us, 0, kFarTime);
    if (epoch.given) {
      input.devices->locate(device, batch.rows, input.times);
    } else {
      input.devices->observe(device, *batch.columns[*plan.time_at], delay_us, epoch.clock_us, input.times);
    }
    times = &input.times;
  }
  batch.columns.resize(plan.scan->columns.size());
  batch.schema = plan.node->output;
  input.steps.run(batch, times, epoch.lookups);
  deliver(plan.out, std::move(batch), times, epoch);
}

StageTime Worker::time_of(const StagePlan& plan, const EpochTimes& epoch) {
  return {epoch.clock_us, plan.own_watermarks ? -kNever : epoch.shared_watermarks[plan.shared_index]};
}

// `times`: what an input knows of the rows; null for the results of a stage.
void Worker::deliver(const Link& link, columnar::Batch batch, const RowTimes* times, const EpochTimes& epoch) {
  if (link.stage == Link::kOutput) {
    if (batch.rows == 0) return;
    output_bytes_ += batch.memory_bytes();
    outputs_.push_back(std::move(batch));
    return;
  }
  Stage& stage = stages_[link.stage];
  stage.rows_in += batch.rows;
  const StageTime now = time_of(stage.plan, epoch);
  const bool follows = stage.own_devices != nullptr;
  if (batch.rows > 0) {
    if (follows) {
      const auto column = device_column(*stage.plan.node);
      stage.devices->locate(column ? batch.columns[*column].get() : nullptr, batch.rows, stage.times);
    }
    stage.op->process(batch, follows ? stage.times : *times, now);
  } else if (!follows && stage.plan.own_watermarks) {
    stage.op->fire_due(now);  // filtered rows still move time
  }
  if (stage.op->results().rows() >= max_batch_rows_) flush(link.stage, epoch);
}

bool Worker::follow(size_t at, const EpochTimes& epoch, int64_t silence_clock_us) {
  Stage& stage = stages_[at];
  if (stage.follower == nullptr || !stage.follower->follow(silence_clock_us)) return false;
  stage.op->fire_due(time_of(stage.plan, epoch));
  return true;
}

void Worker::raise_inputs(int64_t watermark) {
  for (Input& input : inputs_) {
    for (uint32_t at = 0; input.devices != nullptr && at < input.devices->size(); ++at) {
      (void)input.devices->raise(at, watermark, 0);
    }
  }
}

void Worker::raise_stage(size_t at, int64_t watermark) {
  DeviceTable* devices = stages_[at].own_devices.get();
  for (uint32_t device = 0; devices != nullptr && device < devices->size(); ++device) {
    (void)devices->raise(device, watermark, 0);
  }
}

int64_t Worker::next_idle_us(size_t stage) const {
  return stages_[stage].follower == nullptr ? kNever : stages_[stage].follower->next_idle_us();
}

void Worker::flush(size_t at, const EpochTimes& epoch) {
  Stage& stage = stages_[at];
  if (stage.op->results().rows() == 0) return;
  columnar::Batch results = stage.op->results().finish();
  stage.rows_out += results.rows;
  const auto hand_on = [&](columnar::Batch part) {
    stage.steps.run(part, nullptr, epoch.lookups);
    if (part.rows > 0) deliver(stage.plan.out, std::move(part), nullptr, epoch);
  };
  const size_t unnests = stage.steps.unnests();
  if (unnests == 0) return hand_on(std::move(results));
  for_each_part(results, unnests, hand_on);
}

std::vector<columnar::Batch> Worker::take_outputs() {
  output_bytes_ = 0;
  return std::exchange(outputs_, {});
}

size_t Worker::memory_bytes() const {
  size_t bytes = 0;
  for (const KeyedState* state : states_) bytes += state->memory_bytes();
  return bytes;
}

void Worker::add_status(std::vector<OperatorStatus>& operators) const {
  for (const Input& input : inputs_) {
    OperatorStatus& scan = operators[graph_.position_of(input.plan.node)];
    scan.rows_in += input.rows;
    scan.rows_out += input.rows;
    if (input.state != nullptr) scan.memory_bytes += input.state->memory_bytes();
    input.device_filters.add_status(operators);
    input.steps.add_status(operators);
  }
  for (const Stage& stage : stages_) {
    OperatorStatus& status = operators[graph_.position_of(stage.plan.node)];
    status.rows_in += stage.rows_in;
    status.rows_out += stage.rows_out;
    status.late += stage.op->late_rows();
    status.errors += stage.op->errors();
    status.memory_bytes += stage.op->memory_bytes();
    stage.steps.add_status(operators);
  }
}

}  // namespace tidegate::engine
