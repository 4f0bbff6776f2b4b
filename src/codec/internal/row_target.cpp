#include "codec/internal/row_target.h"

#include <fmt/format.h>

#include "codec/timestamp_text.h"

namespace tidegate::codec {

using columnar::TypeKind;

void RowTarget::begin(columnar::BatchBuilder& rows, const RowRules& rules) {
  ++row_number_;
  rows_ = &rows;
  rules_ = &rules;
  device_.reset();
  event_time_us_ = std::numeric_limits<int64_t>::min();
}

bool RowTarget::append_device(std::string_view text) {
  if (text.empty()) {
    seen_[*target_.device_column] = 0;
    return true;
  }
  if (text != last_device_) {
    const auto code = target_.devices->intern(text);
    if (!code) return false;
    last_code_ = *code;
    last_device_ = target_.devices->view(*code);
  }
  device_ = last_code_;
  rows_->column(*target_.device_column).append<uint32_t>(last_code_.value);
  return true;
}

bool RowTarget::append_null(size_t column) {
  if (column == target_.device_column) {
    seen_[column] = 0;
    return true;
  }
  if (!target_.schema->fields[column].nullable) return false;
  rows_->column(column).append_null();
  return true;
}

std::optional<Error> RowTarget::fill_missing() {
  for (size_t column = 0; column < seen_.size(); ++column) {
    if (seen_[column] == row_number_) continue;
    const columnar::Field& field = target_.schema->fields[column];
    if (column == target_.device_column) {
      if (!rules_->default_device) {
        return Error{ErrorCode::RecordWithoutDevice,
                     fmt::format("column '{}', which names the device, is missing or empty", field.name),
                     {},
                     {}};
      }
      device_ = rules_->default_device;
      rows_->column(column).append<uint32_t>(device_->value);
    } else if (field.nullable) {
      rows_->column(column).append_null();
    } else {
      return Error{ErrorCode::RecordDoesNotFit,
                   fmt::format("column '{}' ({}) must not be NULL, but the record has no such member", field.name,
                               columnar::type_name(field.type)),
                   {},
                   {}};
    }
  }
  return std::nullopt;
}

std::optional<Error> RowTarget::check_rules() const {
  if (event_time_us_ > rules_->latest_time_us) {
    std::string came;
    std::string latest;
    append_timestamp(event_time_us_, TypeKind::kTimestampLtz, came);
    append_timestamp(rules_->latest_time_us, TypeKind::kTimestampLtz, latest);
    return Error{ErrorCode::RecordFromFuture,
                 fmt::format("column '{}' says {}, later than {} (the server's clock and the stream's max_skew)",
                             target_.schema->fields[*target_.time_column].name, came, latest),
                 {},
                 {}};
  }
  if (rules_->only_device && device_ && *device_ != *rules_->only_device) {
    return Error{ErrorCode::NotAuthorized,
                 fmt::format("the record says it is from device '{}', but '{}' sent it, which may send only its own",
                             target_.devices->view(*device_), target_.devices->view(*rules_->only_device)),
                 {},
                 {}};
  }
  return std::nullopt;
}

std::optional<Error> RowTarget::finish() {
  if (auto error = fill_missing()) return error;
  if (auto error = check_rules()) return error;
  rows_->end_row();
  return std::nullopt;
}

}  // namespace tidegate::codec
