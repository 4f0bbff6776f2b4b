// Types, intervals and timestamps.
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/ids.h"
#include "sql/internal/parser.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::type_name;
using columnar::TypeKind;

namespace {

struct TypeWord {
  std::string_view word;
  TypeKind type;
};
constexpr std::array kTypes = {TypeWord{"BOOLEAN", TypeKind::kBoolean}, TypeWord{"INT", TypeKind::kInt},
                               TypeWord{"INTEGER", TypeKind::kInt},     TypeWord{"BIGINT", TypeKind::kBigint},
                               TypeWord{"FLOAT", TypeKind::kFloat},     TypeWord{"DOUBLE", TypeKind::kDouble},
                               TypeWord{"STRING", TypeKind::kString},   TypeWord{"VARCHAR", TypeKind::kString},
                               TypeWord{"BYTES", TypeKind::kBytes},     TypeWord{"VARBINARY", TypeKind::kBytes}};

struct Nearest {
  std::string_view word;
  std::string_view use;
};
constexpr std::array kForeignTypes = {Nearest{"TINYINT", "INT"},
                                      Nearest{"SMALLINT", "INT"},
                                      Nearest{"REAL", "FLOAT"},
                                      Nearest{"CHAR", "STRING"},
                                      Nearest{"TEXT", "STRING"},
                                      Nearest{"BINARY", "BYTES"},
                                      Nearest{"BLOB", "BYTES"},
                                      Nearest{"DATE", "TIMESTAMP(3)"},
                                      Nearest{"TIME", "TIMESTAMP(3)"},
                                      Nearest{"DATETIME", "TIMESTAMP(3)"},
                                      Nearest{"BOOL", "BOOLEAN"},
                                      Nearest{"LONG", "BIGINT"},
                                      Nearest{"TIMESTAMPTZ", "TIMESTAMP_LTZ(3)"},
                                      Nearest{"MAP", "ROW<name type, ...>"},
                                      Nearest{"MULTISET", "ARRAY<type>"}};

constexpr std::string_view kUnits[] = {"DAY", "HOUR", "MINUTE", "SECOND"};
constexpr int64_t kUnitMicros[] = {86'400 * kMicrosPerSecond, 3'600 * kMicrosPerSecond, 60 * kMicrosPerSecond,
                                   kMicrosPerSecond};

std::optional<size_t> unit_index(std::string_view word) {
  for (size_t at = 0; at < std::size(kUnits); ++at) {
    if (equal_ignoring_case(word, kUnits[at])) return at;
    if (equal_ignoring_case(word, std::string(kUnits[at]) + "S")) return at;
  }
  return std::nullopt;
}

// Digits up to the next separator, or the rest.
std::optional<int64_t> take_field(std::string_view& text, char separator) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || value < 0 || text[0] == '-') return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (separator == '\0') return value;
  if (text.empty() || text[0] != separator) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

// ".5" as microseconds; digits beyond the sixth are cut. Nothing if it is not a fraction.
std::optional<int64_t> fraction_micros(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] != '.' || text.size() == 1) return std::nullopt;
  int64_t value = 0;
  int64_t unit = kMicrosPerSecond / 10;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value;
}

bool add_scaled(int64_t& sum, int64_t count, int64_t unit) {
  int64_t product = 0;
  return !__builtin_mul_overflow(count, unit, &product) && !__builtin_add_overflow(sum, product, &sum);
}

// '1 02:03:04.5' for DAY TO SECOND, '10' for one unit. Fields below the first must be in their range.
std::optional<int64_t> parse_interval(std::string_view text, size_t first, size_t last) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  int64_t sum = 0;
  for (size_t unit = first; unit <= last; ++unit) {
    constexpr int64_t kRange[] = {std::numeric_limits<int64_t>::max(), 24, 60, 60};
    const char separator = unit == last ? '\0' : (unit == 0 ? ' ' : ':');
    const auto field = take_field(text, separator);
    if (!field || (unit > first && *field >= kRange[unit]) || !add_scaled(sum, *field, kUnitMicros[unit])) {
      return std::nullopt;
    }
  }
  const auto fraction = last == 3 || text.empty() ? fraction_micros(text) : std::nullopt;
  if (!fraction || !add_scaled(sum, *fraction, 1)) return std::nullopt;
  return negative ? -sum : sum;
}

}  // namespace

