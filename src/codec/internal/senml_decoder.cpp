#include "codec/internal/senml_decoder.h"

#include "base/check.h"
#include "codec/internal/cbor_reader.h"

namespace tidegate::codec {

SenmlDecoder::SenmlDecoder(const SourceFormat& format, DecoderTarget target)
    : target_(std::move(target)),
      cbor_(format.wire == WireFormat::kSenmlCbor),
      rows_(format.metrics_as_rows),
      run_(target_),
      writer_(format, target_, run_),
      pack_(format.precision),
      payload_(run_, *this) {
  CHECK(!target_.device_column || target_.devices != nullptr);
}

Decoded SenmlDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                             MisfitHandler& misfits) {
  run_.start(rules, rows, misfits);
  pack_.start(rules.arrival_us);
  if (cbor_) {
    shown_ = hex_text(payload.bytes);
    read_cbor(payload.bytes);
  } else {
    payload_.read(payload);
  }
  write_records(cbor_ ? std::string_view(shown_) : payload.bytes);
  return run_.decoded;
}

void SenmlDecoder::read_record(std::string_view record) {
  document_.clear();
  if (record.front() != '{') {
    return run_.report(Error{ErrorCode::RecordMalformed, "a SenML record is an object, starting with '{'", {}, {}},
                       record);
  }
  if (auto error = reader_.read(record, document_)) return run_.report(std::move(*error), record);
  add(record);
}

void SenmlDecoder::add(std::string_view raw) {
  errors_.clear();
  pack_.add(document_, Document::root(), errors_);
  for (Error& error : errors_) run_.report(std::move(error), raw);
}

void SenmlDecoder::read_cbor(std::string_view bytes) {
  CborReader reader(bytes);
  const auto count = reader.enter_array();
  if (!count || !count->has_value()) {
    const std::string reason = count ? "a SenML pack is an array" : count.error();
    return run_.report(Error{ErrorCode::RecordMalformed, reason, {}, {}}, shown_);
  }
  const bool indefinite = **count == CborReader::kIndefinite;
  for (uint64_t left = **count; indefinite || left > 0; --left) {
    if (indefinite && reader.take_break()) break;
    document_.clear();
    if (const auto outcome = reader.read(document_); !outcome) {
      return run_.report(Error{ErrorCode::RecordMalformed, outcome.error(), {}, {}}, shown_);
    }
    add(shown_);
  }
  if (!reader.done()) run_.report(Error{ErrorCode::RecordMalformed, "bytes behind the SenML pack", {}, {}}, shown_);
}

// The first measurement's name begins the next row, even where no time tells them apart.
bool SenmlDecoder::goes_with(const SenmlPack::Record& record, const SenmlPack::Record& first) {
  return record.time_us == first.time_us && record.device == first.device && record.metric.name != first.metric.name;
}

void SenmlDecoder::write_records(std::string_view raw) {
  const std::vector<SenmlPack::Record>& records = pack_.records();
  for (size_t at = 0; at < records.size();) {
    const SenmlPack::Record& first = records[at];
    together_.clear();
    // In columns, what one device measured at one time is a row.
    do {
      together_.push_back(records[at++].metric);
    } while (!rows_ && at < records.size() && goes_with(records[at], first));
    attributes_.clear();
    attributes_.push_back({"time", Scalar::instant(first.time_us), true});
    if (!first.device.empty()) attributes_.push_back({"device", Scalar::of(first.device), true});
    if (rows_) attributes_.push_back({"name", Scalar::of(first.name), true});
    writer_.write(attributes_, together_, raw);
  }
}

}  // namespace tidegate::codec
