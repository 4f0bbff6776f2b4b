// Detection functions to plan nodes: what they are given must make sense together.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sql/internal/bind_query.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Schema;
using columnar::TypeKind;

namespace {

constexpr int64_t kMaxTimes = 10'000;                                         // of DETECT_COUNT: each is remembered
constexpr int64_t kMaxDurationUs = int64_t{366} * 86'400 * kMicrosPerSecond;  // a year; more is surely a mistake

// The arguments by name.
class Arguments {
 public:
  explicit Arguments(const DetectCall& call) : call_(call) {}

  [[nodiscard]] const DetectArgument* find(std::string_view name) const {
    const auto found = std::ranges::find(call_.arguments, name, &DetectArgument::name);
    return found == call_.arguments.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::optional<double> number(std::string_view name) const {
    const DetectArgument* found = find(name);
    return found == nullptr ? std::nullopt : std::optional(std::get<double>(found->value));
  }
  // Where to point at for an argument that is there.
  [[nodiscard]] TextPosition position(std::string_view name) const { return find(name)->position; }

  [[nodiscard]] Result<int64_t> duration(std::string_view name, int64_t least_us) const {
    const DetectArgument* found = find(name);
    if (found == nullptr) return 0;
    const auto value = std::get<int64_t>(found->value);
    if (value >= least_us && value <= kMaxDurationUs) return value;
    return fail_at(ErrorCode::SqlInvalidWindow, found->position,
                   value < least_us ? fmt::format("{} must be longer than zero", name)
                                    : fmt::format("{} is longer than 366 days", name));
  }

 private:
  const DetectCall& call_;
};

std::unexpected<Error> bad_value(TextPosition position, std::string message, std::string hint) {
  return fail_at(ErrorCode::SqlInvalidLiteral, position, std::move(message), std::move(hint));
}

Result<> check_threshold(const DetectCall& call, const Arguments& given, Detect& detect) {
  detect.above = given.number("ABOVE");
  detect.below = given.number("BELOW");
  detect.clear_below = given.number("CLEAR_BELOW");
  detect.clear_above = given.number("CLEAR_ABOVE");
  if (!detect.above && !detect.below) {
    return fail_at(ErrorCode::SqlSyntax, call.position, "DETECT_THRESHOLD needs ABOVE or BELOW",
                   "With both, what lies outside of them raises the alert");
  }
  if (detect.above && detect.below && *detect.below >= *detect.above) {
    return bad_value(given.position("BELOW"), "BELOW must be less than ABOVE",
                     "What is below the one or above the other raises the alert");
  }
  if (detect.clear_below && (!detect.above || *detect.clear_below > *detect.above)) {
    return bad_value(given.position("CLEAR_BELOW"), "CLEAR_BELOW needs ABOVE, and is at most that",
                     "For example ABOVE => 80, CLEAR_BELOW => 75");
  }
  if (detect.clear_above && (!detect.below || *detect.clear_above < *detect.below)) {
    return bad_value(given.position("CLEAR_ABOVE"), "CLEAR_ABOVE needs BELOW, and is at least that",
                     "For example BELOW => 10, CLEAR_ABOVE => 12");
  }
  const double high = detect.clear_below.value_or(detect.above.value_or(INFINITY));
  const double low = detect.clear_above.value_or(detect.below.value_or(-INFINITY));
  if (high > low) return {};
  return bad_value(given.position(detect.clear_above ? "CLEAR_ABOVE" : "CLEAR_BELOW"), "no value would clear the alert",
                   "Values above CLEAR_ABOVE and below CLEAR_BELOW do");
}

Result<> check_change(const DetectCall& call, const Arguments& given, Detect& detect) {
  const auto rise = given.number("RISE");
  const auto fall = given.number("FALL");
  if (!rise && !fall) {
    return fail_at(ErrorCode::SqlSyntax, call.position, "DETECT_CHANGE needs RISE or FALL",
                   "RISE => 0.5, PER => INTERVAL '1' MINUTE: more than 0.5 up in a minute; with both, either way");
  }
  for (const char* name : {"RISE", "FALL"}) {
    const auto limit = given.number(name);
    if (!limit || *limit >= 0) continue;
    return bad_value(given.position(name), fmt::format("{} must not be negative", name),
                     "FALL => 2 is two down, RISE => 2 two up");
  }
  detect.above = rise;
  if (fall) detect.below = -*fall;
  TRY_ASSIGN(detect.per_us, given.duration("PER", 1));
  return {};
}

Result<> check_numbers(const DetectCall& call, const Arguments& given, Detect& detect) {
  switch (call.kind) {
    case DetectKind::kThreshold: return check_threshold(call, given, detect);
    case DetectKind::kChange: return check_change(call, given, detect);
    case DetectKind::kStuck: {
      detect.tolerance = given.number("TOLERANCE").value_or(0);
      if (detect.tolerance >= 0) return {};
      return bad_value(given.position("TOLERANCE"), "TOLERANCE must not be negative", "0 is no change at all");
    }
    case DetectKind::kCount: {
      const double times = *given.number("TIMES");
      if (times < 1 || times > kMaxTimes || times != std::floor(times)) {
        return bad_value(given.position("TIMES"), fmt::format("TIMES is a whole number from 1 to {}", kMaxTimes),
                         "For more, count in a window");
      }
      detect.times = static_cast<int64_t>(times);
      return {};
    }
    case DetectKind::kMissing: return {};
  }
  return {};
}

std::string number_text(const std::optional<double>& number) { return number ? fmt::format("{}", *number) : "-"; }

// All that decides what comes out: part of the operator's id.
std::string meaning_of(const Detect& detect) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {}", static_cast<int>(detect.kind), number_text(detect.above),
                     number_text(detect.below), number_text(detect.clear_below), number_text(detect.clear_above),
                     detect.tolerance, detect.for_us, detect.per_us, detect.times, detect.ttl_us);
}

