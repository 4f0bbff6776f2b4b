// State entries of OVER and of detections from bytes that are not ours: refused or read, never a crash or a hang. The
// first byte chooses the operator.
#include <cstdint>

#include "engine/internal/operator_plan.h"

using namespace tidegate;
using namespace tidegate::engine;
using columnar::TypeKind;

namespace {

using NodePtr = std::unique_ptr<sql::PlanNode>;

NodePtr make_node(sql::Operation what, columnar::Schema output, NodePtr input) {
  auto node = std::make_unique<sql::PlanNode>();
  node->node = std::move(what);
  node->output = std::make_shared<columnar::Schema>(std::move(output));
  node->operator_id = "fuzzed";
  if (input != nullptr) node->inputs.push_back(std::move(input));
  return node;
}

NodePtr readings() {
  return make_node(sql::Scan{},
                   {{{"device", TypeKind::kString}, {"ts", TypeKind::kTimestampLtz}, {"v", TypeKind::kDouble}}},
                   nullptr);
}

NodePtr over_node(bool by_device) {
  using enum sql::OverFunction;
  sql::Over over;
  over.time_column = 1;
  over.keys = {by_device ? size_t{0} : size_t{2}};
  over.keyed_by_device = by_device;
  over.has_device_column = true;
  over.ttl_us = 1000;
  sql::OverCall sum{kSum, 2, TypeKind::kDouble};
  sum.rows = 3;
  sql::OverCall lag{kLag, 0, TypeKind::kString};
  lag.rows = 1;
  over.calls = {sum, lag, sql::OverCall{}};
  NodePtr input = readings();
  columnar::Schema output = *input->output;
  for (const sql::OverCall& call : over.calls) output.fields.push_back({"c", call.type});
  return make_node(std::move(over), std::move(output), std::move(input));
}

NodePtr detect_node(sql::DetectKind kind, bool by_device) {
  sql::Detect detect{.kind = kind, .value_column = 2, .above = 1, .below = -1, .tolerance = 1};
  detect.for_us = 1000;
  detect.times = 3;
  detect.ttl_us = 1000;
  detect.time_column = 1;
  detect.keys = {by_device ? size_t{0} : size_t{2}};
  detect.keyed_by_device = by_device;
  detect.has_device_column = true;
  NodePtr input = readings();
  columnar::Schema output{{input->output->fields[detect.keys.front()],
                           {"event", TypeKind::kString},
                           {"value", TypeKind::kDouble},
                           {"event_time", TypeKind::kTimestampLtz},
                           {"raised_at", TypeKind::kTimestampLtz},
                           {"duration_ms", TypeKind::kBigint}}};
  return make_node(std::move(detect), std::move(output), std::move(input));
}

std::vector<NodePtr> all_nodes() {
  std::vector<NodePtr> nodes;
  for (const bool by_device : {true, false}) {
    nodes.push_back(over_node(by_device));
    using enum sql::DetectKind;
    for (const auto kind : {kThreshold, kChange, kStuck, kMissing, kCount}) {
      nodes.push_back(detect_node(kind, by_device));
    }
  }
  return nodes;
}

void read_and_close(const OperatorPlan& plan, bool by_device, std::string_view bytes) {
  columnar::StringPool names(1000);
  DeviceTable devices(names);
  const auto op = plan.make(devices, 1);
  ByteReader in(bytes);
  while (in.remaining() > 0) {
    if (!op->read_state(in)) return;
  }
  op->loaded(-kNever);
  if (by_device) {
    op->fire_due({});
    op->close_silent(kFarTime);
  } else {
    StatefulOperator* const copies[] = {op.get()};
    op->fire_shared(0, copies);
    op->fire_silent(kFarTime);
  }
  DirtyKeyGroups all;
  all.set();
  op->write_state(all, [](uint16_t, std::string_view) {});
  (void)op->results().finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<NodePtr> kNodes = all_nodes();
  if (size == 0) return 0;
  const size_t which = data[0] % (kNodes.size() * 2);
  const sql::PlanNode& node = *kNodes[which / 2];
  OperatorPlace place;
  place.own_watermarks = keyed_by_device(node);
  place.adopts_input = which % 2 == 0;
  place.close_after_us = 1000;
  place.delay_us = 10;
  const auto plan = plan_operator(node, place);
  if (!plan) return 0;
  read_and_close(**plan, place.own_watermarks, {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