Result<AstExpression> Parser::interval_literal() {
  const TextPosition position = next().position;
  const TextPosition text_position = peek().position;
  TRY_ASSIGN(const std::string text, string_literal("the interval"));
  const Token& unit_token = peek();
  if (at_word("MONTH") || at_word("YEAR") || at_word("MONTHS") || at_word("YEARS") || at_word("WEEK")) {
    return unsupported(fmt::format("INTERVAL in {}", to_upper(unit_token.text)), "Use DAY");
  }
  const auto first = unit_token.kind == TokenKind::kWord ? unit_index(unit_token.text) : std::nullopt;
  if (!first) return unexpected("DAY, HOUR, MINUTE or SECOND");
  next();
  TRY(type_parameter());
  size_t last = *first;
  if (accept_word("TO")) {
    const auto to = unit_index(peek().text);
    if (!to || *to <= *first) return unexpected("a smaller unit");
    next();
    TRY(type_parameter());
    last = *to;
  }
  const auto value = parse_interval(text, *first, last);
  if (!value) {
    return fail_at(ErrorCode::SqlInvalidLiteral, text_position, fmt::format("'{}' is not an interval", text),
                   "For example INTERVAL '10' SECOND, or INTERVAL '1:30' MINUTE TO SECOND");
  }
  AstExpression parsed;
  parsed.position = position;
  parsed.literal = *value;
  parsed.type = TypeKind::kInterval;
  return parsed;
}

// The X and the text must touch, as in Flink; else X is a name.
bool Parser::at_bytes_literal() const {
  return at_word("X") && peek(1).kind == TokenKind::kString && peek().offset + 1 == peek(1).offset;
}

Result<AstExpression> Parser::bytes_literal() {
  const TextPosition position = next().position;
  const std::string digits = unquote(next().text);
  std::string bytes;
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    uint8_t byte = 0;
    const char* const end = digits.data() + at + 2;
    if (std::from_chars(digits.data() + at, end, byte, 16).ptr == end) bytes += static_cast<char>(byte);
  }
  if (bytes.size() * 2 != digits.size()) {
    return fail_at(ErrorCode::SqlInvalidLiteral, position, fmt::format("X'{}' are no bytes", digits),
                   "Two hexadecimal digits a byte, for example X'00FF'");
  }
  AstExpression parsed;
  parsed.position = position;
  parsed.literal = std::move(bytes);
  parsed.type = TypeKind::kBytes;
  return parsed;
}

Result<AstExpression> Parser::timestamp_literal() {
  const TextPosition position = next().position;
  const TextPosition text_position = peek().position;
  TRY_ASSIGN(const std::string text, string_literal("the timestamp"));
  const auto value = parse_timestamp(text);
  if (!value) {
    return fail_at(ErrorCode::SqlInvalidLiteral, text_position, fmt::format("'{}' is not a timestamp", text),
                   "For example TIMESTAMP '2026-01-31 12:00:00.000'");
  }
  AstExpression parsed;
  parsed.position = position;
  parsed.literal = *value;
  parsed.type = TypeKind::kTimestamp;
  return parsed;
}

// [(n)]
Result<std::optional<int64_t>> Parser::type_parameter() {
  if (!accept_symbol("(")) return std::optional<int64_t>();
  TRY_ASSIGN(const int64_t value, type_number());
  TRY(expect_symbol(")"));
  return value;
}

