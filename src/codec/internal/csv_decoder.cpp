#include "codec/internal/csv_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "codec/internal/number_text.h"

namespace tidegate::codec {

CsvDecoder::CsvDecoder(const SourceFormat& format, DecoderTarget target)
    : format_(format.csv),
      target_(std::move(target)),
      names_(format, target_),
      writer_(*target_.schema, format.times),
      run_(target_) {
  CHECK(!target_.device_column || target_.devices != nullptr);
  if (format_.header) return;
  for (const auto& column : format_.columns) {
    columns_.push_back(column.value_or(kNoColumn));
    if (!layout_.empty()) layout_ += ", ";
    layout_ += column ? target_.schema->fields[*column].name : "-";
  }
}

Decoded CsvDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                           MisfitHandler& misfits) {
  run_.start(rules, rows, misfits);
  header_due_ = format_.header;
  std::string_view rest = payload.bytes;
  const size_t done = read_records(rest);
  // A quote that is not closed has swallowed lines. From there on every line is a record of its own: a lost quote must
  // not cost its neighbours, and looking for its end again and again would cost the square of the payload's size.
  for (rest.remove_prefix(done); !rest.empty();) {
    const size_t line = std::min(rest.find('\n'), rest.size() - 1) + 1;
    read_records(rest.substr(0, line));
    rest.remove_prefix(line);
  }
  const Decoded& decoded = run_.decoded;
  if (decoded.good + decoded.misfits == 0 && (header_due_ || !format_.header)) {
    run_.report(Error{ErrorCode::RecordMalformed, "the payload is empty", {}, {}}, payload.bytes);
  }
  return decoded;
}

// How far it got: to the end, or behind the first line of a record over several lines that is not one.
size_t CsvDecoder::read_records(std::string_view text) {
  CsvReader reader(format_.delimiter);
  reader.feed(text, true);
  while (true) {
    const auto record = reader.next();
    if (record && !record->has_value()) return text.size();
    // The reader has a copy; what is reported must live as long as the payload.
    const std::string_view raw = text.substr(reader.record_offset(), reader.record().size());
    if (!record) {
      const size_t line = raw.find('\n');
      if (line == std::string_view::npos) {
        run_.report(record.error(), raw);
        continue;
      }
      run_.report(record.error(), raw.substr(0, line));
      return reader.record_offset() + line + 1;
    }
    if (std::exchange(header_due_, false)) {
      read_header(**record);
    } else if (run_.check_size(raw)) {
      read_record(**record, raw);
    }
  }
}

void CsvDecoder::read_header(const std::vector<std::string_view>& names) {
  columns_.clear();
  layout_.clear();
  for (const std::string_view name : names) {
    columns_.push_back(names_.find(trimmed(name)).value_or(kNoColumn));
    if (!layout_.empty()) layout_ += ", ";
    layout_ += trimmed(name);
  }
}

Scalar CsvDecoder::value_of(size_t column, std::string_view field) const {
  const columnar::Field& into = target_.schema->fields[column];
  const bool text = into.type == columnar::TypeKind::kString;
  if (!format_.null_text.empty() && field == format_.null_text) return {};
  if (text) return field.empty() && into.nullable ? Scalar{} : Scalar::word(field);
  return trimmed(field).empty() ? Scalar{} : Scalar::word(field);
}

void CsvDecoder::read_record(const std::vector<std::string_view>& fields, std::string_view record) {
  if (fields.size() != columns_.size()) {
    run_.report(Error{ErrorCode::RecordDoesNotFit,
                      fmt::format("{} fields expected ({}), but {} came", columns_.size(), layout_, fields.size()),
                      {},
                      {}},
                record);
    return;
  }
  RowTarget& row = run_.begin_row();
  std::optional<Error> error;
  for (size_t at = 0; at < fields.size() && !error; ++at) {
    if (columns_[at] == kNoColumn) {
      if (format_.header) ++run_.decoded.unknown_keys;
      continue;
    }
    error = writer_.write(columns_[at], value_of(columns_[at], fields[at]), row);
  }
  run_.end_row(std::move(error), record);
}

}  // namespace tidegate::codec
