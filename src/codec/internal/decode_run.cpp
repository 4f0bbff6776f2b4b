#include "codec/internal/decode_run.h"

#include <fmt/format.h>

namespace tidegate::codec {

std::optional<Error> DecodeRun::close_row(std::optional<Error> error) {
  if (!error) error = row_.finish();
  if (!error) {
    ++decoded.good;
    return std::nullopt;
  }
  rows_->cancel_row();
  return error;
}

bool DecodeRun::end_row(std::optional<Error> error, std::string_view record) {
  error = close_row(std::move(error));
  if (!error) return true;
  report_row(std::move(*error), record);
  return false;
}

void DecodeRun::report(Error error, std::string_view record, std::optional<StringCode> device) {
  Misfit misfit{error.code, std::move(error.message), decoded.good + decoded.misfits, record, device};
  ++decoded.misfits;
  misfits_->on_misfit(std::move(misfit));
}

bool DecodeRun::check_size(std::string_view record) {
  if (record.size() <= target_.max_record_bytes) return true;
  report(Error{ErrorCode::RecordTooLarge,
               fmt::format("a record of {} bytes, the limit is {}", record.size(), target_.max_record_bytes),
               {},
               {}},
         record);
  return false;
}

}  // namespace tidegate::codec
