// JsonPayload: cuts a payload of JSON into its records: one value, an array of them, or values one after the other
// (NDJSON; any white space between them), with or without a byte order mark.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "codec/internal/decode_run.h"
#include "codec/internal/record_scanner.h"

namespace tidegate::codec {

// Reader has
//   size_t read_quick(std::string_view rest)       makes a row of the record that `rest` starts with; 0: cannot
//   void read_record(std::string_view record)      makes rows or misfits of it; not larger than the limit
// A template, so that a call per record is none. One thread.
template <class Reader>
class JsonPayload {
 public:
  // Both live as long.
  JsonPayload(DecodeRun& run, Reader& reader) : run_(run), reader_(reader) {}

  // `run` was started. The records have kPayloadPadding readable bytes behind them.
  void read(const Payload& payload) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    rest_ = payload.padded ? payload.bytes : copy_padded(payload.bytes);
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
    lines_only_ = false;
    skip_space();
    if (rest_.empty()) report("the payload is empty", payload.bytes);
    while (!rest_.empty()) {
      rest_.front() == '[' ? read_array() : read_record(false);
      skip_space();
    }
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

  // Takes one record off rest_.
  void read_record(bool in_array) {
    if (const size_t size = reader_.read_quick(rest_); size > 0) {
      rest_.remove_prefix(size);
      return;
    }
    const std::string_view record = cut_record(in_array);
    rest_.remove_prefix(record.size());
    if (run_.check_size(record)) reader_.read_record(record);
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
        report("a comma or ']' must follow a record in an array", rest_);
        rest_ = {};
        return;
      }
      rest_.remove_prefix(1);
      skip_space();
    }
    // What the last record reported is enough if it swallowed the end of the payload itself.
    if (last_fitted) report("the array is not closed: the payload was cut off", all);
  }

  void report(std::string reason, std::string_view record) {
    run_.report(Error{ErrorCode::RecordMalformed, std::move(reason), {}, {}}, record);
  }

  DecodeRun& run_;
  Reader& reader_;
  std::string copy_;
  std::string_view rest_;
  bool lines_only_ = false;
};

}  // namespace tidegate::codec
