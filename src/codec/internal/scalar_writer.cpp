#include "codec/internal/scalar_writer.h"

#include <fmt/format.h>

#include "codec/internal/scalar_value.h"

namespace tidegate::codec {

using columnar::TypeKind;
using Kind = Scalar::Kind;

namespace {

Error misfit(const columnar::Field& field, const Scalar& came, std::string_view expected = {}) {
  return Error{ErrorCode::RecordDoesNotFit,
               fmt::format("column '{}' expects {}{}{}, but {} came", field.name, columnar::type_name(field.type),
                           expected.empty() ? "" : ": ", expected, describe(came)),
               {},
               {}};
}

}  // namespace

ScalarWriter::ScalarWriter(const columnar::Schema& schema, std::vector<TimeFormat> times)
    : schema_(schema), times_(std::move(times)) {
  times_.resize(schema.fields.size());
}

std::optional<Error> ScalarWriter::claim(size_t column, RowTarget& row) const {
  if (row.claim(column)) return std::nullopt;
  return Error{ErrorCode::RecordDoesNotFit,
               fmt::format("column '{}' comes more than once", schema_.fields[column].name),
               {},
               {}};
}

std::optional<Error> ScalarWriter::write(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  if (auto error = claim(column, row)) return error;
  if (value.kind == Kind::kNull) {
    if (row.append_null(column)) return std::nullopt;
    return misfit(field, value, "not NULL");
  }
  if (field.type == TypeKind::kString) return write_text(column, value, row);
  if (columnar::is_timestamp(field.type)) {
    const auto time_us = times_[column].read(value, field.type);
    if (!time_us) return misfit(field, value, times_[column].expected());
    row.append_time(column, *time_us);
    return std::nullopt;
  }
  if (const auto expected = append_scalar(field.type, value, row.rows().column(column))) {
    return misfit(field, value, *expected);
  }
  return std::nullopt;
}

std::optional<Error> ScalarWriter::write(size_t column, const Document& document, Document::Node node,
                                         RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  if (!field.type.is_nested() || document.shape(node) == Document::Shape::kScalar) {
    return write(column, document.value(node), row);
  }
  if (auto error = claim(column, row)) return error;
  return append_nested(field, document, node, times_[column], row.rows().column(column));
}

std::optional<Error> ScalarWriter::write_text(size_t column, const Scalar& value, RowTarget& row) const {
  const columnar::Field& field = schema_.fields[column];
  std::string encoded;
  const auto text = text_of(value, encoded);
  if (!text) return misfit(field, value, text.error());
  if (row.append_text(column, *text)) return std::nullopt;
  return Error{ErrorCode::LimitReached,
               fmt::format("column '{}': no more new devices can be taken, the limit of different devices is reached",
                           field.name),
               {},
               {}};
}

}  // namespace tidegate::codec
