// DocumentMapper: a message with nested values into rows, as the stream's paths say.
#pragma once

#include <string>
#include <vector>

#include "codec/internal/column_names.h"
#include "codec/internal/decode_run.h"
#include "codec/internal/document.h"
#include "codec/internal/scalar_writer.h"
#include "codec/source_format.h"

namespace tidegate::codec {

class DocumentMapper {
 public:
  // All live as long.
  DocumentMapper(const SourceFormat& format, const DecoderTarget& target, DecodeRun& run);

  // Before the first message of a payload: what was reported of the last one may go.
  void start() { shown_.clear(); }
  // Rows and misfits of the message, into the run under way. `raw` is reported for the message as a whole; where it is
  // empty (binary formats), and for one record of several, the values as JSON are reported.
  void map(const Document& document, std::string_view raw);

 private:
  struct Record {
    Document::Node node;
    Scalar key;  // its name, or its number
  };

  void map_record(const Document& document, const Record& record, std::string_view raw);
  std::optional<Error> write_mapped(const Document& document, const Record& record, RowTarget& row);
  std::optional<Error> write_members(const Document& document, Document::Node record, RowTarget& row);
  std::string_view shown(const Document& document, Document::Node node);

  DecodeRun& run_;
  const std::optional<RecordPath>& records_path_;
  const std::vector<FieldPath>& fields_;
  ColumnNames names_;
  ScalarWriter writer_;
  std::vector<bool> mapped_;                    // columns that a path fills, and no name
  bool record_is_mapped_ = false;               // a path reads the record, which need not be an object then
  std::vector<Document::Node> of_the_message_;  // what each path from $ found, once for all records
  std::vector<Document::Node> records_;
  std::deque<std::string> shown_;  // lives until the next payload, as what is reported must
};

}  // namespace tidegate::codec
