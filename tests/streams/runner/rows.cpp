#include "runner/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "codec/json_encoder.h"
#include "codec/timestamp_text.h"
#include "columnar/decimal.h"

namespace tidegate::streams {

namespace {

using columnar::TypeKind;
namespace json = boost::json;

std::string_view kind_prefix(columnar::RowKind kind) {
  switch (kind) {
    case columnar::RowKind::kInsert: return "";
    case columnar::RowKind::kUpdateBefore: return "-U ";
    case columnar::RowKind::kUpdateAfter: return "+U ";
    default: return "-D ";
  }
}

std::string_view prefix_of(std::string_view line) {
  for (const std::string_view prefix : {"-U ", "+U ", "-D "}) {
    if (line.starts_with(prefix)) return line.substr(0, prefix.size());
  }
  return {};
}

std::string in_quotes(std::string_view text) {
  std::string out;
  codec::append_json_string(text, out);
  return out;
}

std::string double_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.12g}", value) : in_quotes(fmt::format("{}", value));
}

std::string float_text(float value) {
  return std::isfinite(value) ? fmt::format("{}", value) : in_quotes(fmt::format("{}", value));
}

std::string time_text(int64_t time_us) {
  if (time_us % kMicrosPerMilli == 0) return fmt::format("{}", time_us / kMicrosPerMilli);
  return fmt::format("{:.3f}", static_cast<double>(time_us) / kMicrosPerMilli);
}

std::string column_text(const columnar::Column& column, size_t row);

std::string member(std::string_view name, std::string_view value) { return fmt::format("\"{}\":{}", name, value); }

std::string nested_text(const columnar::Column& column, size_t row) {
  std::vector<std::string> parts;
  if (column.type == TypeKind::kArray) {
    for (size_t at = column.offsets[row]; at < column.offsets[row + 1]; ++at) {
      parts.push_back(column_text(*column.children[0], at));
    }
    return fmt::format("[{}]", fmt::join(parts, ","));
  }
  for (size_t at = 0; at < column.children.size(); ++at) {
    parts.push_back(member((*column.type.fields)[at].name, column_text(*column.children[at], row)));
  }
  return fmt::format("{{{}}}", fmt::join(parts, ","));
}

