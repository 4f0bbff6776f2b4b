// A plan as the graph of operators that runs it. What keeps state or time is a node of the graph: inputs (scans) and
// stages (stateful operators). Filters, projections and unions lie on the links between them.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/internal/operator_plan.h"
#include "sql/plan.h"

namespace tidegate::engine {

// Which kinds of rows an operator can take, and which it makes of inserts.
struct RowKinds {
  bool accepts_updates = false;
  bool produces_updates = false;
};
[[nodiscard]] RowKinds row_kinds(const sql::PlanNode& node);
[[nodiscard]] std::string_view operator_kind(const sql::PlanNode& node);

// From an input or a stage to what takes its rows.
struct Link {
  static constexpr size_t kOutput = SIZE_MAX;

  std::vector<const sql::PlanNode*> steps;  // filters, projections and unions, in the order rows meet them
  size_t stage = kOutput;
};

struct InputPlan {
  const sql::PlanNode* node = nullptr;
  const sql::Scan* scan = nullptr;
  size_t source = 0;  // in GraphPlan::sources()
  // The stream's columns that a batch is cut down to: those of the scan, then what the watermarks need besides.
  std::vector<size_t> columns;
  std::optional<size_t> time_at;    // in columns; only if a stage is above, and the stream has event times
  std::optional<size_t> device_at;  // in columns
  bool followed = false;            // a stage is above, which goes by its devices
  bool adopted = false;             // its devices are kept and stored by the stage right above
  // So many of the steps on the way out keep or drop all of a device and are run before its time is looked at: nothing
  // goes by the time of the devices that they drop.
  size_t device_filters = 0;
  Link out;

  [[nodiscard]] const catalog::StreamDefinition& stream() const { return *scan->stream; }
};

struct LookupPlan {
  const sql::PlanNode* node = nullptr;
  size_t table = 0;  // in GraphPlan::tables()

  [[nodiscard]] const sql::LookupJoin& join() const { return std::get<sql::LookupJoin>(node->node); }
};

struct Feed {
  bool is_stage = false;
  size_t index = 0;  // of the stage or the input
};

struct StagePlan {
  const sql::PlanNode* node = nullptr;
  std::vector<Feed> feeds;
  std::vector<size_t> inputs;        // all inputs below
  std::unique_ptr<OperatorPlan> op;  // never null
  bool own_watermarks = false;       // each device's own; else the shared one
  size_t shared_index = 0;           // among the stages with the shared watermark; meaningless for the others
  int64_t idle_timeout_us = 0;       // the longest of the inputs'
  Link out;

  // Its only feed is an input: it goes by that input's devices, row by row. Else its devices move between epochs.
  [[nodiscard]] bool adopts_input() const { return feeds.size() == 1 && !feeds.front().is_stage; }
};

// Immutable; all workers' copies refer to it.
class GraphPlan {
 public:
  // SqlUnsupported for plans this engine has no operators for, SqlInvalidWindow for windows that cannot be computed.
  [[nodiscard]] static Result<std::unique_ptr<GraphPlan>> build(sql::Plan plan);

  [[nodiscard]] const sql::Plan& plan() const { return plan_; }
  // The streams it reads, each once.
  [[nodiscard]] const std::vector<const catalog::StreamDefinition*>& sources() const { return sources_; }
  [[nodiscard]] const std::vector<InputPlan>& inputs() const { return inputs_; }
  // What feeds a stage comes before it.
  [[nodiscard]] const std::vector<StagePlan>& stages() const { return stages_; }
  [[nodiscard]] size_t shared_stages() const { return shared_stages_; }
  [[nodiscard]] const columnar::SchemaPtr& output() const { return plan_.root->output; }
  // All nodes of the plan, inputs before what they feed.
  [[nodiscard]] const std::vector<const sql::PlanNode*>& nodes() const { return nodes_; }
  [[nodiscard]] size_t position_of(const sql::PlanNode* node) const;
  // The lookup joins among them.
  [[nodiscard]] const std::vector<LookupPlan>& lookups() const { return lookups_; }
  // The tables that they look things up in, each once.
  [[nodiscard]] const std::vector<catalog::TablePtr>& tables() const { return tables_; }
  // Stateless if there are none.
  [[nodiscard]] bool has_state() const { return !stages_.empty(); }
  // The operators that state is stored under: the inputs that keep devices of their own, then the stages.
  [[nodiscard]] const std::vector<std::string_view>& state_ids() const { return state_ids_; }

 private:
  [[nodiscard]] Result<std::vector<Feed>> walk(const sql::PlanNode& node);
  [[nodiscard]] std::vector<Feed> add_input(const sql::PlanNode& node);
  [[nodiscard]] Result<std::vector<Feed>> add_stage(const sql::PlanNode& node, std::vector<Feed> feeds);
  [[nodiscard]] Link& link_of(const Feed& feed);
  [[nodiscard]] Result<> check_kinds(const sql::PlanNode& node, bool& updates) const;
  [[nodiscard]] bool by_own_watermarks(const StagePlan& stage) const;
  void keep_time(InputPlan& input);
  [[nodiscard]] size_t count_device_filters(const InputPlan& input) const;
  void add_lookup(const sql::PlanNode& node);

  sql::Plan plan_;
  std::vector<const catalog::StreamDefinition*> sources_;
  std::vector<InputPlan> inputs_;
  std::vector<StagePlan> stages_;
  std::vector<const sql::PlanNode*> nodes_;
  std::vector<LookupPlan> lookups_;
  std::vector<catalog::TablePtr> tables_;
  std::vector<std::string_view> state_ids_;
  size_t shared_stages_ = 0;
};

}  // namespace tidegate::engine
