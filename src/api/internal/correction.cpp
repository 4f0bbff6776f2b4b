#include "api/internal/correction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/internal/device_json.h"
#include "base/letter_case.h"
#include "codec/json_encoder.h"
#include "codec/source_format.h"
#include "sql/sql.h"

namespace tidegate::api {

namespace json = boost::json;
using catalog::StreamDefinition;
using columnar::TypeKind;

namespace {

constexpr size_t kMaxReasonBytes = 1000;  // a sentence or two; it is kept for every value
// Searched for the record that is corrected; what is read on from the time of the record is a minute of work at the
// most.
constexpr uint64_t kMaxSearchedRows = 100'000'000;
constexpr size_t kRowsPerRead = 65'536;

std::string text_of(json::string_view text) { return {text.data(), text.size()}; }

// What the stream's options name, all of which a correction needs but the author.
struct Places {
  size_t device = 0;
  size_t time = 0;
  size_t quality = 0;
  std::optional<size_t> author;
  std::vector<size_t> of_the_time;  // columns that the event time is computed from
  codec::ValueRulesPtr rules;
};

Result<Places> places_in(const StreamDefinition& stream) {
  const auto format =
      codec::parse_source_format(stream.options, {*stream.schema, stream.device_column, stream.time_column});
  const bool quality = format && format->values && format->values->quality;
  if (!stream.device_column || !stream.time_column || !quality) {
    return fail(
        ErrorCode::BadRequest, fmt::format("records of '{}' cannot be corrected", stream.name),
        "Its CREATE TABLE must name the device, the event time (WATERMARK FOR) and a column for the 'quality', so "
        "that what was put in the place of a reading can be told from it");
  }
  TRY_ASSIGN(const auto computed, sql::computed_event_time(stream));
  return Places{*stream.device_column,
                *stream.time_column,
                *format->values->quality,
                format->values->author,
                computed ? sql::columns_of(*computed) : std::vector<size_t>(),
                format->values};
}

class FirstMisfit final : public codec::MisfitHandler {
 public:
  void on_misfit(codec::Misfit misfit) override {
    if (error) return;
    error = Error{misfit.code, std::move(misfit.reason), {}, {}};
    if (misfit.code == ErrorCode::ValueOutOfRange)
      error->hint = "What is put in the place of a reading must be in range";
  }
  std::optional<Error> error;
};

// The request as a record of the stream, of which only what it gives has a value.
class Reading {
 public:
  Reading(const StreamDefinition& stream, const Places& places) : stream_(stream), places_(places) {}

  Result<> take(const WantedCorrection& wanted, int64_t now_us) {
    auto schema = std::make_shared<columnar::Schema>(*stream_.schema);
    for (columnar::Field& field : schema->fields) field.nullable = true;
    given_.assign(schema->fields.size(), false);
    json::object record;
    for (const auto& [name, value] : wanted.values) {
      TRY_ASSIGN(const size_t column, column_of(text_of(name)));
      if (given_[column]) return fail(ErrorCode::BadRequest, fmt::format("column '{}' is set twice", text_of(name)));
      given_[column] = true;
      record[schema->fields[column].name] = as_written(value, schema->fields[column].type);
    }
    record[schema->fields[places_.device].name] = wanted.device;
    record[schema->fields[places_.time].name] = wanted.time;
    return decode(schema, json::serialize(record), now_us);
  }
  [[nodiscard]] bool gives(size_t column) const { return given_[column]; }
  [[nodiscard]] const columnar::Column& column(size_t at) const { return *row_.columns[at]; }
  [[nodiscard]] int64_t time_us() const { return column(places_.time).integer_at(0); }

 private:
  Result<size_t> column_of(const std::string& name) const {
    const auto& fields = stream_.schema->fields;
    auto found = stream_.schema->index_of(name);
    for (size_t at = 0; at < fields.size() && !found; ++at) {
      if (equal_ignoring_case(fields[at].name, name)) found = at;
    }
    if (!found) {
      return fail(ErrorCode::BadRequest, fmt::format("'{}' has no column '{}'", stream_.name, name));
    }
    if (std::ranges::binary_search(places_.of_the_time, *found)) {
      return fail(ErrorCode::BadRequest,
                  fmt::format("column '{}' cannot be corrected: the event time '{}' is computed from it", name,
                              fields[places_.time].name),
                  "A correction is of a device and a time");
    }
    if (*found == places_.device || *found == places_.time || *found == places_.quality || found == places_.author) {
      return fail(
          ErrorCode::BadRequest, fmt::format("column '{}' cannot be corrected", name),
          "A correction is of a device and a time; its quality is 'substituted' and its author is who sends it");
    }
    return *found;
  }

