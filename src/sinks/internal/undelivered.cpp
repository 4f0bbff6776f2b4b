#include "sinks/internal/undelivered.h"

#include <fmt/format.h>

#include "codec/utf8.h"

namespace tidegate::sinks {

namespace {

// Columns of catalog::dead_letter_schema().
constexpr size_t kTime = 0;
constexpr size_t kDevice = 1;
constexpr size_t kTopic = 2;
constexpr size_t kCode = 3;
constexpr size_t kReason = 4;
constexpr size_t kPayload = 5;
constexpr size_t kMaxReasonBytes = 1024;  // a receiver's error page says enough in less

void append_device(columnar::ColumnBuilder& out, const catalog::StreamDefinition& from, const columnar::Batch& batch,
                   size_t row, const columnar::StringPool& devices) {
  if (from.device_column && batch.columns[*from.device_column]->valid(row)) {
    const std::string_view device = batch.columns[*from.device_column]->string_at(row);
    if (!out.is_dictionary()) return out.append_string(device);
    if (const auto code = devices.find(device)) return out.append<uint32_t>(code->value);
  }
  out.append_null();
}

}  // namespace

void append_identified_row(const codec::JsonEncoder& encoder, std::string_view stream, Offset offset,
                           const columnar::Batch& batch, size_t row, std::string& out) {
  std::string id = "\"_id\":";
  codec::append_json_string(fmt::format("{}:{}", stream, offset.value), id);
  encoder.append_row(batch, row, id, out);
}

columnar::Batch Undelivered::rows(const catalog::StreamDefinition& from, const Delivery& delivery,
                                  std::string_view target, const Error& error, int64_t now_us) const {
  columnar::BatchBuilder out(stream_->schema, stream_->device_column, &devices_);
  const codec::JsonEncoder encoder(from.schema);
  const std::string reason = codec::valid_utf8(error.to_string(), kMaxReasonBytes);
  for (const Piece& piece : delivery.pieces) {
    const columnar::Batch& batch = piece.batch.value();
    for (size_t row = 0; row < batch.rows; ++row) {
      std::string payload;
      append_identified_row(encoder, from.name, Offset{piece.first.value + static_cast<int64_t>(row)}, batch, row,
                            payload);
      out.column(kTime).append<int64_t>(now_us);
      append_device(out.column(kDevice), from, batch, row, devices_);
      out.column(kTopic).append_string(target);
      out.column(kCode).append<int32_t>(static_cast<int32_t>(error.code));
      out.column(kReason).append_string(reason);
      out.column(kPayload).append_string(payload);
      out.end_row();
    }
  }
  return out.finish();
}

}  // namespace tidegate::sinks
