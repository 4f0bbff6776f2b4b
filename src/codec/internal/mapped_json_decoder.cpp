#include "codec/internal/mapped_json_decoder.h"

#include "base/check.h"

namespace tidegate::codec {

MappedJsonDecoder::MappedJsonDecoder(const SourceFormat& format, DecoderTarget target)
    : target_(std::move(target)), run_(target_), mapper_(format, target_, run_), payload_(run_, *this) {
  CHECK(!target_.device_column || target_.devices != nullptr);
}

Decoded MappedJsonDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                                  MisfitHandler& misfits) {
  run_.start(rules, rows, misfits);
  mapper_.start();
  payload_.read(payload);
  return run_.decoded;
}

void MappedJsonDecoder::read_record(std::string_view record) {
  document_.clear();
  std::optional<Error> error;
  if (record.front() == '{' || record.front() == '[') {
    error = reader_.read(record, document_);
  } else {
    // A bare value, which many simple devices send.
    wrapped_.assign("[").append(record).append("]");
    wrapped_.append(kPayloadPadding, ' ');
    error = reader_.read_bare(std::string_view(wrapped_).substr(0, record.size() + 2), document_);
  }
  if (error) return run_.report(std::move(*error), record);
  mapper_.map(document_, record);
}

}  // namespace tidegate::codec