std::string column_text(const columnar::Column& column, size_t row) {
  if (!column.valid(row)) return "null";
  switch (column.type) {
    case TypeKind::kArray:
    case TypeKind::kRow: return nested_text(column, row);
    case TypeKind::kBoolean: return column.integer_at(row) != 0 ? "true" : "false";
    case TypeKind::kDouble: return double_text(column.values<double>()[row]);
    case TypeKind::kFloat: return float_text(column.values<float>()[row]);
    case TypeKind::kString: return in_quotes(column.string_at(row));
    case TypeKind::kDecimal:
    case TypeKind::kBytes: {
      std::string text;
      codec::append_json_value(column, row, text);
      return text;
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: return time_text(column.integer_at(row));
    default: return fmt::format("{}", column.integer_at(row));
  }
}

std::string json_text(const json::value& value, const columnar::Type& type);

// All fields of a ROW must be there; others would show as a difference.
std::string nested_json_text(const json::value& value, const columnar::Type& type) {
  std::vector<std::string> parts;
  if (type == TypeKind::kArray && value.is_array()) {
    for (const json::value& element : value.get_array()) parts.push_back(json_text(element, type.element().type));
    return fmt::format("[{}]", fmt::join(parts, ","));
  }
  if (type == TypeKind::kArray || !value.is_object()) return json::serialize(value);
  for (const auto& entry : value.get_object()) {
    const auto& fields = *type.fields;
    const auto field = std::ranges::find(fields, std::string_view(entry.key()), &columnar::Field::name);
    parts.push_back(member(std::string_view(entry.key()),
                           field == fields.end() ? "unknown" : json_text(entry.value(), field->type)));
  }
  return fmt::format("{{{}}}", fmt::join(parts, ","));
}

// What the golden file says, in the form column_text() gives.
std::string json_text(const json::value& value, const columnar::Type& type) {
  if (type.is_nested()) return nested_json_text(value, type);
  if (columnar::is_timestamp(type) && value.is_string()) {
    const auto time_us = codec::parse_timestamp(std::string_view(value.get_string()), type);
    if (time_us) return time_text(*time_us);
  }
  if (type == TypeKind::kDecimal && (value.is_string() || value.is_number())) {
    // As a text, numbers of many digits are compared exactly.
    const std::string written = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    const auto number = columnar::parse_decimal(written, columnar::kMaxPrecision, type.scale);
    std::string text;
    if (number) columnar::append_decimal(*number, type.scale, text);
    return number ? text : in_quotes(written);
  }
  if (type == TypeKind::kFloat && value.is_number()) return float_text(static_cast<float>(value.to_number<double>()));
  if (type == TypeKind::kDouble && value.is_number()) return double_text(value.to_number<double>());
  if (value.is_string()) return in_quotes(std::string_view(value.get_string()));
  return json::serialize(value);
}

Result<json::object> parse_line(std::string_view line) {
  const std::string_view text = line.substr(prefix_of(line).size());
  boost::system::error_code problem;
  json::value parsed = json::parse(json::string_view(text.data(), text.size()), problem);
  if (problem || !parsed.is_object()) {
    return fail(ErrorCode::RecordMalformed, fmt::format("'{}' is no JSON object", line));
  }
  return std::move(parsed.get_object());
}

std::string joined(std::string_view prefix, const std::vector<std::string>& members) {
  return fmt::format("{}{{{}}}", prefix, fmt::join(members, ","));
}

std::vector<std::string> all_names(const columnar::Schema& schema) {
  std::vector<std::string> names;
  for (const columnar::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

Result<size_t> index_of(const columnar::Schema& schema, const std::string& name) {
  const auto index = schema.index_of(name);
  if (index) return *index;
  return fail(ErrorCode::RecordDoesNotFit,
              fmt::format("there is no column '{}', but {}", name, fmt::join(all_names(schema), ", ")));
}

}  // namespace

Result<std::string> canonical_row(const columnar::Batch& batch, size_t row, const std::vector<std::string>& names) {
  std::vector<std::string> members;
  for (const std::string& name : names.empty() ? all_names(*batch.schema) : names) {
    TRY_ASSIGN(const size_t index, index_of(*batch.schema, name));
    members.push_back(member(name, column_text(*batch.columns[index], row)));
  }
  return joined(kind_prefix(batch.kind(row)), members);
}

Result<std::string> canonical_line(std::string_view line, const columnar::Schema& schema,
                                   const std::vector<std::string>& names) {
  TRY_ASSIGN(const json::object object, parse_line(line));
  const std::vector<std::string> wanted = names.empty() ? all_names(schema) : names;
  std::vector<std::string> members;
  for (const std::string& name : wanted) {
    TRY_ASSIGN(const size_t index, index_of(schema, name));
    const json::value* value = object.if_contains(name);
    if (value == nullptr) return fail(ErrorCode::RecordDoesNotFit, fmt::format("'{}' does not name '{}'", line, name));
    members.push_back(member(name, json_text(*value, schema.fields[index].type)));
  }
  if (object.size() != wanted.size()) {
    return fail(ErrorCode::RecordDoesNotFit,
                fmt::format("'{}' names other columns than {}", line, fmt::join(wanted, ", ")));
  }
  return joined(prefix_of(line), members);
}

Result<std::vector<std::string>> names_in(std::string_view line) {
  TRY_ASSIGN(const json::object object, parse_line(line));
  std::vector<std::string> names;
  for (const auto& entry : object) names.emplace_back(entry.key());
  return names;
}

}  // namespace tidegate::streams
