#include "sql/internal/literal_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/time_zone.h"
#include "sql/functions.h"
#include "sql/internal/text.h"
#include "sql/internal/typing.h"
#include "sql/json_path.h"
#include "sql/regular_expression.h"

namespace tidegate::sql {

namespace {

Result<> check_regex(const std::string& pattern, TextPosition position) {
  std::string problem;
  if (compile_regex(pattern, problem) != nullptr) return {};
  return fail_at(ErrorCode::SqlInvalidLiteral, position,
                 fmt::format("{} is not a regular expression: {}", quote_string(pattern), problem),
                 "The syntax is RE2's: as in Java, without look-around and back references");
}

Result<> check_zone(const std::string& zone, TextPosition position) {
  if (io::find_time_zone(zone) != nullptr) return {};
  return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("{} is not a time zone", quote_string(zone)),
                 "For example 'Europe/Berlin', 'UTC' or '+01:00'");
}

Result<> check_charset(const std::string& name, TextPosition position) {
  if (std::ranges::find(charsets(), to_upper(name)) != charsets().end()) return {};
  return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("{} is not a character set", quote_string(name)),
                 fmt::format("There are {}", fmt::join(charsets(), ", ")));
}

Result<> check_path(const std::string& path, TextPosition position) {
  if (parse_json_path(path)) return {};
  return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("{} is not a JSON path", quote_string(path)),
                 "For example '$.sensor.values[0]'; filters and wildcards are not supported");
}

}  // namespace

Result<> check_literals(const Expression& expression, TextPosition position) {
  const Call& call = *std::get<std::unique_ptr<Call>>(expression.node);
  const auto text = [&call](size_t at) {
    return at < call.arguments.size() ? literal_of<std::string>(call.arguments[at]) : nullptr;
  };
  if (function_info(call.function).category == FunctionCategory::kPattern && text(1) != nullptr) {
    return check_regex(*text(1), position);
  }
  switch (call.function) {
    case FunctionId::kSimilarTo:
      return text(1) == nullptr ? Result<>() : check_regex(similar_to_regex(*text(1)), position);
    case FunctionId::kJsonExists:
    case FunctionId::kJsonQuery:
    case FunctionId::kJsonValue:
      if (text(1) == nullptr) {
        return fail_at(ErrorCode::SqlTypeMismatch, position, "the path has to be a literal", "For example '$.a.b'");
      }
      return check_path(*text(1), position);
    case FunctionId::kEncode:
    case FunctionId::kDecode: return text(1) == nullptr ? Result<>() : check_charset(*text(1), position);
    case FunctionId::kAtTimeZone: return text(1) == nullptr ? Result<>() : check_zone(*text(1), position);
    case FunctionId::kConvertTz:
    case FunctionId::kToTimestampLtz:
      if (call.function == FunctionId::kConvertTz && text(1) != nullptr) TRY(check_zone(*text(1), position));
      return text(2) == nullptr ? Result<>() : check_zone(*text(2), position);
    default: return {};
  }
}

}  // namespace tidegate::sql
