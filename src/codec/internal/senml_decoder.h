// SenmlDecoder: SenML packs (RFC 8428), as JSON or as CBOR, into rows.
#pragma once

#include <string>
#include <vector>

#include "codec/internal/decode_run.h"
#include "codec/internal/document.h"
#include "codec/internal/json_document.h"
#include "codec/internal/json_payload.h"
#include "codec/internal/metric_writer.h"
#include "codec/internal/senml_pack.h"

namespace tidegate::codec {

class SenmlDecoder final : public RecordDecoder {
 public:
  SenmlDecoder(const SourceFormat& format, DecoderTarget target);
  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                 MisfitHandler& misfits) override;

 private:
  friend class JsonPayload<SenmlDecoder>;
  static size_t read_quick(std::string_view /*rest*/) { return 0; }
  void read_record(std::string_view record);

  void read_cbor(std::string_view bytes);
  void add(std::string_view raw);
  static bool goes_with(const SenmlPack::Record& record, const SenmlPack::Record& first);
  void write_records(std::string_view raw);

  DecoderTarget target_;
  const bool cbor_;
  const bool rows_;
  DecodeRun run_;
  MetricWriter writer_;
  SenmlPack pack_;
  Document document_;
  JsonDocument reader_;
  JsonPayload<SenmlDecoder> payload_;
  std::vector<Error> errors_;
  std::vector<Attribute> attributes_;
  std::vector<Metric> together_;  // of one device and time
  std::string shown_;             // a CBOR payload for people, until the next one
};

}  // namespace tidegate::codec
