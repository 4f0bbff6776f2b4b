// MappedJsonDecoder: JSON whose values stand elsewhere than in members named as the columns, or whose times are written
// in another way.
#pragma once

#include "codec/internal/decode_run.h"
#include "codec/internal/document_mapper.h"
#include "codec/internal/json_document.h"
#include "codec/internal/json_payload.h"

namespace tidegate::codec {

class MappedJsonDecoder final : public RecordDecoder {
 public:
  // `format` lives as long.
  MappedJsonDecoder(const SourceFormat& format, DecoderTarget target);
  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  friend class JsonPayload<MappedJsonDecoder>;
  static size_t read_quick(std::string_view /*rest*/) { return 0; }
  void read_record(std::string_view record);

  DecoderTarget target_;
  DecodeRun run_;
  Document document_;
  JsonDocument reader_;
  DocumentMapper mapper_;
  JsonPayload<MappedJsonDecoder> payload_;
  std::string wrapped_;
};

}  // namespace tidegate::codec
