// Epoch records, manifests and state entries from bytes that are not ours: refused or read, never a crash or a hang.
#include <cstdint>

#include "engine/internal/epoch_record.h"
#include "engine/internal/window_operator.h"

using namespace tidegate;
using namespace tidegate::engine;
using columnar::TypeKind;

namespace {

WindowPlan make_plan(bool by_device, sql::WindowSpec spec) {
  const auto array = columnar::Type::array(columnar::Type::row({{"x", TypeKind::kInt}, {"s", TypeKind::kString}}));
  const auto input = std::make_shared<columnar::Schema>(columnar::Schema{{{"device", TypeKind::kString},
                                                                          {"ts", TypeKind::kTimestampLtz},
                                                                          {"v", TypeKind::kDouble},
                                                                          {"s", TypeKind::kString},
                                                                          {"f", TypeKind::kFloat},
                                                                          {"y", TypeKind::kBytes},
                                                                          {"p", columnar::Type::decimal(20, 4)},
                                                                          {"a", array}}});
  sql::WindowAggregate window;
  window.window = std::move(spec);
  window.time_column = 1;
  window.keys = by_device ? std::vector<size_t>{0} : std::vector<size_t>{3, 2, 5, 4, 6};
  using enum sql::AggregateFunction;
  window.aggregates = {{kAvg, 2, TypeKind::kDouble},
                       {kMax, 3, TypeKind::kString},
                       {.function = kCount, .argument = 2, .distinct = true},
                       {.function = kCount, .argument = 3, .distinct = true},
                       {kVarPop, 2, TypeKind::kDouble},
                       {kFirstValue, 2, TypeKind::kDouble},
                       {kLastValue, 3, TypeKind::kString},
                       {kFirstValue, 4, TypeKind::kFloat},
                       {kMin, 5, TypeKind::kBytes},
                       {kSum, 6, columnar::Type::decimal(38, 4)},
                       {kMax, 6, columnar::Type::decimal(20, 4)},
                       {kLastValue, 6, columnar::Type::decimal(20, 4)},
                       {kLastValue, 7, array},
                       {.function = kSum, .argument = 6, .type = columnar::Type::decimal(38, 4), .distinct = true},
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
  static const sql::WindowSpec kHop{sql::WindowKind::kHop, 10'000'000, 4'000'000, 0};
  static const sql::WindowSpec kSession{sql::WindowKind::kSession, 10'000'000, 10'000'000, 0};
  static const sql::WindowSpec kDays{sql::WindowKind::kCalendar, 86'400'000'000, 86'400'000'000, 0, "Europe/Paris"};
  static const std::vector<WindowPlan> kPlans = {make_plan(true, kHop), make_plan(false, kHop),
                                                 make_plan(true, kSession), make_plan(false, kSession),
                                                 make_plan(true, kDays)};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)decode_epoch_record(bytes);
  (void)decode_manifest(bytes);
  for (const WindowPlan& plan : kPlans) read_and_close(plan, bytes);
  return 0;
}
