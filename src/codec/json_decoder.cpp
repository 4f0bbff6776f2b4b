#include "codec/json_decoder.h"

#include "base/check.h"
#include "codec/internal/decode_run.h"
#include "codec/internal/json_payload.h"
#include "codec/internal/object_reader.h"
#include "codec/internal/record_layout.h"

namespace tidegate::codec {

namespace {

// A layout is learnt anew at most once in so many records that did not follow it: learning costs about as much as
// reading a record, and a mix of devices would otherwise replace it all the time.
constexpr uint32_t kMissesBeforeLearning = 16;

}  // namespace

class JsonDecoder::Impl {
 public:
  explicit Impl(DecoderTarget target)
      : target_(std::move(target)), run_(target_), reader_(target_), layout_(target_), payload_(run_, *this) {
    CHECK(!target_.device_column || target_.devices != nullptr);
  }

  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows, MisfitHandler& misfits) {
    run_.start(rules, rows, misfits);
    const uint64_t unknown_before = reader_.unknown_keys();
    payload_.read(payload);
    run_.decoded.unknown_keys += reader_.unknown_keys() - unknown_before;
    return run_.decoded;
  }

  // For JsonPayload.
  size_t read_quick(std::string_view rest) {
    if (!layout_.usable()) return 0;
    const size_t size = layout_.read(rest, run_.begin_row());
    if (size == 0) {
      run_.cancel_row();
      return 0;
    }
    run_.decoded.unknown_keys += layout_.unknown_members();
    run_.end_row(std::nullopt, rest.substr(0, size));
    return size;
  }

  void read_record(std::string_view record) {
    if (record.front() != '{') {
      return run_.report(Error{ErrorCode::RecordMalformed, "a record must be a JSON object, starting with '{'", {}, {}},
                         record);
    }
    if (run_.end_row(reader_.read(record, run_.begin_row()), record) && misses_++ % kMissesBeforeLearning == 0) {
      layout_.learn(record);
    }
  }

 private:
  DecoderTarget target_;
  DecodeRun run_;
  ObjectReader reader_;
  RecordLayout layout_;
  JsonPayload<Impl> payload_;
  uint32_t misses_ = 0;
};

JsonDecoder::JsonDecoder(DecoderTarget target) : impl_(std::make_unique<Impl>(std::move(target))) {}
JsonDecoder::~JsonDecoder() = default;
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder& JsonDecoder::operator=(JsonDecoder&&) noexcept = default;

Decoded JsonDecoder::decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows,
                            MisfitHandler& misfits) {
  return impl_->decode(payload, rules, rows, misfits);
}

}  // namespace tidegate::codec
