#include "sql/expression.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sql/functions.h"
#include "sql/internal/text.h"

namespace tidegate::sql {

using columnar::Type;
using columnar::TypeKind;

Expression Expression::clone() const {
  Expression copy{type, nullable, Literal{}};
  if (const auto* column = std::get_if<ColumnRef>(&node)) {
    copy.node = *column;
  } else if (const auto* literal = std::get_if<Literal>(&node)) {
    copy.node = *literal;
  } else {
    const Call& call = *std::get<std::unique_ptr<Call>>(node);
    auto call_copy = std::make_unique<Call>();
    call_copy->function = call.function;
    call_copy->arguments.reserve(call.arguments.size());
    for (const Expression& argument : call.arguments) call_copy->arguments.push_back(argument.clone());
    copy.node = std::move(call_copy);
  }
  return copy;
}

// The column's name is for people and does not count; a column is its index.
bool Expression::operator==(const Expression& other) const {
  if (type != other.type || nullable != other.nullable || node.index() != other.node.index()) return false;
  if (const auto* column = std::get_if<ColumnRef>(&node)) return column->index == std::get<ColumnRef>(other.node).index;
  if (const auto* literal = std::get_if<Literal>(&node)) return *literal == std::get<Literal>(other.node);
  const Call& a = *std::get<std::unique_ptr<Call>>(node);
  const Call& b = *std::get<std::unique_ptr<Call>>(other.node);
  return a.function == b.function && a.arguments == b.arguments;
}

namespace {

// A FLOAT is held as a double.
std::string real_text(double value, TypeKind type) {
  const std::string_view name = columnar::type_name(type);
  if (std::isnan(value)) return fmt::format("CAST('NaN' AS {})", name);
  if (std::isinf(value)) return fmt::format("CAST('{}Infinity' AS {})", value < 0 ? "-" : "", name);
  if (type == TypeKind::kFloat) return fmt::format("CAST({} AS FLOAT)", static_cast<float>(value));
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string bytes_text(std::string_view bytes) {
  std::string text = "X'";
  for (const char c : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return text + "'";
}

// As SQL would read it: a number with a point is a DECIMAL of the digits that are written.
std::string decimal_text(columnar::Decimal value, const Type& type) {
  std::string text;
  columnar::append_decimal(value, type.scale, text);
  const size_t digits = text.size() - (text.starts_with('-') ? 1 : 0) - (type.scale > 0 ? 1 : 0);
  const bool plain = type.scale > 0 && digits == type.precision;
  return plain ? text : fmt::format("CAST({} AS {})", text, columnar::type_name(type));
}

std::string literal_text(const Literal& literal, const Type& type) {
  if (std::holds_alternative<std::monostate>(literal)) {
    return type == TypeKind::kNull ? "NULL" : fmt::format("CAST(NULL AS {})", columnar::type_name(type));
  }
  if (const auto* flag = std::get_if<bool>(&literal)) return *flag ? "TRUE" : "FALSE";
  if (const auto* number = std::get_if<double>(&literal)) return real_text(*number, type);
  if (const auto* text = std::get_if<std::string>(&literal)) {
    return type == TypeKind::kBytes ? bytes_text(*text) : quote_string(*text);
  }
  if (const auto* decimal = std::get_if<columnar::Decimal>(&literal)) return decimal_text(*decimal, type);
  const int64_t value = std::get<int64_t>(literal);
  if (type == TypeKind::kInterval) return interval_text(value);
  if (type == TypeKind::kTimestamp) return fmt::format("TIMESTAMP '{}'", timestamp_text(value));
  if (type == TypeKind::kTimestampLtz) {
    return fmt::format("CAST(TIMESTAMP '{}' AS TIMESTAMP_LTZ(3))", timestamp_text(value));
  }
  return fmt::format("{}", value);
}

// What binds tighter stands without parentheses.
bool is_operator(FunctionId id) {
  return id <= FunctionId::kIn || id == FunctionId::kConcatOperator || id == FunctionId::kDistinctFrom ||
         id == FunctionId::kSimilarTo || id == FunctionId::kIsJson;
}

void append(std::string& out, const Expression& expression);

void append_operand(std::string& out, const Expression& expression) {
  const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node);
  const bool parenthesised = call != nullptr && is_operator((*call)->function);
  if (parenthesised) out += '(';
  append(out, expression);
  if (parenthesised) out += ')';
}

void append_list(std::string& out, const Call& call, size_t first) {
  for (size_t at = first; at < call.arguments.size(); ++at) {
    if (at > first) out += ", ";
    append(out, call.arguments[at]);
  }
}

// AND and OR are associative: a chain of one of them needs no parentheses however the tree leans.
void append_chain(std::string& out, const Call& call) {
  for (size_t at = 0; at < call.arguments.size(); ++at) {
    if (at > 0) out += fmt::format(" {} ", function_name(call.function));
    const auto* inner = std::get_if<std::unique_ptr<Call>>(&call.arguments[at].node);
    if (inner != nullptr && (*inner)->function == call.function) {
      append_chain(out, **inner);
    } else {
      append_operand(out, call.arguments[at]);
    }
  }
}

void append_case(std::string& out, const Call& call) {
  out += "CASE";
  size_t at = 0;
  for (; at + 1 < call.arguments.size(); at += 2) {
    out += " WHEN ";
    append(out, call.arguments[at]);
    out += " THEN ";
    append(out, call.arguments[at + 1]);
  }
  if (at < call.arguments.size()) {
    out += " ELSE ";
    append(out, call.arguments[at]);
  }
  out += " END";
}

std::string_view unit_of(const Expression& argument) {
  const auto* literal = std::get_if<Literal>(&argument.node);
  const auto* text = literal == nullptr ? nullptr : std::get_if<std::string>(literal);
  return text == nullptr ? std::string_view("?") : std::string_view(*text);
}

void append_collection(std::string& out, const Call& call) {
  if (call.function == FunctionId::kArrayOf) {
    out += "ARRAY[";
    append_list(out, call, 0);
    out += ']';
    return;
  }
  append_operand(out, call.arguments[0]);
  if (call.function == FunctionId::kElementAt) {
    out += '[';
    append(out, call.arguments[1]);
    out += ']';
    return;
  }
  const auto field = static_cast<size_t>(std::get<int64_t>(std::get<Literal>(call.arguments[1].node)));
  out += '.' + quote_identifier((*call.arguments[0].type.fields)[field].name);
}

void append_special(std::string& out, const Call& call, const Type& type) {
  const auto& arguments = call.arguments;
  switch (call.function) {
    case FunctionId::kNegate:
    case FunctionId::kNot:
      out += call.function == FunctionId::kNot ? "NOT " : "-";
      return append_operand(out, arguments[0]);
    case FunctionId::kIsNull:
    case FunctionId::kIsNotNull:
      append_operand(out, arguments[0]);
      out += fmt::format(" {}", function_name(call.function));
      return;
    case FunctionId::kLike:
      append_operand(out, arguments[0]);
      out += " LIKE ";
      append_operand(out, arguments[1]);
      if (arguments.size() > 2) {
        out += " ESCAPE ";
        append_operand(out, arguments[2]);
      }
      return;
    case FunctionId::kIn:
      append_operand(out, arguments[0]);
      out += " IN (";
      append_list(out, call, 1);
      out += ')';
      return;
    case FunctionId::kCase: return append_case(out, call);
    case FunctionId::kCast:
    case FunctionId::kTryCast:
      out += fmt::format("{}(", function_name(call.function));
      append(out, arguments[0]);
      out += fmt::format(" AS {})", columnar::type_name(type));
      return;
    case FunctionId::kExtract:
      out += fmt::format("EXTRACT({} FROM ", unit_of(arguments[0]));
      append(out, arguments[1]);
      out += ')';
      return;
    case FunctionId::kFloorTime:
    case FunctionId::kCeilTime:
      out += call.function == FunctionId::kFloorTime ? "FLOOR(" : "CEIL(";
      append(out, arguments[1]);
      out += fmt::format(" TO {})", unit_of(arguments[0]));
      return;
    case FunctionId::kArrayOf:
    case FunctionId::kElementAt:
    case FunctionId::kField: return append_collection(out, call);
    case FunctionId::kIsJson:
      append_operand(out, arguments[0]);
      out += fmt::format(" IS JSON {}", unit_of(arguments[1]));
      return;
    case FunctionId::kPosition:
      out += "POSITION(";
      append_operand(out, arguments[0]);
      out += " IN ";
      append(out, arguments[1]);
      out += ')';
      return;
    default:
      out += fmt::format("{}(", function_name(call.function));
      append_list(out, call, 0);
      out += ')';
  }
}

bool is_binary_operator(FunctionId id) {
  return (id <= FunctionId::kGreaterOrEqual && id != FunctionId::kNegate) || id == FunctionId::kConcatOperator ||
         id == FunctionId::kDistinctFrom || id == FunctionId::kSimilarTo;
}

void append(std::string& out, const Expression& expression) {
  if (const auto* column = std::get_if<ColumnRef>(&expression.node)) {
    out += quote_identifier(column->name);
  } else if (const auto* literal = std::get_if<Literal>(&expression.node)) {
    out += literal_text(*literal, expression.type);
  } else {
    const Call& call = *std::get<std::unique_ptr<Call>>(expression.node);
    if (call.function == FunctionId::kAnd || call.function == FunctionId::kOr) {
      append_chain(out, call);
    } else if (is_binary_operator(call.function) && call.arguments.size() == 2) {
      append_operand(out, call.arguments[0]);
      out += fmt::format(" {} ", function_name(call.function));
      append_operand(out, call.arguments[1]);
    } else {
      append_special(out, call, expression.type);
    }
  }
}

}  // namespace

std::vector<size_t> columns_of(const Expression& expression) {
  if (const auto* column = std::get_if<ColumnRef>(&expression.node)) return {column->index};
  std::vector<size_t> columns;
  if (const auto* call = std::get_if<std::unique_ptr<Call>>(&expression.node)) {
    for (const Expression& argument : (*call)->arguments) {
      const std::vector<size_t> more = columns_of(argument);
      columns.insert(columns.end(), more.begin(), more.end());
    }
  }
  std::ranges::sort(columns);
  const auto repeated = std::ranges::unique(columns);
  columns.erase(repeated.begin(), repeated.end());
  return columns;
}

std::string to_string(const Expression& expression) {
  std::string out;
  append(out, expression);
  return out;
}

std::optional<double> number_of(const Literal& literal, const Type& type) {
  if (const auto* whole = std::get_if<int64_t>(&literal)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&literal)) return *real;
  const auto* decimal = std::get_if<columnar::Decimal>(&literal);
  return decimal == nullptr ? std::nullopt : std::optional(columnar::to_double(*decimal, type.scale));
}

}  // namespace tidegate::sql
