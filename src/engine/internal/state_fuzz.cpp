// Epoch records, manifests and state entries from bytes that are not ours: refused or read, never a crash or a hang.
#include <cstdint>

#include "engine/internal/epoch_record.h"
#include "engine/internal/window_operator.h"

using namespace tidegate;
using namespace tidegate::engine;
using columnar::TypeKind;

namespace {

WindowPlan make_plan(bool by_device) {
  const auto input = std::make_shared<columnar::Schema>(columnar::Schema{{{"device", TypeKind::kString},
                                                                          {"ts", TypeKind::kTimestampLtz},
                                                                          {"v", TypeKind::kDouble},
                                                                          {"s", TypeKind::kString}}});
  sql::WindowAggregate window;
  window.window = {sql::WindowKind::kHop, 10'000'000, 4'000'000, 0};
  window.time_column = 1;
  window.keys = by_device ? std::vector<size_t>{0} : std::vector<size_t>{3, 2};
  using enum sql::AggregateFunction;
  window.aggregates = {{kAvg, 2, TypeKind::kDouble},
                       {kMax, 3, TypeKind::kString},
                       {.function = kCount, .argument = 2, .distinct = true},
                       {.function = kCount, .argument = 3, .distinct = true},
                       {kVarPop, 2, TypeKind::kDouble},
                       {kFirstValue, 2, TypeKind::kDouble},
                       {kLastValue, 3, TypeKind::kString},
                       {.function = kApproxPercentile, .argument = 2, .type = TypeKind::kDouble, .parameter = 0.5},
                       {.function = kTimeWeightedAvg, .argument = 2, .type = TypeKind::kDouble},
                       {.function = kCoverage, .argument = 1, .type = TypeKind::kDouble, .interval_us = 1'000'000}};
  window.keyed_by_device = by_device;
  window.has_device_column = true;
  auto output = std::make_shared<columnar::Schema>();
  for (const size_t key : window.keys) output->fields.push_back(input->fields[key]);
  for (int i = 0; i < 3; ++i) output->fields.push_back({"t", TypeKind::kTimestampLtz});
  for (const sql::Aggregate& aggregate : window.aggregates) output->fields.push_back({"a", aggregate.type});
  return {window, input, output, by_device, 0};
}

void read_and_close(const WindowPlan& plan, std::string_view bytes) {
  columnar::StringPool names(1000);
  DeviceTable devices(names);
  WindowOperator window(plan, devices);
  ByteReader in(bytes);
  while (in.remaining() > 0) {
    if (!window.read_state(in)) return;
  }
  if (plan.own_watermarks) {
    window.close_silent(kFarTime);
  } else {
    window.fire_shared(kFarTime, nullptr);
  }
  (void)window.results().finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const WindowPlan kByDevice = make_plan(true);
  static const WindowPlan kShared = make_plan(false);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)decode_epoch_record(bytes);
  (void)decode_manifest(bytes);
  read_and_close(kByDevice, bytes);
  read_and_close(kShared, bytes);
  return 0;
}
