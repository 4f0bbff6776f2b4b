// CsvDecoder: comma-separated values (RFC 4180, and other delimiters) into rows.
#pragma once

#include <string>
#include <vector>

#include "codec/csv_reader.h"
#include "codec/internal/decode_run.h"
#include "codec/internal/field_names.h"
#include "codec/internal/scalar_writer.h"
#include "codec/source_format.h"

namespace tidegate::codec {

class CsvDecoder final : public RecordDecoder {
 public:
  CsvDecoder(const SourceFormat& format, DecoderTarget target);

  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  // A field that no column has.
  static constexpr size_t kNoColumn = SIZE_MAX;

  size_t read_records(std::string_view text);
  void read_record(const std::vector<std::string_view>& fields, std::string_view record);
  void read_header(const std::vector<std::string_view>& names);
  [[nodiscard]] Scalar value_of(size_t column, std::string_view field) const;

  const CsvFormat format_;
  DecoderTarget target_;
  FieldNames names_;
  ScalarWriter writer_;
  DecodeRun run_;
  std::vector<size_t> columns_;  // of each field; kNoColumn: left out
  std::string layout_;           // the names of the fields, for messages
  bool header_due_ = false;
};

}  // namespace tidegate::codec
