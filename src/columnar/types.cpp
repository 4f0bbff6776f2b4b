#include "columnar/types.h"

#include <algorithm>

#include "base/check.h"

namespace tidegate::columnar {

namespace {

void append_name(const Type& type, std::string& out);

void append_fields(const std::vector<Field>& fields, std::string& out) {
  for (const Field& field : fields) {
    if (&field != &fields.front()) out += ", ";
    out += '`';
    for (const char c : field.name) out.append(c == '`' ? 2 : 1, c);
    out += "` ";
    append_name(field.type, out);
    if (!field.nullable) out += " NOT NULL";
  }
}

void append_name(const Type& type, std::string& out) {
  out += type_name(type.kind);
  if (type.kind == TypeKind::kDecimal) {
    out.append("(").append(std::to_string(type.precision)).append(", ").append(std::to_string(type.scale)).append(")");
  } else if (type.kind == TypeKind::kArray && type.fields != nullptr) {
    out += '<';
    append_name(type.element().type, out);
    if (!type.element().nullable) out += " NOT NULL";
    out += '>';
  } else if (type.kind == TypeKind::kRow && type.fields != nullptr) {
    out += '<';
    append_fields(*type.fields, out);
    out += '>';
  }
}

}  // namespace

Type Type::decimal(uint8_t precision, uint8_t scale) {
  CHECK(precision >= 1 && precision <= kMaxPrecision && scale <= precision);
  Type type(TypeKind::kDecimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type Type::array(Type element, bool nullable) {
  Type type(TypeKind::kArray);
  type.fields =
      std::make_shared<const std::vector<Field>>(std::vector<Field>{Field{"element", std::move(element), nullable}});
  return type;
}

Type Type::row(std::vector<Field> fields) {
  Type type(TypeKind::kRow);
  type.fields = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

const Field& Type::element() const { return fields->front(); }

int Type::depth() const {
  if (!is_nested()) return 0;
  int deepest = 0;
  for (const Field& field : *fields) deepest = std::max(deepest, field.type.depth());
  return deepest + 1;
}

bool operator==(const Type& left, const Type& right) {
  if (left.kind != right.kind || left.precision != right.precision || left.scale != right.scale) return false;
  if (left.fields == right.fields) return true;
  return left.fields != nullptr && right.fields != nullptr && *left.fields == *right.fields;
}

std::string_view type_name(TypeKind type) {
  switch (type) {
    case TypeKind::kNull: return "NULL";
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kInt: return "INT";
    case TypeKind::kBigint: return "BIGINT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kString: return "STRING";
    case TypeKind::kTimestamp: return "TIMESTAMP(3)";
    case TypeKind::kTimestampLtz: return "TIMESTAMP_LTZ(3)";
    case TypeKind::kInterval: return "INTERVAL";
    case TypeKind::kFloat: return "FLOAT";
    case TypeKind::kBytes: return "BYTES";
    case TypeKind::kDecimal: return "DECIMAL";
    case TypeKind::kArray: return "ARRAY";
    case TypeKind::kRow: return "ROW";
  }
  return "UNKNOWN";
}

std::string type_name(const Type& type) {
  std::string out;
  append_name(type, out);
  return out;
}

}  // namespace tidegate::columnar
