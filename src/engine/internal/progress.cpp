#include "engine/internal/progress.h"

#include <algorithm>

namespace tidegate::engine {

namespace {

// Devices are never quite together; what is less than this apart nobody calls held.
constexpr int64_t kHeldUs = 60 * kMicrosPerSecond;

std::optional<std::string> name_of(const DeviceTable& devices, uint32_t index) {
  const auto name = devices.name(index);
  if (!name) return std::nullopt;
  return std::string(*name);
}

bool has_shared_stage(const GraphPlan& graph, size_t input) {
  return std::ranges::any_of(graph.stages(), [&](const StagePlan& stage) {
    return !stage.own_watermarks && std::ranges::find(stage.inputs, input) != stage.inputs.end();
  });
}

// Of one input; nothing if no two of its devices are that far apart.
std::optional<HeldWatermark> held_by_input(const Execution& execution, size_t input, int64_t clock_us) {
  const catalog::StreamDefinition& stream = execution.graph().inputs()[input].stream();
  const DeviceTable* holder_table = nullptr;
  uint32_t holder = 0;
  int64_t least = kNever;
  int64_t greatest = -kNever;
  for (const Worker& worker : execution.workers()) {
    const DeviceTable& devices = worker.devices(input);
    for (uint32_t index = 0; index < devices.size(); ++index) {
      const Device& device = devices.at(index);
      if (device.watermark == -kNever || clock_us - device.last_seen_us > stream.idle_timeout_us) continue;
      greatest = std::max(greatest, device.watermark);
      if (device.watermark >= least) continue;
      least = device.watermark;
      holder_table = &devices;
      holder = index;
    }
  }
  if (holder_table == nullptr || greatest - least < kHeldUs) return std::nullopt;
  return HeldWatermark{stream.name, name_of(*holder_table, holder), greatest - least,
                       holder_table->at(holder).last_seen_us, std::min(stream.idle_timeout_us, kFarTime)};
}

}  // namespace

std::string_view wait_reason_name(WaitReason reason) {
  switch (reason) {
    case WaitReason::kSourceSilent: return "source_silent";
    case WaitReason::kWatermarkHeld: return "watermark_held";
    case WaitReason::kDeviceSilent: return "device_silent";
    case WaitReason::kBehind: return "behind";
  }
  return "unknown";
}

std::optional<HeldWatermark> held_watermark(const Execution& execution, int64_t clock_us) {
  std::optional<HeldWatermark> worst;
  for (size_t input = 0; input < execution.graph().inputs().size(); ++input) {
    const InputPlan& plan = execution.graph().inputs()[input];
    if (!plan.time_at || plan.stream().watermark_scope == catalog::WatermarkScope::kPartition) continue;
    if (!has_shared_stage(execution.graph(), input)) continue;
    auto held = held_by_input(execution, input, clock_us);
    if (held && (!worst || held->behind_us > worst->behind_us)) worst = std::move(held);
  }
  return worst;
}

std::optional<OpenDevice> longest_open(const Execution& execution) {
  std::optional<OpenDevice> longest;
  for (size_t at = 0; at < execution.graph().stages().size(); ++at) {
    const StagePlan& stage = execution.graph().stages()[at];
    if (!stage.own_watermarks || !stage.adopts_input()) continue;
    if (std::holds_alternative<sql::Detect>(stage.node->node)) continue;  // goes on by the clock, and says so itself
    const size_t input = stage.feeds.front().index;
    const catalog::StreamDefinition& stream = execution.graph().inputs()[input].stream();
    for (const Worker& worker : execution.workers()) {
      const DeviceTable& devices = worker.devices(input);
      for (uint32_t index = 0; index < devices.size(); ++index) {
        const Device& device = devices.at(index);
        if (device.fire_at >= kNever || (longest && device.last_seen_us >= longest->last_seen_us)) continue;
        longest = OpenDevice{stream.name, name_of(devices, index), device.last_seen_us,
                             std::min(stream.idle_timeout_us, kFarTime), std::min(stream.close_after_us, kFarTime)};
      }
    }
  }
  return longest;
}

std::vector<Wait> waits_of(const Progress& progress, int64_t now_us, int64_t lag_rows, size_t max_epoch_rows) {
  std::vector<Wait> waits;
  if (lag_rows > static_cast<int64_t>(max_epoch_rows)) {
    waits.push_back({.reason = WaitReason::kBehind, .stream = {}, .device = {}, .rows = lag_rows});
  }
  for (const SourceProgress& source : progress.sources) {
    if (now_us - source.last_input_us <= source.idle_timeout_us) continue;
    waits.push_back(
        {.reason = WaitReason::kSourceSilent, .stream = source.stream, .device = {}, .since_us = source.last_input_us});
  }
  if (const auto& held = progress.held; held && now_us - held->last_seen_us <= held->idle_timeout_us) {
    waits.push_back({.reason = WaitReason::kWatermarkHeld,
                     .stream = held->stream,
                     .device = held->device,
                     .since_us = held->last_seen_us,
                     .behind_us = held->behind_us,
                     .until_us = held->last_seen_us + held->idle_timeout_us});
  }
  if (const auto& open = progress.open; open && now_us - open->last_seen_us > open->idle_timeout_us) {
    waits.push_back({.reason = WaitReason::kDeviceSilent,
                     .stream = open->stream,
                     .device = open->device,
                     .since_us = open->last_seen_us,
                     .until_us = open->last_seen_us + open->close_after_us});
  }
  return waits;
}

}  // namespace tidegate::engine
