// Drops columns that nothing uses, from the root down, and projections that change nothing.
#include <algorithm>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Schema;

namespace {

using Needed = std::vector<bool>;
constexpr size_t kGone = SIZE_MAX;
// For each column of the node before pruning its index afterwards, or kGone.
using Moved = std::vector<size_t>;

void need(const Expression& expression, Needed& needed) {
  if (const auto* column = std::get_if<ColumnRef>(&expression.node)) needed[column->index] = true;
  if (const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (const Expression& argument : (*call)->arguments) need(argument, needed);
  }
}

void move_columns(Expression& expression, const Moved& moved) {
  if (auto* column = std::get_if<ColumnRef>(&expression.node)) column->index = moved[column->index];
  if (auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (Expression& argument : (*call)->arguments) move_columns(argument, moved);
  }
}

Moved keep_all(size_t count) {
  Moved moved(count);
  for (size_t at = 0; at < count; ++at) moved[at] = at;
  return moved;
}

// Keeps the needed fields, at least one: a batch without columns could not be stored.
columnar::SchemaPtr keep(const Schema& before, Needed needed, Moved& moved) {
  if (std::ranges::none_of(needed, [](bool each) { return each; }) && !needed.empty()) needed[0] = true;
  auto schema = std::make_shared<Schema>();
  moved.assign(needed.size(), kGone);
  for (size_t at = 0; at < needed.size(); ++at) {
    if (!needed[at]) continue;
    moved[at] = schema->fields.size();
    schema->fields.push_back(before.fields[at]);
  }
  return schema;
}

Moved prune_node(std::unique_ptr<PlanNode>& node, const Needed& needed);

Moved prune_scan(PlanNode& node, Scan& scan, const Needed& needed) {
  Moved moved;
  node.output = keep(*node.output, needed, moved);
  std::vector<size_t> kept;
  for (size_t at = 0; at < moved.size(); ++at) {
    if (moved[at] != kGone) kept.push_back(scan.columns[at]);
  }
  scan.columns = std::move(kept);
  return moved;
}

Moved prune_filter(PlanNode& node, Filter& filter, Needed needed) {
  need(filter.predicate, needed);
  Moved moved = prune_node(node.inputs[0], needed);
  move_columns(filter.predicate, moved);
  node.output = node.inputs[0]->output;
  return moved;
}

bool hands_all_on(const Project& project, const Schema& input) {
  if (project.expressions.size() != input.fields.size()) return false;
  for (size_t at = 0; at < project.expressions.size(); ++at) {
    const auto* column = std::get_if<ColumnRef>(&project.expressions[at].node);
    if (column == nullptr || column->index != at) return false;
  }
  return true;
}

// The column that an expression is, or casts; null if it computes more.
ColumnRef* only_column(Expression& expression) {
  if (auto* column = std::get_if<ColumnRef>(&expression.node)) return column;
  auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node);
  if (call == nullptr || (*call)->function != FunctionId::kCast) return nullptr;
  return std::get_if<ColumnRef>(&(*call)->arguments[0].node);
}

// A projection that only renames, reorders and casts what one below computes becomes one with it.
void merge_projects(PlanNode& node) {
  auto& upper = std::get<Project>(node.node);
  auto* lower = std::get_if<Project>(&node.inputs[0]->node);
  if (lower == nullptr) return;
  Needed used(lower->expressions.size(), false);
  for (Expression& expression : upper.expressions) {
    if (std::holds_alternative<Literal>(expression.node)) continue;
    const ColumnRef* column = only_column(expression);
    if (column == nullptr || used[column->index]) return;
    used[column->index] = true;
  }
  for (Expression& expression : upper.expressions) {
    if (std::holds_alternative<Literal>(expression.node)) continue;
    Expression& computed = lower->expressions[only_column(expression)->index];
    if (std::holds_alternative<ColumnRef>(expression.node)) {
      expression = std::move(computed);
    } else {
      std::get<std::unique_ptr<Call>>(expression.node)->arguments[0] = std::move(computed);
    }
  }
  auto below = std::move(node.inputs[0]->inputs[0]);
  node.inputs[0] = std::move(below);
}

Moved prune_project(std::unique_ptr<PlanNode>& node, const Needed& needed) {
  auto& project = std::get<Project>(node->node);
  Moved moved;
  node->output = keep(*node->output, needed, moved);
  std::vector<Expression> kept;
  for (size_t at = 0; at < moved.size(); ++at) {
    if (moved[at] != kGone) kept.push_back(std::move(project.expressions[at]));
  }
  project.expressions = std::move(kept);
  Needed below(node->inputs[0]->output->fields.size(), false);
  for (const Expression& expression : project.expressions) need(expression, below);
  const Moved moved_below = prune_node(node->inputs[0], below);
  for (Expression& expression : project.expressions) move_columns(expression, moved_below);
  merge_projects(*node);
  if (*node->output == *node->inputs[0]->output && hands_all_on(project, *node->inputs[0]->output)) {
    auto input = std::move(node->inputs[0]);
    node = std::move(input);
  }
  return moved;
}

