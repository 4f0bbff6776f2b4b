#include "codec/internal/scalar_value.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "base/base64.h"
#include "base/letter_case.h"
#include "codec/internal/number_text.h"
#include "codec/utf8.h"
#include "columnar/decimal.h"

namespace tidegate::codec {

using columnar::ColumnBuilder;
using columnar::Field;
using columnar::Type;
using columnar::TypeKind;
using Kind = Scalar::Kind;
using Expected = std::optional<std::string_view>;

namespace {

constexpr double kExactIntegers = 9'007'199'254'740'992.0;  // 2^53: every integer below is a double

std::optional<bool> to_boolean(const Scalar& value) {
  if (value.kind == Kind::kBoolean) return value.flag;
  if (value.kind != Kind::kWord) return std::nullopt;
  const std::string_view word = trimmed(value.text);
  if (word == "1" || word == "true" || word == "TRUE" || word == "True") return true;
  if (word == "0" || word == "false" || word == "FALSE" || word == "False") return false;
  return std::nullopt;
}

std::optional<double> to_double(const Scalar& value) {
  if (value.kind == Kind::kReal) return value.real;
  if (value.kind == Kind::kInteger) return static_cast<double>(value.integer);
  if (value.kind == Kind::kWord) return parse_real(trimmed(value.text));
  return std::nullopt;
}

Expected append_integer(const Type& type, const Scalar& value, ColumnBuilder& out) {
  std::optional<int64_t> number;
  if (value.kind == Kind::kInteger) number = value.integer;
  if (value.kind == Kind::kWord) number = parse_integer(trimmed(value.text));
  if (!number) {
    const auto real = to_double(value);
    if (!real) return "";
    if (*real != std::trunc(*real)) return "a number without a fraction";
    if (!(std::abs(*real) < kExactIntegers)) return "a number in its range";
    number = static_cast<int64_t>(*real);
  }
  if (type == TypeKind::kBigint) {
    out.append(*number);
  } else if (*number != static_cast<int32_t>(*number)) {
    return "a number from -2147483648 to 2147483647";
  } else {
    out.append(static_cast<int32_t>(*number));
  }
  return std::nullopt;
}

Expected append_real(const Type& type, const Scalar& value, ColumnBuilder& out) {
  const auto number = to_double(value);
  if (!number) return "";
  const bool narrow = type == TypeKind::kFloat;
  if (!std::isfinite(narrow ? double{static_cast<float>(*number)} : *number)) return "a number in its range";
  if (narrow) {
    out.append(static_cast<float>(*number));
  } else {
    out.append(*number);
  }
  return std::nullopt;
}

// Exact: a number is taken as it was written, never by way of a double unless it came as one.
Expected append_decimal(const Type& type, const Scalar& value, ColumnBuilder& out) {
  std::optional<columnar::Decimal> number;
  if (value.kind == Kind::kInteger) {
    number = columnar::rescale({value.integer}, 0, type.precision, type.scale);
  } else if (value.kind == Kind::kReal && value.text.empty()) {
    number = columnar::decimal_of(value.real, type.precision, type.scale);
  } else if (value.kind == Kind::kReal || value.kind == Kind::kText || value.kind == Kind::kWord) {
    number = columnar::parse_decimal(trimmed(value.text), type.precision, type.scale);
  }
  if (!number) return "";
  out.append(number->unscaled);
  return std::nullopt;
}

// Formats without bytes of their own have them in Base64.
Expected append_bytes(const Scalar& value, ColumnBuilder& out) {
  if (value.kind == Kind::kBytes) {
    out.append_string(value.text);
    return std::nullopt;
  }
  std::string decoded;
  const bool text = value.kind == Kind::kText || value.kind == Kind::kWord;
  if (!text || !decode_any_base64(value.text, decoded)) return "bytes in Base64";
  out.append_string(decoded);
  return std::nullopt;
}

// The field that a name means: the same name, else the same without regard to case.
std::optional<size_t> find_field(const std::vector<Field>& fields, std::string_view name) {
  for (size_t at = 0; at < fields.size(); ++at) {
    if (fields[at].name == name) return at;
  }
  for (size_t at = 0; at < fields.size(); ++at) {
    if (equal_ignoring_case(fields[at].name, name)) return at;
  }
  return std::nullopt;
}

// Where the value that did not fit stands, from the inside out.
struct Misfit {
  std::string place;
  std::string reason;
};
using Outcome = std::optional<Misfit>;

class NestedReader {
 public:
  NestedReader(const Document& document, const TimeFormat& time) : document_(document), time_(time) {}

