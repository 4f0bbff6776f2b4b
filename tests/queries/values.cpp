#include "values.h"

#include <fmt/format.h>

namespace tidegate::queries {

namespace {

std::string digits_of(const Decimal& number) {
  const bool negative = number.digits < 0;
  std::string text = fmt::format("{}", negative ? -number.digits : number.digits);
  const auto behind = static_cast<size_t>(number.scale);
  if (text.size() <= behind) text.insert(0, behind + 1 - text.size(), '0');
  if (behind > 0) text.insert(text.size() - behind, ".");
  return (negative ? "-" : "") + text;
}

std::string text_of(const Value& value);

std::string nested_text(const Nested& nested) {
  std::string out;
  for (size_t at = 0; at < nested.parts.size(); ++at) {
    if (at > 0) out += ',';
    if (!nested.names.empty()) out += fmt::format("\"{}\":", nested.names[at]);
    out += text_of(nested.parts[at]);
  }
  return nested.names.empty() ? "[" + out + "]" : "{" + out + "}";
}

std::string text_of(const Value& value) {
  if (const auto* nested = std::get_if<NestedPtr>(&value)) return nested_text(**nested);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return fmt::format("{}", *number);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:.12g}", *real);
  if (const auto* decimal = std::get_if<Decimal>(&value)) return digits_of(*decimal);
  if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("\"{}\"", *text);
  return "null";
}

}  // namespace

std::string type_name(const Column& column) {
  switch (column.type) {
    case Type::kBoolean: return "BOOLEAN";
    case Type::kBigint: return "BIGINT";
    case Type::kDouble: return "DOUBLE";
    case Type::kString: return "STRING";
    case Type::kTime: return "TIMESTAMP_LTZ(3)";
    case Type::kNested: return column.declared;
    case Type::kDecimal: return fmt::format("DECIMAL({}, {})", column.precision, column.scale);
  }
  return "";
}

std::string line_of(const std::vector<Column>& columns, const Row& row) {
  std::string out;
  for (size_t at = 0; at < columns.size(); ++at) {
    out += fmt::format("{}\"{}\":{}", out.empty() ? "" : ",", columns[at].name, text_of(row[at]));
  }
  return "{" + out + "}";
}

}  // namespace tidegate::queries
