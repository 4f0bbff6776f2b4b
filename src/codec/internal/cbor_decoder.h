// CborDecoder: CBOR maps into rows, as JSON objects are.
#pragma once

#include <deque>
#include <string>

#include "codec/internal/cbor_reader.h"
#include "codec/internal/decode_run.h"
#include "codec/internal/document_mapper.h"

namespace tidegate::codec {

class CborDecoder final : public RecordDecoder {
 public:
  // `format` lives as long.
  CborDecoder(const SourceFormat& format, DecoderTarget target);
  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  bool read_item(CborReader& reader, std::string_view bytes);
  bool read_array(CborReader& reader, std::string_view bytes, uint64_t count);
  void report_malformed(std::string reason, std::string_view rest);

  DecoderTarget target_;
  DecodeRun run_;
  Document document_;
  DocumentMapper mapper_;
  std::deque<std::string> shown_;  // what was reported, until the next payload
};

}  // namespace tidegate::codec
