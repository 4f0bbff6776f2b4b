// Values of any format, scalar or nested, into a column of their type.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/internal/document.h"
#include "codec/internal/scalar.h"
#include "codec/time_format.h"
#include "columnar/column.h"

namespace tidegate::codec {

// Appends a value, which is not null, to a column of a type other than STRING and the TIMESTAMPs. Where it does not fit
// what is expected, beyond the type, which may be empty.
[[nodiscard]] std::optional<std::string_view> append_scalar(const columnar::Type& type, const Scalar& value,
                                                            columnar::ColumnBuilder& out);
// The text that the value is for a STRING column; `encoded` may hold it. What is expected otherwise.
[[nodiscard]] std::expected<std::string_view, std::string_view> text_of(const Scalar& value, std::string& encoded);

// An array or an object into an ARRAY or ROW: the elements in order; the members by the names of the fields, as columns
// are named, with NULL for those that do not come and no place for those of other names. Times are read as `time` says.
// RecordDoesNotFit, with the place ("column 'burst.samples[3]'", counted as in SQL), when a value does not fit; the
// column is as it was before but for values of its children that the caller takes back by ColumnBuilder::truncate().
[[nodiscard]] std::optional<Error> append_nested(const columnar::Field& field, const Document& document,
                                                 Document::Node node, const TimeFormat& time,
                                                 columnar::ColumnBuilder& out);

}  // namespace tidegate::codec