  // The command line has texts only: "21.5" for a DOUBLE is the number.
  static json::value as_written(const json::value& value, const columnar::Type& type) {
    const bool plain = columnar::is_numeric(type) || type == TypeKind::kBoolean;
    if (!value.is_string() || !plain || type == TypeKind::kDecimal) return value;
    boost::system::error_code error;
    json::value parsed = json::parse(value.get_string(), error);
    const bool finite = !parsed.is_double() || std::isfinite(parsed.get_double());
    return error || !finite || !(parsed.is_number() || parsed.is_bool()) ? value : parsed;
  }

  Result<> decode(const columnar::SchemaPtr& schema, const std::string& record, int64_t now_us) {
    codec::SourceFormat format;
    format.times.resize(schema->fields.size());
    // Shared with the decoder only.
    auto rules = std::make_shared<codec::ValueRules>(*places_.rules);
    rules->quality.reset();
    rules->author.reset();
    format.values = std::move(rules);
    const auto decoder = codec::make_decoder(format, {schema, places_.device, &devices_, places_.time});
    codec::RowRules row_rules;
    row_rules.latest_time_us = now_us + stream_.max_skew_us;
    columnar::BatchBuilder rows(schema, places_.device, &devices_);
    FirstMisfit misfits;
    decoder->decode({record, false, {}}, row_rules, rows, misfits);
    if (misfits.error) return fail(std::move(*misfits.error));
    row_ = rows.finish();
    if (row_.rows != 1 || !column(places_.time).valid(0)) {
      return fail(ErrorCode::BadRequest, "the member 'time' must say when, such as '2026-03-01T12:00:00Z'");
    }
    return {};
  }