Moved prune_window(PlanNode& node, WindowAggregate& window) {
  Needed below(node.inputs[0]->output->fields.size(), false);
  below[window.time_column] = true;
  for (const size_t key : window.keys) below[key] = true;
  for (const Aggregate& aggregate : window.aggregates) {
    if (aggregate.function != AggregateFunction::kCountStar) below[aggregate.argument] = true;
    if (aggregate.meter) below[*aggregate.meter] = true;
  }
  if (window.has_device_column) below[window.device_column] = true;
  const Moved moved = prune_node(node.inputs[0], below);
  window.time_column = moved[window.time_column];
  for (size_t& key : window.keys) key = moved[key];
  for (Aggregate& aggregate : window.aggregates) {
    if (aggregate.function != AggregateFunction::kCountStar) aggregate.argument = moved[aggregate.argument];
    if (aggregate.meter) aggregate.meter = moved[*aggregate.meter];
  }
  if (window.has_device_column) window.device_column = moved[window.device_column];
  return keep_all(node.output->fields.size());
}

Moved prune_detect(PlanNode& node, Detect& detect) {
  Needed below(node.inputs[0]->output->fields.size(), false);
  below[detect.time_column] = true;
  for (const size_t key : detect.keys) below[key] = true;
  if (detect.value_column) below[*detect.value_column] = true;
  if (detect.has_device_column) below[detect.device_column] = true;
  const Moved moved = prune_node(node.inputs[0], below);
  detect.time_column = moved[detect.time_column];
  for (size_t& key : detect.keys) key = moved[key];
  if (detect.value_column) detect.value_column = moved[*detect.value_column];
  if (detect.has_device_column) detect.device_column = moved[detect.device_column];
  return keep_all(node.output->fields.size());
}

// Every input is a projection when pruning begins, so all of them keep the same columns.
Moved prune_union(PlanNode& node, const Needed& needed) {
  Moved moved;
  node.output = keep(*node.output, needed, moved);
  for (auto& input : node.inputs) prune_node(input, needed);
  return moved;
}

// The rows that it keeps are stored with the columns that are left, so these are part of what its id stands for.
Moved prune_over(PlanNode& node, Over& over, const Needed& needed) {
  const size_t passed = node.inputs[0]->output->fields.size();
  Needed below(needed.begin(), needed.begin() + static_cast<std::ptrdiff_t>(passed));
  below[over.time_column] = true;
  for (const size_t key : over.keys) below[key] = true;
  for (const OrderKey& key : over.order) below[key.column] = true;
  for (const OverCall& call : over.calls) below[call.argument] = true;
  if (over.has_device_column) below[over.device_column] = true;
  Moved moved = prune_node(node.inputs[0], below);
  over.time_column = moved[over.time_column];
  for (size_t& key : over.keys) key = moved[key];
  for (OrderKey& key : over.order) key.column = moved[key.column];
  for (OverCall& call : over.calls) call.argument = moved[call.argument];
  if (over.has_device_column) over.device_column = moved[over.device_column];
  Schema schema = *node.inputs[0]->output;
  std::string stored;
  for (const columnar::Field& field : schema.fields) {
    stored += fmt::format("{}:{};", field.name, hashed_name(field.type));
  }
  node.operator_id += fmt::format("-{:08x}", static_cast<uint32_t>(stable_hash(stored)));
  for (size_t call = 0; call < over.calls.size(); ++call) {
    moved.push_back(schema.fields.size());
    schema.fields.push_back(node.output->fields[passed + call]);
  }
  node.output = std::make_shared<Schema>(std::move(schema));
  return moved;
}

