// Window table functions: TUMBLE, HOP, CUMULATE, SESSION, with lengths by the clock or by the calendar.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

namespace {

struct Parameter {
  std::string_view name;
  bool required;
};
constexpr Parameter kTumbleParameters[] = {{"DATA", true}, {"TIMECOL", true}, {"SIZE", true}, {"OFFSET", false}};
constexpr Parameter kHopParameters[] = {
    {"DATA", true}, {"TIMECOL", true}, {"SLIDE", true}, {"SIZE", true}, {"OFFSET", false}};
constexpr Parameter kCumulateParameters[] = {
    {"DATA", true}, {"TIMECOL", true}, {"STEP", true}, {"SIZE", true}, {"OFFSET", false}};

constexpr Parameter kSessionParameters[] = {{"DATA", true}, {"TIMECOL", true}, {"GAP", true}};

struct WindowForm {
  std::string_view name;
  WindowKind kind;
  std::span<const Parameter> parameters;
  std::string_view hint;
};
constexpr WindowForm kForms[] = {
    {"TUMBLE", WindowKind::kTumble, kTumbleParameters,
     "TUMBLE(TABLE stream, DESCRIPTOR(time_column), INTERVAL '10' SECOND)"},
    {"HOP", WindowKind::kHop, kHopParameters,
     "HOP(TABLE stream, DESCRIPTOR(time_column), slide, size), both as INTERVAL"},
    {"CUMULATE", WindowKind::kCumulate, kCumulateParameters,
     "CUMULATE(TABLE stream, DESCRIPTOR(time_column), step, size), both as INTERVAL"},
    {"SESSION", WindowKind::kSession, kSessionParameters,
     "SESSION(TABLE stream PARTITION BY key, DESCRIPTOR(time_column), INTERVAL '5' MINUTE)"},
};

const WindowForm& form_of(WindowKind kind) {
  const auto* found = std::ranges::find(kForms, kind, &WindowForm::kind);
  return found == std::end(kForms) ? kForms[0] : *found;  // a calendar is a TUMBLE
}

}  // namespace

bool Parser::at_window_function() const {
  return at_symbol("(", 1) && std::ranges::any_of(kForms, [&](const WindowForm& form) { return at_word(form.name); });
}

Result<WindowCall> Parser::window_call() {
  WindowCall call;
  call.position = peek().position;
  for (const WindowForm& form : kForms) {
    if (at_word(form.name)) call.spec.kind = form.kind;
  }
  const WindowForm& form = form_of(call.spec.kind);
  next();
  TRY(expect_symbol("("));
  TRY_ASSIGN(const std::vector<std::string> given, window_parameters(call));
  TRY(expect_symbol(")"));
  for (const Parameter& parameter : form.parameters) {
    if (!parameter.required || std::ranges::find(given, parameter.name) != given.end()) continue;
    return fail_at(ErrorCode::SqlInvalidWindow, call.position, fmt::format("the window has no {}", parameter.name),
                   std::string(form.hint));
  }
  if (form.kind == WindowKind::kTumble || form.kind == WindowKind::kSession) {
    call.spec.slide_us = call.spec.size_us;
    call.slide_position = call.size_position;
  }
  const bool by_calendar = call.spec.months != 0 || !call.spec.shift_starts_us.empty() || call.zone_position;
  if (by_calendar) call.spec.kind = WindowKind::kCalendar;
  return call;
}

// Reads the arguments, by place or by name => value; the names of those given.
Result<std::vector<std::string>> Parser::window_parameters(WindowCall& call) {
  const auto parameters = form_of(call.spec.kind).parameters;
  std::vector<std::string> given;
  do {
    if (at_word("TIME") && at_word("ZONE", 1)) {
      TRY(window_zone(call));
      continue;
    }
    std::string parameter;
    if (peek().kind == TokenKind::kWord && at_symbol("=>", 1)) {
      parameter = to_upper(peek().text);
      const bool known = std::ranges::any_of(parameters, [&](const Parameter& p) { return p.name == parameter; });
      if (!known) return unexpected(parameter_names(call.spec.kind));
      if (std::ranges::find(given, parameter) != given.end()) return unexpected("each argument once");
      next();
      next();
    } else {
      if (given.size() >= parameters.size()) return unexpected("')'");
      parameter = parameters[given.size()].name;
    }
    TRY(window_argument(call, parameter));
    given.push_back(std::move(parameter));
  } while (accept_symbol(","));
  return given;
}

std::string Parser::parameter_names(WindowKind kind) {
  const auto parameters = form_of(kind).parameters;
  std::string names;
  for (size_t at = 0; at < parameters.size(); ++at) {
    names += at == 0 ? "" : at + 1 == parameters.size() ? " or " : ", ";
    names += parameters[at].name;
  }
  return names;
}

