#include "codec/internal/scalar_writer.h"

#include <fmt/format.h>

#include <cmath>

#include "base/base64.h"
#include "codec/internal/number_text.h"

namespace tidegate::codec {

using columnar::TypeKind;
using Kind = Scalar::Kind;

namespace {

constexpr double kExactIntegers = 9'007'199'254'740'992.0;  // 2^53: every integer below is a double

Error misfit(const columnar::Field& field, const Scalar& came, std::string_view expected = {}) {
  return Error{ErrorCode::RecordDoesNotFit,
               fmt::format("column '{}' expects {}{}{}, but {} came", field.name, columnar::type_name(field.type),
                           expected.empty() ? "" : ": ", expected, describe(came)),
               {},
               {}};
}

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

}  // namespace

ScalarWriter::ScalarWriter(const columnar::Schema& schema, std::vector<TimeFormat> times)
    : schema_(schema), times_(std::move(times)) {
  times_.resize(schema.fields.size());
}

std::optional<Error> ScalarWriter::write(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  if (!row.claim(column)) {
    return Error{ErrorCode::RecordDoesNotFit, fmt::format("column '{}' comes more than once", field.name), {}, {}};
  }
  if (value.kind == Kind::kNull) {
    if (row.append_null(column)) return std::nullopt;
    return misfit(field, value, "not NULL");
  }
  switch (field.type) {
    case TypeKind::kBoolean: {
      const auto flag = to_boolean(value);
      if (!flag) return misfit(field, value);
      row.append_bool(column, *flag);
      return std::nullopt;
    }
    case TypeKind::kInt:
    case TypeKind::kBigint: return write_integer(column, value, row);
    case TypeKind::kFloat:
    case TypeKind::kDouble: return write_real(column, value, row);
    case TypeKind::kDecimal: return write_decimal(column, value, row);
    case TypeKind::kString: return write_text(column, value, row);
    case TypeKind::kBytes: return write_bytes(column, value, row);
    default: break;
  }
  const auto time_us = times_[column].read(value, field.type);
  if (!time_us) return misfit(field, value, times_[column].expected());
  row.append_time(column, *time_us);
  return std::nullopt;
}

std::optional<Error> ScalarWriter::write_integer(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  std::optional<int64_t> number;
  if (value.kind == Kind::kInteger) number = value.integer;
  if (value.kind == Kind::kWord) number = parse_integer(trimmed(value.text));
  if (!number) {
    const auto real = to_double(value);
    if (!real) return misfit(field, value);
    if (*real != std::trunc(*real)) return misfit(field, value, "a number without a fraction");
    if (!(std::abs(*real) < kExactIntegers)) return misfit(field, value, "a number in its range");
    number = static_cast<int64_t>(*real);
  }
  if (field.type == TypeKind::kBigint) {
    row.append_bigint(column, *number);
  } else if (*number != static_cast<int32_t>(*number)) {
    return misfit(field, value, "a number from -2147483648 to 2147483647");
  } else {
    row.append_int(column, static_cast<int32_t>(*number));
  }
  return std::nullopt;
}

std::optional<Error> ScalarWriter::write_real(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  const auto number = to_double(value);
  if (!number) return misfit(field, value);
  const bool narrow = field.type == TypeKind::kFloat;
  if (!std::isfinite(narrow ? double{static_cast<float>(*number)} : *number)) {
    return misfit(field, value, "a number in its range");
  }
  narrow ? row.append_float(column, static_cast<float>(*number)) : row.append_double(column, *number);
  return std::nullopt;
}

// Exact: a number is taken as it was written, never by way of a double unless it came as one.
std::optional<Error> ScalarWriter::write_decimal(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  const int precision = field.type.precision;
  const int scale = field.type.scale;
  std::optional<columnar::Decimal> number;
  if (value.kind == Kind::kInteger) {
    number = columnar::rescale({value.integer}, 0, precision, scale);
  } else if (value.kind == Kind::kReal && value.text.empty()) {
    number = columnar::decimal_of(value.real, precision, scale);
  } else if (value.kind == Kind::kReal || value.kind == Kind::kText || value.kind == Kind::kWord) {
    number = columnar::parse_decimal(trimmed(value.text), precision, scale);
  }
  if (!number) return misfit(field, value);
  row.append_decimal(column, *number);
  return std::nullopt;
}

// Formats without bytes of their own have them in Base64.
std::optional<Error> ScalarWriter::write_bytes(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  if (value.kind == Kind::kBytes) {
    row.append_bytes(column, value.text);
    return std::nullopt;
  }
  const bool text = value.kind == Kind::kText || value.kind == Kind::kWord;
  if (text && row.append_base64(column, value.text)) return std::nullopt;
  return misfit(field, value, "bytes in Base64");
}

std::optional<Error> ScalarWriter::write_text(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  if (value.kind != Kind::kText && value.kind != Kind::kWord && value.kind != Kind::kBytes) return misfit(field, value);
  std::string encoded;
  if (value.kind == Kind::kBytes) encode_base64url(value.text, encoded);
  const std::string_view text = value.kind == Kind::kBytes ? std::string_view(encoded) : value.text;
  if (valid_utf8_size(text) != text.size()) return misfit(field, value, "text in UTF-8");
  if (row.append_text(column, text)) return std::nullopt;
  return Error{ErrorCode::LimitReached,
               fmt::format("column '{}': no more new devices can be taken, the limit of different devices is reached",
                           field.name),
               {},
               {}};
}

}  // namespace tidegate::codec
