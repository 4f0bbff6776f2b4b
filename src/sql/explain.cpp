#include <fmt/format.h>

#include "sql/internal/text.h"
#include "sql/plan.h"

namespace tidegate::sql {

namespace {

std::string column_list(const columnar::Schema& schema) {
  std::string text;
  for (const columnar::Field& field : schema.fields) text += (text.empty() ? "" : ", ") + quote_identifier(field.name);
  return text;
}

std::string scan_text(const Scan& scan, const PlanNode& node) {
  const std::string columns =
      fmt::format("Scan {}: {}", quote_identifier(scan.stream->name), column_list(*node.output));
  const size_t pruned = scan.stream->schema->fields.size() - scan.columns.size();
  return pruned == 0 ? columns : fmt::format("{} ({} pruned)", columns, pruned);
}

std::string project_text(const Project& project, const PlanNode& node) {
  std::string text;
  for (size_t at = 0; at < project.expressions.size(); ++at) {
    const std::string name = quote_identifier(node.output->fields[at].name);
    const std::string expression = to_string(project.expressions[at]);
    if (at > 0) text += ", ";
    text += expression == name ? name : fmt::format("{} AS {}", expression, name);
  }
  return "Project " + text;
}

std::string calendar_text(const WindowSpec& spec) {
  std::string text = "TUMBLE ";
  if (spec.months > 0) {
    text += spec.months % 12 == 0 ? fmt::format("{} year{}", spec.months / 12, spec.months == 12 ? "" : "s")
                                  : fmt::format("{} month{}", spec.months, spec.months == 1 ? "" : "s");
  } else if (spec.shift_starts_us.empty()) {
    text += duration_text(spec.size_us);
  }
  for (size_t at = 0; at < spec.shift_starts_us.size(); ++at) {
    text += fmt::format("{}{}", at == 0 ? "shifts from " : ", ", time_of_day_text(spec.shift_starts_us[at]));
  }
  return text + fmt::format(" in {}", spec.zone.empty() ? "UTC" : spec.zone);
}

std::string spec_text(const WindowSpec& spec) {
  switch (spec.kind) {
    case WindowKind::kTumble: return fmt::format("TUMBLE {}", duration_text(spec.size_us));
    case WindowKind::kHop:
      return fmt::format("HOP {} every {}", duration_text(spec.size_us), duration_text(spec.slide_us));
    case WindowKind::kCumulate:
      return fmt::format("CUMULATE {} every {}", duration_text(spec.size_us), duration_text(spec.slide_us));
    case WindowKind::kSession: return fmt::format("SESSION gap {}", duration_text(spec.size_us));
    case WindowKind::kCalendar: return calendar_text(spec);
    case WindowKind::kAll: return "ALL ROWS";
  }
  return {};
}

std::string window_text(const WindowAggregate& window, const PlanNode& node) {
  const auto& input = node.inputs[0]->output->fields;
  std::string text = "Window " + spec_text(window.window);
  if (window.window.offset_us != 0) {
    const int64_t offset = window.window.offset_us;
    text += fmt::format(" offset {}{}", offset < 0 ? "-" : "", duration_text(offset < 0 ? -offset : offset));
  }
  text += fmt::format(" on {}", quote_identifier(input[window.time_column].name));
  for (size_t at = 0; at < window.keys.size(); ++at) {
    text += (at == 0 ? " by " : ", ") + quote_identifier(input[window.keys[at]].name);
  }
  for (size_t at = 0; at < window.aggregates.size(); ++at) {
    text += (at == 0 ? ": " : ", ") + node.output->fields[window.keys.size() + 3 + at].name;
  }
  return text +
         (window.keyed_by_device ? "; closes by each device's own watermark" : "; closes by the shared watermark");
}

std::string over_text(const Over& over, const PlanNode& node) {
  const auto& input = node.inputs[0]->output->fields;
  std::string text = "Over";
  for (size_t at = 0; at < over.keys.size(); ++at) {
    text += (at == 0 ? " by " : ", ") + quote_identifier(input[over.keys[at]].name);
  }
  text += over.order.empty() ? fmt::format(" in order of {}", quote_identifier(input[over.time_column].name))
                             : " of closed windows in order of ";
  for (size_t at = 0; at < over.order.size(); ++at) {
    text += (at == 0 ? "" : ", ") + quote_identifier(input[over.order[at].column].name);
    if (over.order[at].descending) text += " DESC";
  }
  for (size_t at = 0; at < over.calls.size(); ++at) {
    text += (at == 0 ? ": " : ", ") + node.output->fields[input.size() + at].name;
  }
  return text + (over.keyed_by_device ? "; by each device's own watermark" : "; by the shared watermark");
}

std::string detect_condition(const Detect& detect, const std::string& value) {
  const auto limits = [](std::string_view high, const std::optional<double>& above, std::string_view low,
                         const std::optional<double>& below) {
    std::string text = above ? fmt::format("{} {}", high, *above) : "";
    if (below) text += fmt::format("{}{} {}", above ? " or " : "", low, *below);
    return text;
  };
  switch (detect.kind) {
    case DetectKind::kThreshold: {
      std::string text = fmt::format("threshold: {} {}", value, limits("above", detect.above, "below", detect.below));
      if (detect.for_us > 0) text += fmt::format(" for {}", duration_text(detect.for_us));
      if (!detect.clear_above && !detect.clear_below) return text;
      return text + ", clear " + limits("below", detect.clear_below, "above", detect.clear_above);
    }
    case DetectKind::kChange: {
      const auto fall = detect.below ? std::optional(-*detect.below) : std::nullopt;
      return fmt::format("change: {} {} per {} within {}", value, limits("up", detect.above, "down", fall),
                         duration_text(detect.per_us), duration_text(detect.for_us));
    }
    case DetectKind::kStuck:
      return fmt::format("stuck: {} within {} for {}", value, detect.tolerance, duration_text(detect.for_us));
    case DetectKind::kMissing:
      return fmt::format("missing: {} for {}", value.empty() ? "no row" : "no " + value, duration_text(detect.for_us));
    case DetectKind::kCount:
      return fmt::format("count: {}{} times within {}", value.empty() ? "" : value + " ", detect.times,
                         duration_text(detect.for_us));
  }
  return {};
}

std::string detect_text(const Detect& detect, const PlanNode& node) {
  const auto& input = node.inputs[0]->output->fields;
  std::string text =
      "Detect " + detect_condition(
                      detect, detect.value_column ? quote_identifier(input[*detect.value_column].name) : std::string());
  for (size_t at = 0; at < detect.keys.size(); ++at) {
    text += (at == 0 ? " by " : ", ") + quote_identifier(input[detect.keys[at]].name);
  }
  return text + (detect.keyed_by_device ? "; by each device's own watermark" : "; by the shared watermark");
}

std::string keys_text(const LookupJoin& join) {
  std::string text;
  for (size_t at = 0; at < join.keys.size(); ++at) {
    text += fmt::format("{}{} = {}", at == 0 ? "" : " AND ", to_string(join.keys[at]), to_string(join.table_keys[at]));
  }
  return text;
}

std::string lookup_text(const LookupJoin& join) {
  const std::string table = quote_identifier(join.table->name);
  std::string text;
  if (join.kind == LookupKind::kIn) {
    text =
        fmt::format("Lookup {} IN {} of {}", to_string(join.keys.front()), to_string(join.table_keys.front()), table);
  } else {
    const char* name = join.kind == LookupKind::kExists ? "exists in"
                       : join.kind == LookupKind::kLeft ? "left join"
                                                        : "join";
    text = fmt::format("Lookup {} {} on {}", name, table, keys_text(join));
  }
  if (join.match) text += " if " + to_string(*join.match);
  if (join.condition) text += " where " + to_string(*join.condition);
  const bool joins = join.kind == LookupKind::kInner || join.kind == LookupKind::kLeft;
  text += join.time ? " as of " + to_string(*join.time) : joins ? ", newest rows" : "";
  for (size_t at = 0; at < join.columns.size(); ++at) {
    text += (at == 0 ? ": " : ", ") + quote_identifier(join.table->schema->fields[join.columns[at]].name);
  }
  return text;
}

std::string unnest_text(const Unnest& unnest, const PlanNode& node) {
  std::string text = fmt::format("Unnest {}{}", unnest.left ? "or keep " : "", to_string(unnest.array));
  for (size_t at = 0; at < unnest.columns.size(); ++at) {
    text += fmt::format("{}{}", at == 0 ? ": " : ", ", quote_identifier(node.output->fields[unnest.place + at].name));
    if (unnest.columns[at] == unnest.fields()) text += " (number)";
  }
  return text;
}

void append(std::string& out, const PlanNode& node, size_t level) {
  out.append(level * 2, ' ');
  if (const auto* scan = std::get_if<Scan>(&node.node)) {
    out += scan_text(*scan, node);
  } else if (const auto* filter = std::get_if<Filter>(&node.node)) {
    out += "Filter " + to_string(filter->predicate);
  } else if (const auto* project = std::get_if<Project>(&node.node)) {
    out += project_text(*project, node);
  } else if (const auto* window = std::get_if<WindowAggregate>(&node.node)) {
    out += window_text(*window, node);
  } else if (const auto* over = std::get_if<Over>(&node.node)) {
    out += over_text(*over, node);
  } else if (const auto* detect = std::get_if<Detect>(&node.node)) {
    out += detect_text(*detect, node);
  } else if (const auto* join = std::get_if<LookupJoin>(&node.node)) {
    out += lookup_text(*join);
  } else if (const auto* unnest = std::get_if<Unnest>(&node.node)) {
    out += unnest_text(*unnest, node);
  } else {
    out += "Union all";
  }
  out += '\n';
  for (const auto& input : node.inputs) append(out, *input, level + 1);
}

}  // namespace

namespace {

std::string ordering_text(const Ordering& ordering, const columnar::Schema& schema) {
  std::string text;
  for (const SortKey& key : ordering.keys) {
    text += (text.empty() ? "Sort by " : ", ") + quote_identifier(schema.fields[key.column].name);
    if (key.descending) text += " DESC";
    if (key.nulls_first == key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
  }
  if (ordering.limit) text += fmt::format("{} {} rows", text.empty() ? "First" : "; first", *ordering.limit);
  if (ordering.offset > 0) text += fmt::format("{} after {} rows", text.empty() ? "All" : "", ordering.offset);
  return text.empty() ? text : text + "\n";
}

}  // namespace

std::string explain(const Plan& plan) {
  std::string out;
  if (plan.ordering) out = ordering_text(*plan.ordering, *plan.root->output);
  append(out, *plan.root, out.empty() ? 0 : 1);
  return out;
}

}  // namespace tidegate::sql
