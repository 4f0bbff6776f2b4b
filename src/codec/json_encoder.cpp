#include "codec/json_encoder.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/base64.h"
#include "base/check.h"
#include "codec/timestamp_text.h"
#include "codec/utf8.h"
#include "columnar/decimal.h"

namespace tidegate::codec {

using columnar::RowKind;
using columnar::TypeKind;

namespace {

template <class T>
void append_number(T value, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_escaped(char c, std::string& out) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c)); break;
  }
}

std::string_view op_member(RowKind kind) {
  switch (kind) {
    case RowKind::kInsert: return {};
    case RowKind::kUpdateBefore: return R"("_op":"update_before")";
    case RowKind::kUpdateAfter: return R"("_op":"update_after")";
    case RowKind::kDelete: return R"("_op":"delete")";
  }
  return {};
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<uint8_t>(c) < 0x80) {
      if (c >= 0x20 && c != '"' && c != '\\') {
        ++at;
        continue;
      }
      out.append(text, plain, at - plain);
      append_escaped(c, out);
      plain = ++at;
      continue;
    }
    if (const size_t size = utf8_sequence_size(text.substr(at)); size > 0) {
      at += size;
      continue;
    }
    out.append(text, plain, at - plain);
    out += "\xEF\xBF\xBD";
    plain = ++at;
  }
  out.append(text, plain);
  out.push_back('"');
}

namespace {

void append_array(const columnar::Column& column, size_t row, std::string& out) {
  out.push_back('[');
  for (uint32_t at = column.offsets[row]; at < column.offsets[row + 1]; ++at) {
    if (at != column.offsets[row]) out.push_back(',');
    append_json_value(*column.children[0], at, out);
  }
  out.push_back(']');
}

void append_members(const columnar::Column& column, size_t row, std::string& out) {
  out.push_back('{');
  for (size_t at = 0; at < column.children.size(); ++at) {
    if (at > 0) out.push_back(',');
    append_json_string((*column.type.fields)[at].name, out);
    out.push_back(':');
    append_json_value(*column.children[at], row, out);
  }
  out.push_back('}');
}

}  // namespace

void append_json_value(const columnar::Column& column, size_t row, std::string& out) {
  if (!column.valid(row)) {
    out += "null";
    return;
  }
  switch (column.type) {
    case TypeKind::kNull: out += "null"; return;
    case TypeKind::kBoolean: out += column.values<uint8_t>()[row] != 0 ? "true" : "false"; return;
    case TypeKind::kInt: return append_number(column.values<int32_t>()[row], out);
    case TypeKind::kBigint:
    case TypeKind::kInterval: return append_number(column.values<int64_t>()[row], out);
    case TypeKind::kDouble: {
      const double value = column.values<double>()[row];
      if (std::isfinite(value)) return append_number(value, out);
      out += "null";
      return;
    }
    case TypeKind::kFloat: {
      const float value = column.values<float>()[row];
      if (std::isfinite(value)) return append_number(value, out);
      out += "null";
      return;
    }
    case TypeKind::kBytes:
      out.push_back('"');
      encode_base64(column.string_at(row), out);
      out.push_back('"');
      return;
    case TypeKind::kString: return append_json_string(column.string_at(row), out);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      out.push_back('"');
      append_timestamp(column.values<int64_t>()[row], column.type, out);
      out.push_back('"');
      return;
    case TypeKind::kDecimal:
      return columnar::append_decimal({column.values<columnar::Int128>()[row]}, column.type.scale, out);
    case TypeKind::kArray: return append_array(column, row, out);
    case TypeKind::kRow: return append_members(column, row, out);
    default: CHECK(false && "a column of a type that there are no columns of");
  }
}

JsonEncoder::JsonEncoder(columnar::SchemaPtr schema) : schema_(std::move(schema)) {
  for (const columnar::Field& field : schema_->fields) {
    std::string& name = names_.emplace_back();
    append_json_string(field.name, name);
    name.push_back(':');
  }
}

void JsonEncoder::append_row(const columnar::Batch& batch, size_t row, std::string& out) const {
  append_row(batch, row, {}, out);
}

void JsonEncoder::append_row(const columnar::Batch& batch, size_t row, std::string_view first_member,
                             std::string& out) const {
  out.push_back('{');
  const size_t start = out.size();
  const auto comma = [&] {
    if (out.size() != start) out.push_back(',');
  };
  out += first_member;
  if (const std::string_view op = op_member(batch.kind(row)); !op.empty()) {
    comma();
    out += op;
  }
  for (size_t column = 0; column < names_.size(); ++column) {
    comma();
    out += names_[column];
    append_json_value(*batch.columns[column], row, out);
  }
  out.push_back('}');
}

void JsonEncoder::append_ndjson(const columnar::Batch& batch, std::string& out) const {
  for (size_t row = 0; row < batch.rows; ++row) {
    append_row(batch, row, out);
    out.push_back('\n');
  }
}

}  // namespace tidegate::codec