// The columns of the table are chosen here; all that the input still has is handed on.
Moved prune_lookup(std::unique_ptr<PlanNode>& node, const Needed& needed) {
  auto& join = std::get<LookupJoin>(node->node);
  const bool joins = join.kind == LookupKind::kInner || join.kind == LookupKind::kLeft;
  const size_t added = joins ? join.columns.size() : 1;
  const size_t passed = node->inputs[0]->output->fields.size();
  Needed all = needed;
  // For each column of the input its place in the output.
  const auto out = [&](size_t column) { return column < join.place ? column : column + added; };
  const bool used =
      std::any_of(needed.begin() + static_cast<std::ptrdiff_t>(join.place),
                  needed.begin() + static_cast<std::ptrdiff_t>(join.place + added), [](bool each) { return each; });
  if (join.match && used) need(*join.match, all);
  Needed below(passed, false);
  for (size_t at = 0; at < passed; ++at) below[at] = all[out(at)];
  Moved moved(all.size(), kGone);
  if (!used && join.kind != LookupKind::kInner) {  // no row comes or goes by it
    const Moved moved_below = prune_node(node->inputs[0], below);
    for (size_t at = 0; at < passed; ++at) moved[out(at)] = moved_below[at];
    auto input = std::move(node->inputs[0]);
    node = std::move(input);
    return moved;
  }
  for (const Expression& key : join.keys) need(key, below);
  if (join.time) need(*join.time, below);
  const Moved moved_below = prune_node(node->inputs[0], below);
  for (Expression& key : join.keys) move_columns(key, moved_below);
  if (join.time) move_columns(*join.time, moved_below);

  const auto& input = node->inputs[0]->output->fields;
  size_t place = 0;
  for (size_t at = 0; at < join.place; ++at) place += moved_below[at] == kGone ? 0 : 1;
  Schema schema;
  schema.fields.assign(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(place));
  std::vector<size_t> columns;
  for (size_t at = 0; at < added; ++at) {
    if (!all[join.place + at]) continue;
    moved[join.place + at] = schema.fields.size();
    schema.fields.push_back(node->output->fields[join.place + at]);
    if (joins) columns.push_back(join.columns[at]);
  }
  const size_t kept = schema.fields.size() - place;
  schema.fields.insert(schema.fields.end(), input.begin() + static_cast<std::ptrdiff_t>(place), input.end());
  for (size_t at = 0; at < passed; ++at) {
    if (moved_below[at] != kGone) moved[out(at)] = moved_below[at] < place ? moved_below[at] : moved_below[at] + kept;
  }
  join.columns = std::move(columns);
  join.place = place;
  if (join.match) move_columns(*join.match, moved);
  node->output = std::make_shared<Schema>(std::move(schema));
  return moved;
}

// The array itself goes no further unless something above wants it: it would stand in each of its rows.
Moved prune_unnest(PlanNode& node, Unnest& unnest, const Needed& needed) {
  const size_t added = unnest.columns.size();
  const auto out = [&](size_t passed) { return passed < unnest.place ? passed : passed + added; };
  Needed below(node.inputs[0]->output->fields.size(), false);
  need(unnest.array, below);
  for (size_t at = 0; at < unnest.passed.size(); ++at) {
    if (needed[out(at)]) below[unnest.passed[at]] = true;
  }
  const Moved moved_below = prune_node(node.inputs[0], below);
  move_columns(unnest.array, moved_below);

  Moved moved(needed.size(), kGone);
  Schema schema;
  std::vector<size_t> passed;
  std::vector<size_t> columns;
  const auto pass = [&](size_t first, size_t end) {
    for (size_t at = first; at < end; ++at) {
      if (!needed[out(at)]) continue;
      moved[out(at)] = schema.fields.size();
      passed.push_back(moved_below[unnest.passed[at]]);
      schema.fields.push_back(node.output->fields[out(at)]);
    }
  };
  pass(0, unnest.place);
  const size_t place = schema.fields.size();
  const bool none = std::ranges::none_of(needed, [](bool each) { return each; });
  for (size_t at = 0; at < added; ++at) {
    // At least one column: a batch has rows by its columns.
    if (!needed[unnest.place + at] && !(none && at == 0)) continue;
    moved[unnest.place + at] = schema.fields.size();
    columns.push_back(unnest.columns[at]);
    schema.fields.push_back(node.output->fields[unnest.place + at]);
  }
  pass(unnest.place, unnest.passed.size());
  unnest.passed = std::move(passed);
  unnest.columns = std::move(columns);
  unnest.place = place;
  node.output = std::make_shared<Schema>(std::move(schema));
  return moved;
}

Moved prune_node(std::unique_ptr<PlanNode>& node, const Needed& needed) {
  if (auto* unnest = std::get_if<Unnest>(&node->node)) return prune_unnest(*node, *unnest, needed);
  if (std::holds_alternative<LookupJoin>(node->node)) return prune_lookup(node, needed);
  if (auto* over = std::get_if<Over>(&node->node)) return prune_over(*node, *over, needed);
  if (auto* detect = std::get_if<Detect>(&node->node)) return prune_detect(*node, *detect);
  if (std::holds_alternative<UnionAll>(node->node)) return prune_union(*node, needed);
  if (auto* scan = std::get_if<Scan>(&node->node)) return prune_scan(*node, *scan, needed);
  if (auto* filter = std::get_if<Filter>(&node->node)) return prune_filter(*node, *filter, needed);
  if (auto* window = std::get_if<WindowAggregate>(&node->node)) return prune_window(*node, *window);
  return prune_project(node, needed);
}

}  // namespace

std::unique_ptr<PlanNode> prune(std::unique_ptr<PlanNode> root, size_t visible) {
  Needed needed(root->output->fields.size(), false);
  std::fill_n(needed.begin(), std::min(visible, needed.size()), true);
  prune_node(root, needed);
  return root;
}

}  // namespace tidegate::sql
