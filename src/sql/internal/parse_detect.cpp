// Detection functions: DETECT_THRESHOLD(TABLE readings PARTITION BY device, ON => DESCRIPTOR(temperature), ...).
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

enum class Takes : uint8_t { kColumn, kNumber, kInterval };

struct Parameter {
  std::string_view name;
  Takes takes;
  bool required;
};
using enum Takes;
constexpr Parameter kThreshold[] = {{"ON", kColumn, true},           {"ABOVE", kNumber, false},
                                    {"BELOW", kNumber, false},       {"CLEAR_BELOW", kNumber, false},
                                    {"CLEAR_ABOVE", kNumber, false}, {"FOR", kInterval, false},
                                    {"ON_TIME", kColumn, false}};
constexpr Parameter kChange[] = {{"ON", kColumn, true},    {"RISE", kNumber, false},    {"FALL", kNumber, false},
                                 {"PER", kInterval, true}, {"WITHIN", kInterval, true}, {"ON_TIME", kColumn, false}};
constexpr Parameter kStuck[] = {
    {"ON", kColumn, true}, {"TOLERANCE", kNumber, false}, {"FOR", kInterval, true}, {"ON_TIME", kColumn, false}};
constexpr Parameter kMissing[] = {{"FOR", kInterval, true}, {"ON", kColumn, false}, {"ON_TIME", kColumn, false}};
constexpr Parameter kCount[] = {
    {"TIMES", kNumber, true}, {"WITHIN", kInterval, true}, {"ON", kColumn, false}, {"ON_TIME", kColumn, false}};

struct Form {
  std::string_view name;
  DetectKind kind;
  std::span<const Parameter> parameters;
  std::string_view example;
};
constexpr Form kForms[] = {
    {"DETECT_THRESHOLD", DetectKind::kThreshold, kThreshold,
     "DETECT_THRESHOLD(TABLE readings PARTITION BY device, ON => DESCRIPTOR(temperature), ABOVE => 80, CLEAR_BELOW => "
     "75, FOR => INTERVAL '30' SECOND)"},
    {"DETECT_CHANGE", DetectKind::kChange, kChange,
     "DETECT_CHANGE(TABLE readings PARTITION BY device, ON => DESCRIPTOR(level), RISE => 0.5, PER => INTERVAL '1' "
     "MINUTE, WITHIN => INTERVAL '10' MINUTE)"},
    {"DETECT_STUCK", DetectKind::kStuck, kStuck,
     "DETECT_STUCK(TABLE readings PARTITION BY device, ON => DESCRIPTOR(level), TOLERANCE => 0.01, FOR => INTERVAL '2' "
     "HOUR)"},
    {"DETECT_MISSING", DetectKind::kMissing, kMissing,
     "DETECT_MISSING(TABLE readings PARTITION BY device, FOR => INTERVAL '5' MINUTE)"},
    {"DETECT_COUNT", DetectKind::kCount, kCount,
     "DETECT_COUNT(TABLE trips PARTITION BY device, TIMES => 3, WITHIN => INTERVAL '10' MINUTE)"},
};

const Form& form_of(DetectKind kind) { return *std::ranges::find(kForms, kind, &Form::kind); }

std::string argument_names(const Form& form) {
  std::string names;
  for (const Parameter& parameter : form.parameters) {
    names += names.empty() ? "" : ", ";
    names += parameter.name;
  }
  return names;
}

}  // namespace

bool Parser::at_detect_function() const {
  return at_symbol("(", 1) && std::ranges::any_of(kForms, [&](const Form& form) { return at_word(form.name); });
}

std::string Parser::table_function_hint(std::string_view name) {
  if (equal_ignoring_case(name, "UNNEST")) {
    return "It stands behind a stream: FROM machines AS m CROSS JOIN UNNEST(m.samples) AS t (sample)";
  }
  std::vector<std::string> names = {"TUMBLE", "HOP", "CUMULATE", "SESSION"};
  std::string all;
  for (const Form& form : kForms) names.emplace_back(form.name);
  for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
  const std::string meant = did_you_mean(name, names);
  return meant.empty() ? fmt::format("There are {}", all) : meant;
}

