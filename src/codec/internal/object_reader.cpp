#include "codec/internal/object_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>

#include "codec/internal/column_names.h"
#include "codec/internal/json_document.h"
#include "codec/internal/record_scanner.h"
#include "codec/internal/scalar_value.h"
#include "codec/json_decoder.h"
#include "codec/timestamp_text.h"

namespace tidegate::codec {

namespace od = simdjson::ondemand;
using columnar::TypeKind;
using Failure = std::optional<Error>;

namespace {

constexpr size_t kShownBytes = 40;                          // of a value that did not fit: enough to recognise it
constexpr double kExactIntegers = 9'007'199'254'740'992.0;  // 2^53: every integer below is a double

Error malformed(std::string reason) { return Error{ErrorCode::RecordMalformed, std::move(reason), {}, {}}; }

Error malformed(simdjson::error_code code) {
  return malformed(fmt::format("not valid JSON: {}", simdjson::error_message(code)));
}

std::string shown(od::value& value) {
  std::string_view token = value.raw_json_token();
  if (token.starts_with('{')) return "an object";
  if (token.starts_with('[')) return "an array";
  while (!token.empty() && is_json_space(token.back())) token.remove_suffix(1);
  if (token.size() <= kShownBytes) return std::string(token);
  size_t cut = kShownBytes;
  while (cut > 0 && (static_cast<uint8_t>(token[cut]) & 0xC0) == 0x80) --cut;
  return fmt::format("{}...", token.substr(0, cut));
}

Failure misfit(const columnar::Field& field, std::string_view came, std::string_view expected = {}) {
  return Error{ErrorCode::RecordDoesNotFit,
               fmt::format("column '{}' expects {}{}{}, but {} came", field.name, columnar::type_name(field.type),
                           expected.empty() ? "" : ": ", expected, came),
               {},
               {}};
}

bool reads_null(od::value& value) {
  bool null = false;
  return simdjson::simdjson_result<bool>(value.is_null()).get(null) == simdjson::SUCCESS && null;
}

// Reads everything below an unknown name, so that what is ignored must be valid JSON too.
simdjson::error_code validate(od::value value, int depth) {
  if (depth > kMaxJsonDepth) return simdjson::DEPTH_ERROR;
  od::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case od::json_type::array: {
      od::array array;
      if (const auto error = value.get_array().get(array)) return error;
      for (auto element : array) {
        od::value inner;
        if (const auto error = std::move(element).get(inner)) return error;
        if (const auto error = validate(inner, depth + 1)) return error;
      }
      return simdjson::SUCCESS;
    }
    case od::json_type::object: {
      od::object object;
      if (const auto error = value.get_object().get(object)) return error;
      for (auto field : object) {
        od::value inner;
        if (const auto error = field.value().get(inner)) return error;
        if (const auto error = validate(inner, depth + 1)) return error;
      }
      return simdjson::SUCCESS;
    }
    case od::json_type::string: return value.get_string().error();
    case od::json_type::number: return value.get_double().error();
    case od::json_type::boolean: return value.get_bool().error();
    case od::json_type::null: return reads_null(value) ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
  }
  return simdjson::INCORRECT_TYPE;
}

}  // namespace

class ObjectReader::Impl {
 public:
  explicit Impl(const DecoderTarget& target) : schema_(*target.schema), names_(*target.schema, target.unnamed()) {}

  Failure read(std::string_view record, RowTarget& row) {
    od::document document;
    if (const auto error =
            parser_.iterate(record.data(), record.size(), record.size() + kPayloadPadding).get(document)) {
      return malformed(error);
    }
    od::object object;
    if (const auto error = document.get_object().get(object)) return malformed(error);
    for (auto field : object) {
      if (field.error() != simdjson::SUCCESS) return malformed(field.error());
      if (auto failure = read_member(field.value_unsafe(), row)) return failure;
    }
    return std::nullopt;
  }

  uint64_t unknown_keys = 0;

