#include "codec/json_decoder.h"

#include <cstring>

#include "base/check.h"
#include "codec/internal/decode_run.h"
#include "codec/internal/object_reader.h"
#include "codec/internal/record_layout.h"
#include "codec/internal/record_scanner.h"

namespace tidegate::codec {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// A layout is learnt anew at most once in so many records that did not follow it: learning costs about as much as
// reading a record, and a mix of devices would otherwise replace it all the time.
constexpr uint32_t kMissesBeforeLearning = 16;

}  // namespace

class JsonDecoder::Impl {
 public:
  explicit Impl(DecoderTarget target)
      : target_(std::move(target)), run_(target_), reader_(*target_.schema), layout_(*target_.schema) {
    CHECK(!target_.device_column || target_.devices != nullptr);
  }

  Decoded decode(const Payload& payload, const RowRules& rules, columnar::BatchBuilder& rows, MisfitHandler& misfits) {
    run_.start(rules, rows, misfits);
    const uint64_t unknown_before = reader_.unknown_keys();
    rest_ = payload.padded ? payload.bytes : copy_padded(payload.bytes);
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
    lines_only_ = false;
    skip_space();
    if (rest_.empty()) run_.report(Error{ErrorCode::RecordMalformed, "the payload is empty", {}, {}}, payload.bytes);
    while (!rest_.empty()) {
      rest_.front() == '[' ? read_array() : read_record(false);
      skip_space();
    }
    run_.decoded.unknown_keys += reader_.unknown_keys() - unknown_before;
    return run_.decoded;
  }

 private:
  std::string_view copy_padded(std::string_view payload) {
    const size_t wanted = payload.size() + kPayloadPadding;
    if (copy_.size() < wanted) copy_.resize(wanted);
    if (!payload.empty()) std::memcpy(copy_.data(), payload.data(), payload.size());
    return {copy_.data(), payload.size()};
  }

  void skip_space() {
    while (!rest_.empty() && is_json_space(rest_.front())) rest_.remove_prefix(1);
  }

  // Takes one record off rest_ and makes it a row or a misfit.
  void read_record(bool in_array) {
    if (layout_.usable()) {
      if (const size_t size = layout_.read(rest_, run_.begin_row()); size > 0) {
        run_.decoded.unknown_keys += layout_.unknown_members();
        run_.end_row(std::nullopt, rest_.substr(0, size));
        rest_.remove_prefix(size);
        return;
      }
      run_.cancel_row();
    }
    const std::string_view record = cut_record(in_array);
    rest_.remove_prefix(record.size());
    if (!run_.check_size(record)) return;
    if (record.front() != '{') {
      return run_.report(Error{ErrorCode::RecordMalformed, "a record must be a JSON object, starting with '{'", {}, {}},
                         record);
    }
    if (run_.end_row(reader_.read(record, run_.begin_row()), record) && misses_++ % kMissesBeforeLearning == 0)
      layout_.learn(record);
  }

  // The text of the record rest_ starts with; at least one byte.
  std::string_view cut_record(bool in_array) {
    const size_t line = std::min(rest_.find('\n'), rest_.size());
    const bool bracketed = rest_.front() == '{' || (in_array && rest_.front() == '[');
    if (bracketed) {
      const size_t size = closed_value_size(lines_only_ ? rest_.substr(0, line) : rest_);
      if (size > 0) return rest_.substr(0, size);
      // Each further search to the end of the payload would make broken payloads cost the square of their size.
      lines_only_ = true;
    } else if (in_array) {
      return rest_.substr(0, std::max<size_t>(1, std::min(rest_.find_first_of(",]"), rest_.size())));
    }
    return in_array ? rest_ : rest_.substr(0, line);
  }

  void read_array() {
    const std::string_view all = rest_;
    bool last_fitted = true;
    rest_.remove_prefix(1);
    skip_space();
    if (!rest_.empty() && rest_.front() == ']') return rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const uint32_t misfits_before = run_.decoded.misfits;
      read_record(true);
      last_fitted = run_.decoded.misfits == misfits_before;
      skip_space();
      if (rest_.empty()) break;
      const char separator = rest_.front();
      if (separator == ']') return rest_.remove_prefix(1);
      if (separator != ',') {
        run_.report(Error{ErrorCode::RecordMalformed, "a comma or ']' must follow a record in an array", {}, {}},
                    rest_);
        rest_ = {};
        return;
      }
      rest_.remove_prefix(1);
      skip_space();
    }
    // What the last record reported is enough if it swallowed the end of the payload itself.
    if (last_fitted) {
      run_.report(Error{ErrorCode::RecordMalformed, "the array is not closed: the payload was cut off", {}, {}}, all);
    }
  }

  DecoderTarget target_;
  DecodeRun run_;
  ObjectReader reader_;
  RecordLayout layout_;
  uint32_t misses_ = 0;
  std::string copy_;

  // Of the decode() under way.
  std::string_view rest_;
  bool lines_only_ = false;
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
