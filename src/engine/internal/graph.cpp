#include "engine/internal/graph.h"

#include <algorithm>

namespace tidegate::engine {

namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// Stages and inputs of one pipeline: each costs memory per device, and a query of more is surely not meant.
constexpr size_t kMaxParts = 64;

bool looks_only_at(const sql::Expression& expression, size_t column) {
  if (const auto* reference = std::get_if<sql::ColumnRef>(&expression.node)) return reference->index == column;
  const auto* call = std::get_if<std::unique_ptr<sql::Call>>(&expression.node);
  return call == nullptr || std::ranges::all_of((*call)->arguments, [&](const sql::Expression& argument) {
           return looks_only_at(argument, column);
         });
}

// One window of all rows, which is over what is stored only: nothing goes by time.
bool takes_timeless(const sql::PlanNode& node) {
  const auto* window = std::get_if<sql::WindowAggregate>(&node.node);
  return window != nullptr && window->window.kind == sql::WindowKind::kAll;
}

}  // namespace

RowKinds row_kinds(const sql::PlanNode& node) {
  // Windows are emitted once and never corrected (allowed lateness is 0), so nothing makes updates yet.
  return {.accepts_updates = !is_stateful(node), .produces_updates = false};
}

std::string_view operator_kind(const sql::PlanNode& node) {
  return std::visit(
      Overloaded{[](const sql::Scan&) { return "scan"; }, [](const sql::Filter&) { return "filter"; },
                 [](const sql::Project&) { return "project"; }, [](const sql::WindowAggregate&) { return "window"; },
                 [](const sql::UnionAll&) { return "union"; }, [](const sql::Over&) { return "over"; },
                 [](const sql::Detect&) { return "detect"; }, [](const sql::LookupJoin&) { return "lookup"; },
                 [](const sql::Unnest&) { return "unnest"; }},
      node.node);
}

Result<std::unique_ptr<GraphPlan>> GraphPlan::build(sql::Plan plan) {
  auto graph = std::make_unique<GraphPlan>();
  graph->plan_ = std::move(plan);
  if (graph->plan_.root == nullptr) return fail(ErrorCode::SqlUnsupported, "the query does not read a stream");
  TRY_ASSIGN(const std::vector<Feed> last, graph->walk(*graph->plan_.root));
  for (const Feed& feed : last) graph->link_of(feed).stage = Link::kOutput;
  bool updates = false;
  TRY(graph->check_kinds(*graph->plan_.root, updates));
  if (graph->inputs_.size() + graph->stages_.size() > kMaxParts) {
    return fail(ErrorCode::SqlTooComplex, "the query has too many inputs and windows", "split it into pipelines");
  }
  for (InputPlan& input : graph->inputs_) {
    if (input.columns.empty()) input.columns = input.scan->columns;
    if (input.followed && !input.adopted) graph->state_ids_.push_back(input.node->operator_id);
    input.device_filters = graph->count_device_filters(input);
  }
  for (const StagePlan& stage : graph->stages_) graph->state_ids_.push_back(stage.node->operator_id);
  return graph;
}

size_t GraphPlan::position_of(const sql::PlanNode* node) const {
  return static_cast<size_t>(std::ranges::find(nodes_, node) - nodes_.begin());
}

Link& GraphPlan::link_of(const Feed& feed) { return feed.is_stage ? stages_[feed.index].out : inputs_[feed.index].out; }

Result<std::vector<Feed>> GraphPlan::walk(const sql::PlanNode& node) {
  if (std::holds_alternative<sql::Scan>(node.node)) return add_input(node);
  if (node.inputs.empty()) return fail(ErrorCode::SqlUnsupported, "the query does not read a stream");
  std::vector<Feed> feeds;
  for (const auto& input : node.inputs) {
    TRY_ASSIGN(const std::vector<Feed> below, walk(*input));
    feeds.insert(feeds.end(), below.begin(), below.end());
  }
  nodes_.push_back(&node);
  if (std::holds_alternative<sql::LookupJoin>(node.node)) add_lookup(node);
  if (is_stateful(node)) return add_stage(node, std::move(feeds));
  for (const Feed& feed : feeds) link_of(feed).steps.push_back(&node);
  return feeds;
}