 private:
  Failure read_member(od::field& field, RowTarget& row) {
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name)) return malformed(error);
    const auto column = names_.find(name);
    if (!column) {
      ++unknown_keys;
      const auto error = validate(field.value(), 1);
      return error == simdjson::SUCCESS ? std::nullopt : Failure(malformed(error));
    }
    if (!row.claim(*column)) {
      return Error{ErrorCode::RecordDoesNotFit,
                   fmt::format("column '{}' comes more than once", schema_.fields[*column].name),
                   {},
                   {}};
    }
    return read_value(field.value(), *column, row);
  }

  Failure read_value(od::value value, size_t column, RowTarget& row) {
    const columnar::Field& field = schema_.fields[column];
    od::json_type type{};
    if (const auto error = value.type().get(type)) return malformed(error);
    if (type == od::json_type::null) {
      if (!reads_null(value)) return malformed("not valid JSON: a word that is not null");
      if (row.append_null(column)) return std::nullopt;
      return misfit(field, "null", "not NULL");
    }
    if (type == od::json_type::object || type == od::json_type::array) {
      return field.type.is_nested() ? read_nested(value, type, column, row) : misfit(field, shown(value));
    }
    if (field.type.is_nested()) return misfit(field, shown(value));
    switch (field.type) {
      case TypeKind::kBoolean: return read_bool(value, type, column, row);
      case TypeKind::kInt:
      case TypeKind::kBigint: return read_integer(value, type, column, row);
      case TypeKind::kFloat:
      case TypeKind::kDouble: return read_real(value, type, column, row);
      case TypeKind::kDecimal: return read_decimal(value, type, column, row);
      case TypeKind::kString: return read_text(value, type, column, row);
      case TypeKind::kBytes: return read_bytes(value, type, column, row);
      default: return read_time(value, type, column, row);
    }
  }

  // As a tree first: the members of an object come in any order.
  Failure read_nested(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    std::string_view text;
    if (type == od::json_type::array) {
      od::array array;
      if (const auto error = value.get_array().get(array)) return malformed(error);
      if (const auto error = array.raw_json().get(text)) return malformed(error);
    } else {
      od::object object;
      if (const auto error = value.get_object().get(object)) return malformed(error);
      if (const auto error = object.raw_json().get(text)) return malformed(error);
    }
    document_.clear();
    if (auto failure = json_.read(text, document_)) return failure;
    return append_nested(schema_.fields[column], document_, Document::root(), time_, row.rows().column(column));
  }

  Failure read_bool(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    bool flag = false;
    if (type != od::json_type::boolean) return misfit(schema_.fields[column], shown(value));
    if (const auto error = value.get_bool().get(flag)) return malformed(error);
    row.append_bool(column, flag);
    return std::nullopt;
  }

  Failure read_integer(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    const columnar::Field& field = schema_.fields[column];
    if (type != od::json_type::number) return misfit(field, shown(value));
    int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS) {
      double real = 0;
      if (value.get_double().get(real) != simdjson::SUCCESS)
        return misfit(field, shown(value), "a number in its range");
      if (real != std::trunc(real)) return misfit(field, shown(value), "a number without a fraction");
      if (std::abs(real) >= kExactIntegers) return misfit(field, shown(value), "a number in its range");
      number = static_cast<int64_t>(real);
    }
    if (field.type == TypeKind::kBigint) {
      row.append_bigint(column, number);
    } else if (number < std::numeric_limits<int32_t>::min() || number > std::numeric_limits<int32_t>::max()) {
      return misfit(field, fmt::to_string(number), "a number from -2147483648 to 2147483647");
    } else {
      row.append_int(column, static_cast<int32_t>(number));
    }
    return std::nullopt;
  }

  Failure read_real(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    const columnar::Field& field = schema_.fields[column];
    double number = 0;
    if (type != od::json_type::number) return misfit(field, shown(value));
    const bool read = value.get_double().get(number) == simdjson::SUCCESS;
    const bool narrow = field.type == TypeKind::kFloat;
    if (!read || !std::isfinite(narrow ? double{static_cast<float>(number)} : number)) {
      return misfit(field, shown(value), "a number in its range");
    }
    narrow ? row.append_float(column, static_cast<float>(number)) : row.append_double(column, number);
    return std::nullopt;
  }

  // A number or a text with one, by its digits as they are written.
  Failure read_decimal(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    const columnar::Field& field = schema_.fields[column];
    const std::string came = shown(value);
    std::string_view digits = value.raw_json_token();
    double real = 0;
    if (type == od::json_type::string) {
      if (const auto error = value.get_string().get(digits)) return malformed(error);
    } else if (type != od::json_type::number || value.get_double().get(real) != simdjson::SUCCESS) {
      return misfit(field, came);
    }
    while (!digits.empty() && is_json_space(digits.back())) digits.remove_suffix(1);
    const auto number = columnar::parse_decimal(digits, field.type.precision, field.type.scale);
    if (!number) return misfit(field, came);
    row.append_decimal(column, *number);
    return std::nullopt;
  }

  Failure read_bytes(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    std::string_view text;
    const std::string came = shown(value);
    if (type != od::json_type::string) return misfit(schema_.fields[column], came, "bytes in Base64");
    if (const auto error = value.get_string().get(text)) return malformed(error);
    if (row.append_base64(column, text)) return std::nullopt;
    return misfit(schema_.fields[column], came, "bytes in Base64");
  }

  Failure read_text(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    std::string_view text;
    if (type != od::json_type::string) return misfit(schema_.fields[column], shown(value));
    if (const auto error = value.get_string().get(text)) return malformed(error);
    if (row.append_text(column, text)) return std::nullopt;
    return Error{ErrorCode::LimitReached,
                 fmt::format("column '{}': no more new devices can be taken, the limit of different devices is reached",
                             schema_.fields[column].name),
                 {},
                 {}};
  }

  Failure read_time(od::value& value, od::json_type type, size_t column, RowTarget& row) {
    const columnar::Field& field = schema_.fields[column];
    constexpr std::string_view kExpected =
        "milliseconds since 1970 or 'YYYY-MM-DDTHH:MM:SS[.fff][Z|+hh:mm]', year 1 to 9999";
    if (type == od::json_type::string) {
      std::string_view text;
      const std::string came = shown(value);
      if (const auto error = value.get_string().get(text)) return malformed(error);
      const auto time_us = parse_timestamp(text, field.type);
      if (!time_us) return misfit(field, came, kExpected);
      row.append_time(column, *time_us);
      return std::nullopt;
    }
    double real = 0;
    int64_t time_ms = 0;
    if (type != od::json_type::number) return misfit(field, shown(value), kExpected);
    if (value.get_int64().get(time_ms) != simdjson::SUCCESS) {
      if (value.get_double().get(real) != simdjson::SUCCESS || std::abs(real) >= kExactIntegers) {
        return misfit(field, shown(value), kExpected);
      }
      time_ms = static_cast<int64_t>(real);
    }
    if (time_ms < kMinTimestampUs / kMicrosPerMilli || time_ms > kMaxTimestampUs / kMicrosPerMilli) {
      return misfit(field, fmt::to_string(time_ms), kExpected);
    }
    row.append_time(column, time_ms * kMicrosPerMilli);
    return std::nullopt;
  }

  const columnar::Schema& schema_;
  ColumnNames names_;
  od::parser parser_;
  JsonDocument json_;  // of arrays and objects
  Document document_;
  TimeFormat time_;
};

ObjectReader::ObjectReader(const DecoderTarget& target) : impl_(std::make_unique<Impl>(target)) {}
ObjectReader::~ObjectReader() = default;

Failure ObjectReader::read(std::string_view record, RowTarget& row) { return impl_->read(record, row); }
uint64_t ObjectReader::unknown_keys() const { return impl_->unknown_keys; }

}  // namespace tidegate::codec