Result<> Parser::window_argument(WindowCall& call, std::string_view parameter) {
  if (parameter == "DATA") {
    if (!at_word("TABLE") && !at_symbol("(")) return unexpected("TABLE and the name of a stream or view");
    TRY_ASSIGN(TableRef table, table_primary());
    call.table = std::make_unique<TableRef>(std::move(table));
    return window_partition(call);
  }
  if (parameter == "TIMECOL") {
    TRY(expect_word("DESCRIPTOR"));
    TRY(expect_symbol("("));
    TRY_ASSIGN(call.time_column, name("the time column"));
    return expect_symbol(")");
  }
  const TextPosition position = peek().position;
  if (parameter == "SIZE" || parameter == "GAP") {
    call.size_position = position;
    if (call.spec.kind == WindowKind::kTumble && at_word("SHIFTS")) return window_shifts(call);
    if (call.spec.kind == WindowKind::kTumble && at_months()) return window_months(call);
    TRY_ASSIGN(call.spec.size_us, window_interval());
  } else if (parameter == "OFFSET") {
    TRY_ASSIGN(call.spec.offset_us, window_interval());
  } else {
    call.slide_position = position;
    TRY_ASSIGN(call.spec.slide_us, window_interval());
  }
  return {};
}

Result<> Parser::window_partition(WindowCall& call) {
  if (!at_word("PARTITION")) return {};
  if (call.spec.kind != WindowKind::kSession) {
    return unsupported("PARTITION BY in a window other than SESSION", "GROUP BY names the keys");
  }
  next();
  TRY(expect_word("BY"));
  const bool parenthesised = accept_symbol("(");
  do {
    TRY_ASSIGN(Name column, name("of a key column"));
    call.partition_by.push_back(std::move(column));
    // Without parentheses a comma may also end the argument.
  } while (parenthesised ? accept_symbol(",") : (at_symbol(",") && at_key_after_comma() && accept_symbol(",")));
  if (!parenthesised) return {};
  return expect_symbol(")");
}

bool Parser::at_key_after_comma() const { return !at_word("DESCRIPTOR", 1) && !at_symbol("=>", 2); }

Result<> Parser::window_zone(WindowCall& call) {
  if (call.zone_position) return unexpected("each argument once");
  if (call.spec.kind != WindowKind::kTumble) {
    return unsupported("TIME ZONE with overlapping windows", "It goes with TUMBLE of days, months or shifts");
  }
  next();
  next();
  call.zone_position = peek().position;
  TRY_ASSIGN(call.spec.zone, string_literal("the time zone"));
  return {};
}

bool Parser::at_months() const {
  constexpr std::string_view kUnits[] = {"MONTH", "MONTHS", "YEAR", "YEARS"};
  return at_word("INTERVAL") && std::ranges::any_of(kUnits, [&](std::string_view unit) { return at_word(unit, 2); });
}

// INTERVAL '3' MONTH.
Result<> Parser::window_months(WindowCall& call) {
  constexpr int kMonthsPerYear = 12;
  constexpr int kMaxDigits = 4;
  next();
  const TextPosition position = peek().position;
  TRY_ASSIGN(const std::string text, string_literal("the interval"));
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > kMaxDigits || !digits) {
    return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("'{}' is not a number of months or years", text),
                   "For example INTERVAL '1' MONTH");
  }
  const bool years = at_word("YEAR") || at_word("YEARS");
  next();
  call.spec.months = std::stoi(text) * (years ? kMonthsPerYear : 1);
  if (call.spec.months > 0) return {};
  return fail_at(ErrorCode::SqlInvalidWindow, position, "the window's interval must be longer than zero");
}

// SHIFTS('06:00', '14:00', '22:00').
Result<> Parser::window_shifts(WindowCall& call) {
  constexpr size_t kMaxShifts = 96;  // one every quarter of an hour
  next();
  TRY(expect_symbol("("));
  do {
    const TextPosition position = peek().position;
    TRY_ASSIGN(const std::string text, string_literal("the time at which a shift starts"));
    const auto start = parse_time_of_day(text);
    if (!start) {
      return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("'{}' is not a time of day", text),
                     "For example SHIFTS('06:00', '14:00', '22:00')");
    }
    if (!call.spec.shift_starts_us.empty() && *start <= call.spec.shift_starts_us.back()) {
      return fail_at(ErrorCode::SqlInvalidWindow, position, "the shifts must be in the order of the day",
                     "The last one goes on until the first one of the next day");
    }
    call.spec.shift_starts_us.push_back(*start);
    if (call.spec.shift_starts_us.size() > kMaxShifts) {
      return fail_at(ErrorCode::SqlTooComplex, position, fmt::format("more than {} shifts a day", kMaxShifts));
    }
  } while (accept_symbol(","));
  return expect_symbol(")");
}

Result<int64_t> Parser::window_interval() {
  const bool negative = accept_symbol("-");
  if (!at_word("INTERVAL")) return unexpected("an INTERVAL such as INTERVAL '10' SECOND");
  TRY_ASSIGN(const AstExpression literal, interval_literal());
  const int64_t value = std::get<int64_t>(literal.literal);
  return negative ? -value : value;
}

}  // namespace tidegate::sql
