#include "ingest/internal/dead_letters.h"

#include <fmt/format.h>

#include "base/check.h"
#include "codec/utf8.h"

namespace tidegate::ingest {

namespace {

// Columns of catalog::dead_letter_schema().
constexpr size_t kTime = 0;
constexpr size_t kDevice = 1;
constexpr size_t kTopic = 2;
constexpr size_t kCode = 3;
constexpr size_t kReason = 4;
constexpr size_t kPayload = 5;

}  // namespace

DeadLetters::DeadLetters(std::shared_ptr<const catalog::StreamDefinition> stream, columnar::StringPool& devices)
    : stream_(std::move(stream)), devices_(devices), rows_(stream_->schema, stream_->device_column, &devices) {
  CHECK(stream_->schema->fields.size() == kPayload + 1);
}

void DeadLetters::add(int64_t now_us, std::optional<StringCode> device, std::string_view topic, ErrorCode code,
                      std::string_view reason, std::string_view payload) {
  if (waiting_bytes_ >= kMaxWaitingBytes) {
    ++not_kept_;
    return;
  }
  append(now_us, device, topic, code, reason, payload);
}

void DeadLetters::append(int64_t now_us, std::optional<StringCode> device, std::string_view topic, ErrorCode code,
                         std::string_view reason, std::string_view payload) {
  constexpr size_t kRowOverhead = 64;  // of the fixed-width columns and ends of strings
  const std::string kept = codec::valid_utf8(payload, kMaxPayloadBytes);
  rows_.column(kTime).append<int64_t>(now_us);
  columnar::ColumnBuilder& devices = rows_.column(kDevice);
  if (!device) device = stream_->schema->fields[kDevice].nullable ? std::nullopt : devices_.intern("");
  if (!device) {
    devices.append_null();
  } else if (devices.is_dictionary()) {
    devices.append<uint32_t>(device->value);
  } else {
    devices.append_string(devices_.view(*device));
  }
  rows_.column(kTopic).append_string(codec::valid_utf8(topic, kMaxPayloadBytes));
  rows_.column(kCode).append<int32_t>(static_cast<int32_t>(code));
  rows_.column(kReason).append_string(codec::valid_utf8(reason, kMaxPayloadBytes));
  rows_.column(kPayload).append_string(kept);
  rows_.end_row();
  waiting_bytes_ += kept.size() + reason.size() + topic.size() + kRowOverhead;
}

columnar::Batch DeadLetters::take(int64_t now_us) {
  if (not_kept_ > 0) {
    append(now_us, std::nullopt, {}, ErrorCode::LimitReached,
           fmt::format("{} more records did not fit and were not kept: more than {} MB of dead letters were waiting",
                       not_kept_, kMaxWaitingBytes >> 20),
           {});
  }
  waiting_bytes_ = 0;
  not_kept_ = 0;
  return rows_.finish();
}

}  // namespace tidegate::ingest
