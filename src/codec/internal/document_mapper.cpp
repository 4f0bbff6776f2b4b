#include "codec/internal/document_mapper.h"

#include <fmt/format.h>

namespace tidegate::codec {

DocumentMapper::DocumentMapper(const SourceFormat& format, const DecoderTarget& target, DecodeRun& run)
    : run_(run),
      records_path_(format.records),
      fields_(format.fields),
      names_(*target.schema, target.unnamed()),
      writer_(*target.schema, format.times),
      mapped_(target.schema->fields.size()),
      of_the_message_(format.fields.size()) {
  for (const FieldPath& field : fields_) {
    mapped_[field.column] = true;
    record_is_mapped_ = record_is_mapped_ || field.path.from_record() || !records_path_;
  }
}

std::string_view DocumentMapper::shown(const Document& document, Document::Node node) {
  std::string text;
  document.append_json(node, text);
  return shown_.emplace_back(std::move(text));
}

void DocumentMapper::map(const Document& document, std::string_view raw) {
  for (size_t at = 0; at < fields_.size(); ++at) {
    if (!fields_[at].path.from_record()) of_the_message_[at] = fields_[at].path.find(document, Document::root());
  }
  if (!records_path_) return map_record(document, {Document::root(), Scalar{}}, raw);
  records_.clear();
  if (!records_path_->find_all(document, Document::root(), records_)) {
    return run_.report(Error{ErrorCode::RecordDoesNotFit,
                             fmt::format("records are expected at {}, but nothing is there", records_path_->text()),
                             {},
                             {}},
                       raw.empty() ? shown(document, Document::root()) : raw);
  }
  int64_t number = 0;
  for (const Document::Node record : records_) {
    const std::string_view key = document.key(record);
    map_record(document, {record, key.empty() ? Scalar::of(number) : Scalar::of(key)}, {});
    ++number;
  }
}

void DocumentMapper::map_record(const Document& document, const Record& record, std::string_view raw) {
  RowTarget& row = run_.begin_row();
  std::optional<Error> error = write_mapped(document, record, row);
  if (!error) error = write_members(document, record.node, row);
  error = run_.close_row(std::move(error));
  if (error) run_.report_row(std::move(*error), raw.empty() ? shown(document, record.node) : raw);
}

std::optional<Error> DocumentMapper::write_mapped(const Document& document, const Record& record, RowTarget& row) {
  for (size_t at = 0; at < fields_.size(); ++at) {
    const FieldPath& field = fields_[at];
    if (field.path.is_key()) {
      if (auto error = writer_.write(field.column, record.key, row)) return error;
      continue;
    }
    const Document::Node node = field.path.from_record() ? field.path.find(document, record.node) : of_the_message_[at];
    if (node == Document::kNone) continue;
    if (auto error = writer_.write(field.column, document, node, row)) return error;
  }
  return std::nullopt;
}

std::optional<Error> DocumentMapper::write_members(const Document& document, Document::Node record, RowTarget& row) {
  if (document.shape(record) != Document::Shape::kObject) {
    if (record_is_mapped_) return std::nullopt;
    return Error{ErrorCode::RecordMalformed,
                 fmt::format("a record must be an object, but {} came", describe(document.value(record))),
                 {},
                 {}};
  }
  for (Document::Node at = document.first(record); at != Document::kNone; at = document.next(at)) {
    const auto column = names_.find(document.key(at));
    if (!column || mapped_[*column]) {
      ++run_.decoded.unknown_keys;
      continue;
    }
    if (auto error = writer_.write(*column, document, at, row)) return error;
  }
  return std::nullopt;
}

}  // namespace tidegate::codec
