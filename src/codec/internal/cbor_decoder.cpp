#include "codec/internal/cbor_decoder.h"

#include "base/check.h"

namespace tidegate::codec {

CborDecoder::CborDecoder(const SourceFormat& format, DecoderTarget target)
    : target_(std::move(target)), run_(target_), mapper_(format, target_, run_) {
  CHECK(!target_.device_column || target_.devices != nullptr);
}

Decoded CborDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                            MisfitHandler& misfits) {
  run_.start(rules, rows, misfits);
  mapper_.start();
  shown_.clear();
  CborReader reader(payload.bytes);
  if (reader.done()) report_malformed("the payload is empty", {});
  bool readable = true;
  while (readable && !reader.done()) {
    const auto array = reader.enter_array();
    if (!array) {
      report_malformed(array.error(), payload.bytes.substr(reader.position()));
      break;
    }
    readable = array->has_value() ? read_array(reader, payload.bytes, **array) : read_item(reader, payload.bytes);
  }
  return run_.decoded;
}

void CborDecoder::report_malformed(std::string reason, std::string_view rest) {
  run_.report(Error{ErrorCode::RecordMalformed, std::move(reason), {}, {}}, shown_.emplace_back(hex_text(rest)));
}

// Each element is a message of its own, so that what is wrong in one does not cost those before it.
bool CborDecoder::read_array(CborReader& reader, std::string_view bytes, uint64_t count) {
  const bool indefinite = count == CborReader::kIndefinite;
  for (; indefinite || count > 0; --count) {
    if (indefinite && reader.take_break()) return true;
    if (!read_item(reader, bytes)) return false;
  }
  return true;
}

bool CborDecoder::read_item(CborReader& reader, std::string_view bytes) {
  document_.clear();
  const size_t begin = reader.position();
  if (const auto outcome = reader.read(document_); !outcome) {
    // Where the next item begins is not known.
    report_malformed(outcome.error(), bytes.substr(begin));
    return false;
  }
  const std::string_view item = bytes.substr(begin, reader.position() - begin);
  if (item.size() <= target_.max_record_bytes) {
    mapper_.map(document_, {});
  } else {
    run_.check_size(item);
  }
  return true;
}

}  // namespace tidegate::codec