// The operator's input: keys, time, value and device, each once.
class DetectInput {
 public:
  explicit DetectInput(const Schema& schema) : schema_(schema) {}
  size_t place(size_t column, const columnar::Type& type) {
    const columnar::Field& field = schema_.fields[column];
    Expression expression = coerce(make_column(column, field.name, field.type, field.nullable), type);
    for (size_t at = 0; at < expressions.size(); ++at) {
      if (expressions[at] == expression) return at;
    }
    names.push_back(field.name);
    expressions.push_back(std::move(expression));
    return expressions.size() - 1;
  }
  size_t place(size_t column) { return place(column, schema_.fields[column].type); }

  std::vector<Expression> expressions;
  std::vector<std::string> names;

 private:
  const Schema& schema_;
};

Result<> check_time(const DetectCall& call, const Relation& relation) {
  if (!relation.has_watermark) {
    return fail_at(ErrorCode::SqlNoTimeColumn, call.table->position,
                   fmt::format("stream '{}' has no WATERMARK, so a detection has no time to go by", relation.source),
                   "Declare WATERMARK FOR ts AS ts - INTERVAL '5' SECOND in its CREATE TABLE");
  }
  if (relation.time_column) return {};
  return fail_at(ErrorCode::SqlNoTimeColumn, call.table->position, "the table has no event time",
                 "Select the event time in the view or subquery, unchanged");
}

// A call's node over a relation, a part at a time.
class DetectBuilder {
 public:
  DetectBuilder(const DetectCall& call, const Relation& input, ExpressionBinder& binder)
      : columns(input.schema()),
        meaning(input.source),
        call_(call),
        given_(call),
        input_(input),
        binder_(binder),
        looks_back_(call.kind == DetectKind::kChange || call.kind == DetectKind::kCount) {
    detect.kind = call.kind;
  }

  Result<> build() {
    TRY(check_numbers(call_, given_, detect));
    const int64_t least_us = call_.kind == DetectKind::kThreshold ? 0 : 1;
    TRY_ASSIGN(detect.for_us, given_.duration(looks_back_ ? "WITHIN" : "FOR", least_us));
    TRY(partition());
    TRY(event_time());
    TRY(value());
    detect.keyed_by_device = device_key.has_value();
    detect.has_device_column = input_.device_column.has_value();
    if (input_.device_column) detect.device_column = columns.place(*input_.device_column);
    meaning += " " + meaning_of(detect);
    const columnar::Type time_type = input_.schema().fields[*input_.time_column].type;
    schema->fields.push_back({"event", TypeKind::kString, false});
    schema->fields.push_back({"value", TypeKind::kDouble, true});
    schema->fields.push_back({"event_time", time_type, false});
    schema->fields.push_back({"raised_at", time_type, false});
    schema->fields.push_back({"duration_ms", TypeKind::kBigint, false});
    return {};
  }

  Detect detect;
  DetectInput columns;
  std::shared_ptr<Schema> schema = std::make_shared<Schema>();  // shared as plan nodes' schemas are
  std::optional<size_t> device_key;
  std::string meaning;