Result<DetectCall> Parser::detect_call() {
  DetectCall call;
  call.position = peek().position;
  for (const Form& form : kForms) {
    if (at_word(form.name)) call.kind = form.kind;
  }
  next();
  TRY(expect_symbol("("));
  if (at_word("DATA") && at_symbol("=>", 1)) {
    next();
    next();
  }
  if (!at_word("TABLE") && !at_symbol("(")) return unexpected("TABLE and the name of a stream or view");
  TRY_ASSIGN(TableRef table, table_primary());
  call.table = std::make_unique<TableRef>(std::move(table));
  TRY(detect_partition(call));
  while (accept_symbol(",")) {
    TRY_ASSIGN(DetectArgument argument, detect_argument(call));
    call.arguments.push_back(std::move(argument));
  }
  TRY(expect_symbol(")"));
  TRY(check_detect(call));
  return call;
}

Result<> Parser::detect_partition(DetectCall& call) {
  if (!at_word("PARTITION")) {
    return fail_at(ErrorCode::SqlSyntax, peek().position, "a detection needs PARTITION BY",
                   "Without it the readings of all devices would be taken for those of one: TABLE readings PARTITION "
                   "BY device");
  }
  next();
  TRY(expect_word("BY"));
  const bool parenthesised = accept_symbol("(");
  do {
    TRY_ASSIGN(Name column, name("of a key column"));
    call.partition_by.push_back(std::move(column));
    // Without parentheses a comma may also end the table.
  } while (parenthesised ? accept_symbol(",") : (at_symbol(",") && !at_symbol("=>", 2) && accept_symbol(",")));
  if (!parenthesised) return {};
  return expect_symbol(")");
}

// NAME => DESCRIPTOR(column), a number or an INTERVAL. Names that are words of SQL may stand in backticks, as Flink's
// parser needs them.
Result<DetectArgument> Parser::detect_argument(const DetectCall& call) {
  const Form& form = form_of(call.kind);
  const Token& token = peek();
  const bool named = (token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedWord) && at_symbol("=>", 1);
  if (!named) return unexpected(fmt::format("an argument by name ({})", argument_names(form)));
  DetectArgument argument;
  argument.name = to_upper(token.kind == TokenKind::kWord ? std::string(token.text) : unquote(token.text));
  const auto parameter = std::ranges::find(form.parameters, argument.name, &Parameter::name);
  if (parameter == form.parameters.end()) {
    std::vector<std::string> names;
    for (const Parameter& each : form.parameters) names.emplace_back(each.name);
    const std::string meant = did_you_mean(argument.name, names);
    return fail_at(ErrorCode::SqlSyntax, token.position, fmt::format("{} has no argument '{}'", form.name, token.text),
                   meant.empty() ? fmt::format("Its arguments are {}", argument_names(form)) : meant);
  }
  if (std::ranges::find(call.arguments, argument.name, &DetectArgument::name) != call.arguments.end()) {
    return fail_at(ErrorCode::SqlSyntax, token.position, fmt::format("{} is given twice", argument.name));
  }
  next();
  next();
  argument.position = peek().position;
  if (parameter->takes == kColumn) {
    if (!at_word("DESCRIPTOR")) return unexpected("DESCRIPTOR(column)");
    next();
    TRY(expect_symbol("("));
    TRY_ASSIGN(argument.value, name("of a column"));
    TRY(expect_symbol(")"));
  } else if (parameter->takes == kInterval) {
    TRY_ASSIGN(argument.value, window_interval());
  } else {
    const bool negative = accept_symbol("-");
    const bool numeric = peek().kind == TokenKind::kInteger || peek().kind == TokenKind::kDecimal;
    if (!numeric) return unexpected("a number");
    TRY_ASSIGN(const AstExpression literal, number(negative, argument.position));
    argument.value = *number_of(literal.literal, literal.type);
  }
  return argument;
}

Result<> Parser::check_detect(const DetectCall& call) const {
  const Form& form = form_of(call.kind);
  for (const Parameter& parameter : form.parameters) {
    const bool given = std::ranges::find(call.arguments, parameter.name, &DetectArgument::name) != call.arguments.end();
    if (given || !parameter.required) continue;
    return fail_at(ErrorCode::SqlSyntax, call.position, fmt::format("{} has no {}", form.name, parameter.name),
                   fmt::format("For example {}", form.example));
  }
  return {};
}

}  // namespace tidegate::sql