  const StreamDefinition& stream_;
  const Places& places_;
  columnar::StringPool devices_{2};  // of this one row
  std::vector<bool> given_;
  columnar::Batch row_;
};

// The newest record of the device and time, if there is one.
Result<std::optional<columnar::Batch>> find_record(log::Log& log, const StreamDefinition& stream, const Places& places,
                                                   std::string_view device, int64_t time_us) {
  // Nothing is taken that is further ahead of the clock.
  TRY_ASSIGN(Offset next, log.offset_at(stream.id, IngestTime{time_us - stream.max_skew_us}));
  const Offset end = log.end(stream.id);
  std::optional<columnar::Batch> found;
  if (static_cast<uint64_t>(std::max<int64_t>(end.value - next.value, 0)) > kMaxSearchedRows) {
    return fail(ErrorCode::QueryTooLong,
                fmt::format("more than {} million records came since then", kMaxSearchedRows / 1'000'000),
                "Such an old record cannot be looked for");
  }
  while (next < end) {
    const auto batches = log.read(stream.id, next, kRowsPerRead);
    if (!batches && batches.error().code == ErrorCode::LogCorrupted) {
      next = log.next_readable(stream.id, next);
      continue;
    }
    if (!batches) return fail(batches.error());
    if (batches->empty()) break;
    for (const log::LogBatchPtr& batch : *batches) {
      const columnar::Column& times = *batch->batch.columns[places.time];
      const columnar::Column& devices = *batch->batch.columns[places.device];
      const auto values = times.values<int64_t>();
      for (size_t row = 0; row < batch->batch.rows; ++row) {
        if (values[row] != time_us || !times.valid(row) || !devices.valid(row)) continue;
        if (devices.string_at(row) == device) found = columnar::slice(batch->batch, row, 1);
      }
      next = batch->end();
    }
  }
  return found;
}

std::optional<std::string> value_text(const columnar::Column& column) {
  if (!column.valid(0)) return std::nullopt;
  if (column.type == TypeKind::kString) return std::string(column.string_at(0));
  std::string text;
  codec::append_json_value(column, 0, text);
  const bool quoted = text.size() >= 2 && text.front() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

void append_text(columnar::ColumnBuilder& column, const std::optional<std::string>& text) {
  if (text) {
    column.append_string(*text);
  } else {
    column.append_null();
  }
}

Result<columnar::Batch> substituted(const StreamDefinition& stream, const Places& places, const Reading& reading,
                                    const std::optional<columnar::Batch>& original, std::string_view author) {
  columnar::BatchBuilder row(stream.schema);
  for (size_t at = 0; at < stream.schema->fields.size(); ++at) {
    columnar::ColumnBuilder& column = row.column(at);
    const columnar::Field& field = stream.schema->fields[at];
    if (at == places.quality) {
      column.append_string(codec::quality_name(codec::Quality::kSubstituted));
    } else if (at == places.author) {
      column.append_string(author);
    } else if (reading.gives(at) || at == places.device || at == places.time) {
      column.append_from(reading.column(at), 0);
    } else if (original && at < original->columns.size()) {
      column.append_from(*original->columns[at], 0);
    } else {
      column.append_null();
    }
    if (!field.nullable && !column.so_far().valid(0)) {
      return fail(
          ErrorCode::RecordDoesNotFit, fmt::format("column '{}' must not be NULL", field.name),
          original ? "" : "There is no record of that device and time to take it from: give it a value as well");
    }
  }
  row.end_row();
  return row.finish();
}

// As corrections_definition() has the columns.
void append_note(columnar::BatchBuilder& notes, const StreamDefinition& stream, const WantedCorrection& wanted,
                 int64_t record_time_us, const ChangedValue& changed, std::string_view author, int64_t now_us) {
  size_t at = 0;
  notes.column(at++).append_string(wanted.device);
  notes.column(at++).append<int64_t>(now_us - now_us % kMicrosPerMilli);
  notes.column(at++).append_string(stream.name);
  notes.column(at++).append<int64_t>(record_time_us);
  notes.column(at++).append_string(changed.column);
  append_text(notes.column(at++), changed.before);
  append_text(notes.column(at++), changed.after);
  notes.column(at++).append_string(author);
  notes.column(at++).append_string(wanted.reason);
  notes.end_row();
}

}  // namespace

Result<WantedCorrection> parse_correction(std::string_view body) {
  TRY_ASSIGN(json::object members, parse_object(body));
  WantedCorrection wanted;
  for (const auto& [name, target] : {std::pair{"device", &wanted.device}, std::pair{"reason", &wanted.reason}}) {
    TRY_ASSIGN(const auto text, take_text(members, name));
    if (!text || text->empty()) return fail(ErrorCode::BadRequest, fmt::format("the member '{}' is missing", name));
    *target = *text;
  }
  if (wanted.reason.size() > kMaxReasonBytes) {
    return fail(ErrorCode::BadRequest, fmt::format("the member 'reason' has at most {} bytes", kMaxReasonBytes));
  }
  const auto* time = members.if_contains("time");
  if (time == nullptr || time->is_null()) return fail(ErrorCode::BadRequest, "the member 'time' is missing");
  wanted.time = *time;
  members.erase("time");
  const auto* values = members.if_contains("values");
  if (values == nullptr || !values->is_object() || values->get_object().empty()) {
    return fail(ErrorCode::BadRequest, "the member 'values' must be an object: {\"temp\": 21.5}");
  }
  wanted.values = values->get_object();
  members.erase("values");
  TRY(check_all_taken(members));
  return wanted;
}

Result<Correction> make_correction(CorrectionParts parts, const StreamDefinition& stream,
                                   const StreamDefinition& corrections, const WantedCorrection& wanted,
                                   const security::Principal& author, int64_t now_us) {
  TRY_ASSIGN(const Places places, places_in(stream));
  Reading reading(stream, places);
  TRY(reading.take(wanted, now_us));
  TRY_ASSIGN(auto original, find_record(parts.log, stream, places, wanted.device, reading.time_us()));
  if (original) {
    TRY_ASSIGN(auto checked, parts.gate.check(author, stream.id, std::move(*original)));
    original = std::move(checked).value();
  }
  Correction made;
  made.found = original.has_value();
  TRY_ASSIGN(made.record, substituted(stream, places, reading, original, author.name));
  columnar::BatchBuilder notes(corrections.schema);
  for (size_t at = 0; at < stream.schema->fields.size(); ++at) {
    if (!reading.gives(at)) continue;
    ChangedValue changed{stream.schema->fields[at].name, std::nullopt, value_text(reading.column(at))};
    if (original && at < original->columns.size()) changed.before = value_text(*original->columns[at]);
    append_note(notes, stream, wanted, reading.time_us(), changed, author.name, now_us);
    made.changed.push_back(std::move(changed));
  }
  made.notes = notes.finish();
  return made;
}

}  // namespace tidegate::api