Result<int64_t> Parser::type_number() {
  if (peek().kind != TokenKind::kInteger) return unexpected("a number");
  const std::string_view digits = next().text;
  int64_t value = std::numeric_limits<int64_t>::max();
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// [(precision [, scale])]
Result<Type> Parser::decimal_type(TextPosition position) {
  int64_t precision = 10;
  int64_t scale = 0;
  if (accept_symbol("(")) {
    TRY_ASSIGN(precision, type_number());
    if (accept_symbol(",")) {
      TRY_ASSIGN(scale, type_number());
    }
    TRY(expect_symbol(")"));
  }
  if (precision < 1 || precision > columnar::kMaxPrecision || scale > precision) {
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("there is no DECIMAL({}, {})", precision, scale),
                   fmt::format("DECIMAL(p, s) has p digits, 1 to {}, of which s, 0 to p, stand behind the point",
                               columnar::kMaxPrecision));
  }
  return Type::decimal(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale));
}

Result<Type> Parser::timestamp_type(bool local_zone, TextPosition position) {
  TRY_ASSIGN(const auto precision, type_parameter());
  if (accept_word("WITHOUT")) {
    TRY(expect_word("TIME"));
    TRY(expect_word("ZONE"));
  } else if (accept_word("WITH")) {
    if (!at_word("LOCAL")) return unsupported("TIMESTAMP WITH TIME ZONE", "Use TIMESTAMP_LTZ(3)");
    next();
    TRY(expect_word("TIME"));
    TRY(expect_word("ZONE"));
    local_zone = true;
  }
  const std::string_view name = local_zone ? "TIMESTAMP_LTZ" : "TIMESTAMP";
  if (precision != 3) {
    const std::string shown = precision ? fmt::format("{}({})", name, *precision)
                                        : fmt::format("{} without a precision (Flink takes it as 6)", name);
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("{} is not supported", shown),
                   fmt::format("Use {}(3)", name));
  }
  return Type(local_zone ? TypeKind::kTimestampLtz : TypeKind::kTimestamp);
}

Result<Type> Parser::type() {
  const Token& token = peek();
  if (token.kind != TokenKind::kWord) return unexpected("a type");
  const std::string upper = to_upper(token.text);
  const TextPosition position = token.position;
  if (upper == "TIMESTAMP" || upper == "TIMESTAMP_LTZ") {
    next();
    return timestamp_type(upper == "TIMESTAMP_LTZ", position);
  }
  if (upper == "DECIMAL" || upper == "DEC" || upper == "NUMERIC") {
    next();
    return decimal_type(position);
  }
  if (upper == "ARRAY" || upper == "ROW") return nested_type(upper == "ARRAY");
  for (const TypeWord& known : kTypes) {
    if (known.word != upper) continue;
    next();
    if (upper == "DOUBLE") accept_word("PRECISION");
    if (!upper.starts_with("VAR")) return Type(known.type);
    TRY_ASSIGN(const auto length, type_parameter());
    const bool binary = known.type == TypeKind::kBytes;  // whose length is 1 if none is said
    if (binary ? length == std::numeric_limits<int32_t>::max()
               : !length || *length == std::numeric_limits<int32_t>::max()) {
      return Type(known.type);
    }
    return fail_at(ErrorCode::SqlUnsupported, position,
                   length ? fmt::format("{}({}) is not supported", upper, *length)
                          : fmt::format("{} without a length is not supported", upper),
                   fmt::format("Use {}", type_name(known.type)));
  }
  for (const Nearest& foreign : kForeignTypes) {
    if (foreign.word != upper) continue;
    return fail_at(ErrorCode::SqlUnsupported, position, fmt::format("the type {} is not supported", upper),
                   fmt::format("Use {}", foreign.use));
  }
  constexpr std::string_view kAll =
      "BOOLEAN, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p, s), STRING, BYTES, TIMESTAMP(3), TIMESTAMP_LTZ(3), ARRAY<type> "
      "or ROW<name type, ...>";
  return fail_at(ErrorCode::SqlSyntax, position, fmt::format("expected a type but found '{}'", token.text),
                 fmt::format("Types are {}", kAll));
}

}  // namespace tidegate::sql