 private:
  Result<> partition() {
    bool only_device = true;
    for (const Name& key : call_.partition_by) {
      TRY_ASSIGN(const size_t column, binder_.find_column({key}, key.position));
      TRY(refuse_nested(input_.schema().fields[column].type, key.position, "PARTITION BY"));
      if (column == input_.device_column && !device_key) device_key = detect.keys.size();
      only_device = only_device && column == input_.device_column;
      detect.keys.push_back(columns.place(column));
      schema->fields.push_back(input_.schema().fields[column]);
      meaning += fmt::format(";{}:{}", schema->fields.back().name, hashed_name(schema->fields.back().type));
    }
    const TextPosition position = call_.partition_by.front().position;
    if (detect.keys.size() > kMaxGroupKeys) {
      return fail_at(ErrorCode::SqlTooComplex, position, fmt::format("more than {} keys", kMaxGroupKeys));
    }
    detect.ttl_us = looks_back_ ? detect.for_us : only_device ? 0 : input_.state_ttl_us;
    if (looks_back_ || only_device || detect.ttl_us > 0) return {};
    return fail_at(ErrorCode::SqlInvalidOption, position, "this would remember every value of PARTITION BY for ever",
                   fmt::format("Say for how long: 'state.ttl' = '1 d' in WITH (...) of '{}'", input_.source));
  }

  // Flink's way to name the event time; there is only one here, so it may be left out.
  Result<> event_time() {
    detect.time_column = columns.place(*input_.time_column);
    const DetectArgument* given = given_.find("ON_TIME");
    if (given == nullptr) return {};
    const Name& name = std::get<Name>(given->value);
    TRY_ASSIGN(const size_t column, binder_.find_column({name}, name.position));
    if (column == input_.time_column) return {};
    return fail_at(ErrorCode::SqlNoTimeColumn, name.position, fmt::format("'{}' is not the event time", name.text),
                   fmt::format("The event time is '{}'; ON_TIME may be left out",
                               input_.schema().fields[*input_.time_column].name));
  }

  Result<> value() {
    const DetectArgument* given = given_.find("ON");
    if (given == nullptr) return {};
    const Name& name = std::get<Name>(given->value);
    TRY_ASSIGN(const size_t column, binder_.find_column({name}, name.position));
    const columnar::Field& field = input_.schema().fields[column];
    TRY(refuse_nested(field.type, name.position, "ON"));
    const bool any = call_.kind == DetectKind::kMissing || call_.kind == DetectKind::kCount;
    if (!any && !columnar::is_numeric(field.type)) {
      return fail_at(ErrorCode::SqlTypeMismatch, name.position,
                     fmt::format("'{}' is {}, not a number", name.text, columnar::type_name(field.type)),
                     "CAST it in a subquery: TABLE (SELECT device, ts, CAST(x AS DOUBLE) AS x FROM readings)");
    }
    detect.value_column =
        columns.place(column, columnar::is_numeric(field.type) ? columnar::Type(TypeKind::kDouble) : field.type);
    meaning += fmt::format("|{}:{}", field.name, hashed_name(field.type));
    return {};
  }

  const DetectCall& call_;
  const Arguments given_;
  const Relation& input_;
  ExpressionBinder& binder_;
  const bool looks_back_;
};

}  // namespace

Result<Relation> QueryBinder::bind_detect(const DetectCall& call, const std::string& path) {
  TRY_ASSIGN(Relation relation, bind_table(*call.table, path));
  if (relation.window) {
    return fail_at(ErrorCode::SqlUnsupported, call.position, "a detection over a window without GROUP BY",
                   "Group the window in a view or common table first");
  }
  TRY(check_time(call, relation));
  relation.path = path;
  return detect_node(call, std::move(relation));
}

Result<Relation> QueryBinder::detect_node(const DetectCall& call, Relation input) {
  ExpressionScope scope;
  scope.input = &input.schema();
  scope.visible = input.visible;
  scope.alias = input.alias;
  ExpressionBinder binder(scope, nodes_);
  DetectBuilder builder(call, input, binder);
  TRY(builder.build());
  Relation output;
  output.path = input.path;
  output.source = input.source;
  output.has_watermark = true;
  output.time_column = builder.detect.keys.size() + 2;
  output.device_column = builder.device_key;
  output.state_ttl_us = input.state_ttl_us;
  output.zones = input.zones;
  output.visible = builder.schema->fields.size();
  Relation below = project(std::move(input), std::move(builder.columns.expressions), std::move(builder.columns.names));
  auto node = std::make_unique<PlanNode>();
  node->output = std::move(builder.schema);
  node->operator_id = operator_id(output.path, "detect", builder.meaning);
  node->node = std::move(builder.detect);
  node->inputs.push_back(std::move(below.node));
  output.node = std::move(node);
  return output;
}

}  // namespace tidegate::sql