  // Recursion is bounded by kMaxTypeDepth.
  Outcome append(const Field& field, Document::Node node, ColumnBuilder& out) const {
    const Scalar& value = document_.value(node);
    const Document::Shape shape = document_.shape(node);
    if (shape == Document::Shape::kScalar && value.kind == Kind::kNull) {
      if (!field.nullable) return misfit(field.type, value, "not NULL");
      out.append_null();
      return std::nullopt;
    }
    if (field.type == TypeKind::kArray && shape == Document::Shape::kArray) return append_array(field, node, out);
    if (field.type == TypeKind::kRow && shape == Document::Shape::kObject) return append_row(field, node, out);
    if (field.type.is_nested() || shape != Document::Shape::kScalar) return misfit(field.type, value, "");
    return append_plain(field.type, value, out);
  }

 private:
  static Outcome misfit(const Type& type, const Scalar& came, std::string_view expected) {
    return Misfit{{},
                  fmt::format("expects {}{}{}, but {} came", columnar::type_name(type), expected.empty() ? "" : ": ",
                              expected, describe(came))};
  }

  Outcome append_array(const Field& field, Document::Node node, ColumnBuilder& out) const {
    size_t number = 0;
    for (auto at = document_.first(node); at != Document::kNone; at = document_.next(at)) {
      ++number;
      if (auto wrong = append(field.type.element(), at, out.child(0))) {
        wrong->place.insert(0, fmt::format("[{}]", number));
        return wrong;
      }
    }
    out.end_nested();
    return std::nullopt;
  }

  Outcome append_row(const Field& field, Document::Node node, ColumnBuilder& out) const {
    const std::vector<Field>& fields = *field.type.fields;
    std::vector<Document::Node> members(fields.size(), Document::kNone);
    for (auto at = document_.first(node); at != Document::kNone; at = document_.next(at)) {
      const auto found = find_field(fields, document_.key(at));
      if (!found) continue;
      if (members[*found] != Document::kNone) return Misfit{"." + fields[*found].name, "comes more than once"};
      members[*found] = at;
    }
    for (size_t at = 0; at < fields.size(); ++at) {
      Outcome wrong;
      if (members[at] != Document::kNone) {
        wrong = append(fields[at], members[at], out.child(at));
      } else if (fields[at].nullable) {
        out.child(at).append_null();
      } else {
        wrong = Misfit{{},
                       fmt::format("({}) must not be NULL, but the record has no such member",
                                   columnar::type_name(fields[at].type))};
      }
      if (!wrong) continue;
      wrong->place.insert(0, "." + fields[at].name);
      return wrong;
    }
    out.end_nested();
    return std::nullopt;
  }

  Outcome append_plain(const Type& type, const Scalar& value, ColumnBuilder& out) const {
    if (type == TypeKind::kString) {
      std::string encoded;
      const auto text = text_of(value, encoded);
      if (!text) return misfit(type, value, text.error());
      out.append_string(*text);
      return std::nullopt;
    }
    if (columnar::is_timestamp(type)) {
      const auto time_us = time_.read(value, type);
      if (!time_us) return misfit(type, value, time_.expected());
      out.append(*time_us);
      return std::nullopt;
    }
    const auto expected = append_scalar(type, value, out);
    return expected ? misfit(type, value, *expected) : std::nullopt;
  }

  const Document& document_;
  const TimeFormat& time_;
};

}  // namespace

Expected append_scalar(const Type& type, const Scalar& value, ColumnBuilder& out) {
  switch (type) {
    case TypeKind::kBoolean: {
      const auto flag = to_boolean(value);
      if (!flag) return "";
      out.append<uint8_t>(*flag ? 1 : 0);
      return std::nullopt;
    }
    case TypeKind::kInt:
    case TypeKind::kBigint: return append_integer(type, value, out);
    case TypeKind::kFloat:
    case TypeKind::kDouble: return append_real(type, value, out);
    case TypeKind::kDecimal: return append_decimal(type, value, out);
    case TypeKind::kBytes: return append_bytes(value, out);
    default: return "";  // an ARRAY or ROW is no scalar
  }
}

std::expected<std::string_view, std::string_view> text_of(const Scalar& value, std::string& encoded) {
  if (value.kind != Kind::kText && value.kind != Kind::kWord && value.kind != Kind::kBytes) return std::unexpected("");
  if (value.kind == Kind::kBytes) encode_base64url(value.text, encoded);
  const std::string_view text = value.kind == Kind::kBytes ? std::string_view(encoded) : value.text;
  if (valid_utf8_size(text) != text.size()) return std::unexpected("text in UTF-8");
  return text;
}

std::optional<Error> append_nested(const Field& field, const Document& document, Document::Node node,
                                   const TimeFormat& time, ColumnBuilder& out) {
  const auto wrong = NestedReader(document, time).append(field, node, out);
  if (!wrong) return std::nullopt;
  return Error{
      ErrorCode::RecordDoesNotFit, fmt::format("column '{}{}' {}", field.name, wrong->place, wrong->reason), {}, {}};
}

}  // namespace tidegate::codec
