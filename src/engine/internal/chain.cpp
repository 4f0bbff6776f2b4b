#include "engine/internal/chain.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace tidegate::engine {

namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// A window of more slices costs too much to put together each time it closes.
constexpr int64_t kMaxSlicesPerWindow = 100'000;

}  // namespace

RowKinds row_kinds(const sql::PlanNode& node) {
  // Windows are emitted once and never corrected (allowed lateness is 0), so nothing makes updates yet.
  return {.accepts_updates = !std::holds_alternative<sql::WindowAggregate>(node.node), .produces_updates = false};
}

std::string_view operator_kind(const sql::PlanNode& node) {
  return std::visit(
      Overloaded{[](const sql::Scan&) { return "scan"; }, [](const sql::Filter&) { return "filter"; },
                 [](const sql::Project&) { return "project"; }, [](const sql::WindowAggregate&) { return "window"; }},
      node.node);
}

Result<std::unique_ptr<ChainPlan>> ChainPlan::build(sql::Plan plan) {
  auto chain = std::make_unique<ChainPlan>();
  chain->plan_ = std::move(plan);
  TRY(chain->link());
  TRY(chain->check_window());
  const auto at = chain->window_at_;
  if (at < chain->nodes_.size()) {
    const auto& aggregate = std::get<sql::WindowAggregate>(chain->nodes_[at]->node);
    const catalog::StreamDefinition& source = chain->source();
    const bool own = aggregate.keyed_by_device && source.watermark_scope == catalog::WatermarkScope::kDevice;
    chain->window_.emplace(aggregate, chain->nodes_[at - 1]->output, chain->nodes_[at]->output, own,
                           source.close_after_us);
  }
  chain->choose_columns();
  return chain;
}

Result<> ChainPlan::link() {
  for (const sql::PlanNode* node = plan_.root.get(); node != nullptr;) {
    nodes_.push_back(node);
    if (node->inputs.size() > 1) return fail(ErrorCode::SqlUnsupported, "a query with more than one input");
    node = node->inputs.empty() ? nullptr : node->inputs.front().get();
  }
  std::ranges::reverse(nodes_);
  if (nodes_.empty() || !std::holds_alternative<sql::Scan>(nodes_.front()->node)) {
    return fail(ErrorCode::SqlUnsupported, "the query does not read a stream");
  }
  scan_ = &std::get<sql::Scan>(nodes_.front()->node);
  const auto is_window = [](const sql::PlanNode* node) {
    return std::holds_alternative<sql::WindowAggregate>(node->node);
  };
  window_at_ = static_cast<size_t>(std::ranges::find_if(nodes_, is_window) - nodes_.begin());
  if (std::ranges::count_if(nodes_, is_window) > 1) {
    return fail(ErrorCode::SqlUnsupported, "a window aggregate over another one",
                "write the inner query into a stream, and read that stream in a second pipeline");
  }
  bool updates = false;
  for (const sql::PlanNode* node : nodes_) {
    if (updates && !row_kinds(*node).accepts_updates) {
      return fail(ErrorCode::SqlUnsupported, "a window aggregate over a result that updates");
    }
    updates = updates || row_kinds(*node).produces_updates;
  }
  return {};
}

Result<> ChainPlan::check_window() const {
  if (window_at_ == nodes_.size()) return {};
  const sql::WindowSpec& window = std::get<sql::WindowAggregate>(nodes_[window_at_]->node).window;
  const int64_t far = kFarTime / 4;
  if (window.slide_us <= 0 || window.size_us < window.slide_us || window.size_us > far || window.offset_us < -far ||
      window.offset_us > far) {
    return fail(ErrorCode::SqlInvalidWindow, "a window's slide must be positive and at most its size");
  }
  if (window.size_us / std::gcd(window.size_us, window.slide_us) > kMaxSlicesPerWindow) {
    return fail(ErrorCode::SqlInvalidWindow, "the window's size and slide have too small a common divisor",
                "choose a slide that divides the size");
  }
  if (!source().time_column) return fail(ErrorCode::SqlNoTimeColumn, "the stream has no event time");
  return {};
}

void ChainPlan::choose_columns() {
  columns_ = scan_->columns;
  if (window_) {
    time_at_ = column_position(*source().time_column);
    if (source().device_column) device_at_ = column_position(*source().device_column);
  }
}

size_t ChainPlan::column_position(size_t source_column) {
  const auto found = std::ranges::find(columns_, source_column);
  const auto at = static_cast<size_t>(found - columns_.begin());
  if (found == columns_.end()) columns_.push_back(source_column);
  return at;
}

std::string_view ChainPlan::state_id() const {
  return window_ ? std::string_view(nodes_[window_at_]->operator_id) : std::string_view{};
}

StatelessStage::StatelessStage(const ChainPlan& chain, size_t first, size_t last) {
  for (size_t at = first; at < last; ++at) {
    Step step{chain.nodes()[at], at, {}};
    if (const auto* filter = std::get_if<sql::Filter>(&step.node->node)) {
      step.evaluators.push_back(compute::compile(filter->predicate));
    } else if (const auto* project = std::get_if<sql::Project>(&step.node->node)) {
      for (const sql::Expression& expression : project->expressions) {
        step.evaluators.push_back(compute::compile(expression));
      }
    }
    steps_.push_back(std::move(step));
  }
}

void StatelessStage::run(columnar::Batch& batch, RowTimes* times) {
  for (Step& step : steps_) {
    if (batch.rows == 0) return;
    step.rows_in += batch.rows;
    if (std::holds_alternative<sql::Filter>(step.node->node)) {
      filter(step, batch, times);
    } else {
      project(step, batch);
    }
    step.rows_out += batch.rows;
  }
}

void StatelessStage::filter(Step& step, columnar::Batch& batch, RowTimes* times) {
  const columnar::ColumnPtr keep = step.evaluators.front()->evaluate(batch);
  compute::true_rows(*keep, rows_);
  if (rows_.size() == batch.rows) return;
  batch = columnar::gather(batch, rows_);
  if (times == nullptr) return;
  for (size_t i = 0; i < rows_.size(); ++i) {
    times->device[i] = times->device[rows_[i]];
    times->watermark[i] = times->watermark[rows_[i]];
  }
  times->resize(rows_.size());
}

void StatelessStage::project(Step& step, columnar::Batch& batch) {
  columnar::Batch out{step.node->output, {}, std::move(batch.kinds), batch.rows};
  for (const auto& evaluator : step.evaluators) out.columns.push_back(evaluator->evaluate(batch));
  batch = std::move(out);
}

void StatelessStage::add_status(std::vector<OperatorStatus>& operators) const {
  for (const Step& step : steps_) {
    operators[step.position].rows_in += step.rows_in;
    operators[step.position].rows_out += step.rows_out;
  }
}

}  // namespace tidegate::engine