std::vector<Feed> GraphPlan::add_input(const sql::PlanNode& node) {
  nodes_.push_back(&node);
  InputPlan input;
  input.node = &node;
  input.scan = &std::get<sql::Scan>(node.node);
  const auto same = [&](const catalog::StreamDefinition* source) { return source->id == input.stream().id; };
  const auto found = std::ranges::find_if(sources_, same);
  input.source = static_cast<size_t>(found - sources_.begin());
  if (found == sources_.end()) sources_.push_back(input.scan->stream.get());
  inputs_.push_back(std::move(input));
  return {Feed{false, inputs_.size() - 1}};
}

Result<std::vector<Feed>> GraphPlan::add_stage(const sql::PlanNode& node, std::vector<Feed> feeds) {
  StagePlan stage;
  stage.node = &node;
  stage.feeds = std::move(feeds);
  OperatorPlace place;
  for (const Feed& feed : stage.feeds) {
    link_of(feed).stage = stages_.size();
    if (feed.is_stage) {
      const std::vector<size_t>& below = stages_[feed.index].inputs;
      stage.inputs.insert(stage.inputs.end(), below.begin(), below.end());
    } else {
      stage.inputs.push_back(feed.index);
    }
  }
  for (const size_t at : stage.inputs) {
    InputPlan& input = inputs_[at];
    if (!input.stream().time_column && !takes_timeless(node)) {
      return fail(ErrorCode::SqlNoTimeColumn, "the stream has no event time");
    }
    if (!input.followed) keep_time(input);
    place.close_after_us = std::max(place.close_after_us, input.stream().close_after_us);
    stage.idle_timeout_us = std::max(stage.idle_timeout_us, input.stream().idle_timeout_us);
    place.delay_us = std::max(place.delay_us, input.stream().watermark_delay_us);
  }
  if (stage.adopts_input()) inputs_[stage.feeds.front().index].adopted = true;
  stage.own_watermarks = by_own_watermarks(stage);
  if (!stage.own_watermarks) stage.shared_index = shared_stages_++;
  place.own_watermarks = stage.own_watermarks;
  place.idle_timeout_us = stage.idle_timeout_us;
  place.adopts_input = stage.adopts_input();
  TRY_ASSIGN(stage.op, plan_operator(node, place));
  stages_.push_back(std::move(stage));
  return std::vector<Feed>{Feed{true, stages_.size() - 1}};
}

// What comes from a stage with the shared watermark can only be judged by it.
bool GraphPlan::by_own_watermarks(const StagePlan& stage) const {
  return keyed_by_device(*stage.node) && std::ranges::all_of(stage.feeds, [this](const Feed& feed) {
           if (feed.is_stage) return stages_[feed.index].own_watermarks;
           return inputs_[feed.index].stream().watermark_scope == catalog::WatermarkScope::kDevice;
         });
}

void GraphPlan::add_lookup(const sql::PlanNode& node) {
  const catalog::TablePtr& table = std::get<sql::LookupJoin>(node.node).table;
  const auto found = std::ranges::find(tables_, table->id, [](const catalog::TablePtr& known) { return known->id; });
  lookups_.push_back({&node, static_cast<size_t>(found - tables_.begin())});
  if (found == tables_.end()) tables_.push_back(table);
}

void GraphPlan::keep_time(InputPlan& input) {
  input.columns = input.scan->columns;
  const auto position = [&](size_t source_column) {
    const auto found = std::ranges::find(input.columns, source_column);
    const auto at = static_cast<size_t>(found - input.columns.begin());
    if (found == input.columns.end()) input.columns.push_back(source_column);
    return at;
  };
  input.followed = true;
  if (input.stream().time_column) input.time_at = position(*input.stream().time_column);
  if (input.stream().device_column) input.device_at = position(*input.stream().device_column);
}

// Only where each device goes by its own watermark: a shared one is the least over all devices of the stream.
size_t GraphPlan::count_device_filters(const InputPlan& input) const {
  if (!input.adopted || !input.device_at || shared_stages_ > 0) return 0;
  size_t count = 0;
  for (const sql::PlanNode* step : input.out.steps) {
    const auto* filter = std::get_if<sql::Filter>(&step->node);
    if (filter == nullptr || !looks_only_at(filter->predicate, *input.device_at)) break;
    ++count;
  }
  return count;
}

Result<> GraphPlan::check_kinds(const sql::PlanNode& node, bool& updates) const {
  for (const auto& input : node.inputs) TRY(check_kinds(*input, updates));
  const RowKinds kinds = row_kinds(node);
  if (updates && !kinds.accepts_updates) {
    return fail(ErrorCode::SqlUnsupported, "a window aggregate over a result that updates");
  }
  updates = updates || kinds.produces_updates;
  return {};
}

}  // namespace tidegate::engine
