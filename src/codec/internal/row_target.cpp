#include "codec/internal/row_target.h"

#include <fmt/format.h>

#include "codec/json_encoder.h"
#include "codec/timestamp_text.h"
#include "codec/utf8.h"
#include "codec/value_check.h"

namespace tidegate::codec {

using columnar::TypeKind;

namespace {

constexpr size_t kShownBytes = 60;  // of a text in a message: enough to recognise it

}  // namespace

void RowTarget::begin(columnar::BatchBuilder& rows, const RowRules& rules) {
  ++row_number_;
  rows_ = &rows;
  rules_ = &rules;
  has_topic_ = !rules.from_topic.empty();
  if (has_topic_) contradiction_.clear();
  device_.reset();
  event_time_us_ = std::numeric_limits<int64_t>::min();
}

const TopicValue* RowTarget::topic_value(size_t column) const {
  for (const TopicValue& value : rules_->from_topic) {
    if (value.column == column) return &value;
  }
  return nullptr;
}

void RowTarget::compare_with_topic(size_t column, std::string_view text) {
  const TopicValue* value = topic_value(column);
  if (value == nullptr || value->text == text) return;
  contradiction_ = fmt::format("column '{}': the topic says '{}', the record '{}'", target_.schema->fields[column].name,
                               valid_utf8(value->text, kShownBytes), valid_utf8(text, kShownBytes));
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
  if (column == target_.device_column || (has_topic_ && topic_value(column) != nullptr)) {
    seen_[column] = 0;
    return true;
  }
  if ((column == target_.time_column && rules_->default_time_us) || is_quality(column)) {
    seen_[column] = 0;
    return true;
  }
  if (!target_.schema->fields[column].nullable) return false;
  rows_->column(column).append_null();
  return true;
}

std::optional<Error> RowTarget::fill_missing() {
  for (size_t column = 0; column < seen_.size(); ++column) {
    if (seen_[column] == row_number_ || column == target_.unnamed()) continue;
    const columnar::Field& field = target_.schema->fields[column];
    const TopicValue* topic = has_topic_ ? topic_value(column) : nullptr;
    if (column == target_.device_column) {
      device_ = topic != nullptr ? topic->code : rules_->default_device;
      if (!device_) {
        return Error{ErrorCode::RecordWithoutDevice,
                     fmt::format("column '{}', which names the device, is missing or empty", field.name),
                     {},
                     {}};
      }
      rows_->column(column).append<uint32_t>(device_->value);
    } else if (topic != nullptr) {
      rows_->column(column).append_string(topic->text);
    } else if (column == target_.time_column && rules_->default_time_us) {
      append_time(column, *rules_->default_time_us);
    } else if (is_quality(column)) {
      rows_->column(column).append_string(quality_name(Quality::kGood));
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

std::optional<Error> RowTarget::compute_time() {
  const size_t column = *target_.time_column;
  auto time_us = target_.computed_time->time_of(*rows_);
  if (!time_us) return std::move(time_us.error());
  if (!*time_us) *time_us = rules_->default_time_us;
  if (*time_us) {
    append_time(column, **time_us);
  } else {
    rows_->column(column).append_null();
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
  return std::nullopt;
}

// Whatever the record says: only the server knows who sent it.
void RowTarget::sign(size_t author_column) {
  columnar::ColumnBuilder& author = rows_->column(author_column);
  author.truncate(rows_->rows());
  if (rules_->author.empty()) {
    author.append_null();
  } else {
    author.append_string(rules_->author);
  }
}

// The quality is one of four, and bad if a value is outside of its range. A stream without quality does not take such a
// value.
std::optional<Error> RowTarget::check_values() {
  const ValueRules& rules = *target_.values;
  const size_t row = rows_->rows();
  if (rules.author) sign(*rules.author);
  std::optional<Quality> quality;
  if (rules.quality) {
    const std::string_view said = rows_->column(*rules.quality).so_far().string_at(row);
    quality = find_quality(said);
    if (!quality) return no_quality(target_.schema->fields[*rules.quality], said);
  }
  for (const ColumnValues& values : rules.columns) {
    if (!values.range) continue;
    const columnar::Column& column = rows_->column(values.column).so_far();
    if (!column.valid(row) || values.range->contains(column, row)) continue;
    if (!rules.quality) return out_of_range(target_.schema->fields[values.column], values, column, row);
    if (quality == Quality::kBad) continue;
    quality = Quality::kBad;
    columnar::ColumnBuilder& builder = rows_->column(*rules.quality);
    builder.truncate(row);
    builder.append_string(quality_name(Quality::kBad));
  }
  return std::nullopt;
}

// A device speaks for itself only, by the record and by the topic; whoever sends it, the two must agree.
std::optional<Error> RowTarget::check_device(std::optional<StringCode> from_record) const {
  const TopicValue* topic = has_topic_ && target_.device_column ? topic_value(*target_.device_column) : nullptr;
  const std::optional<StringCode> from_topic = topic != nullptr ? topic->code : std::nullopt;
  for (const auto& [named, where] : {std::pair{from_record, "record"}, std::pair{from_topic, "topic"}}) {
    if (!named) continue;
    if (rules_->allowance != nullptr && !rules_->allowance->takes(*named)) {
      return Error{
          ErrorCode::NotAuthorized,
          fmt::format("the {} says it is from device '{}', but the gateway '{}', which sent it, may not send for it",
                      where, target_.devices->view(*named), rules_->allowance->sender()),
          {},
          {}};
    }
    if (!rules_->only_device || *named == *rules_->only_device) continue;
    return Error{ErrorCode::NotAuthorized,
                 fmt::format("the {} says it is from device '{}', but '{}' sent it, which may send only its own", where,
                             target_.devices->view(*named), target_.devices->view(*rules_->only_device)),
                 {},
                 {}};
  }
  if (from_record && from_topic && *from_record != *from_topic) {
    return Error{ErrorCode::RecordContradictsTopic,
                 fmt::format("column '{}': the topic says '{}', the record '{}'",
                             target_.schema->fields[*target_.device_column].name, target_.devices->view(*from_topic),
                             target_.devices->view(*from_record)),
                 {},
                 {}};
  }
  return std::nullopt;
}

std::optional<Error> RowTarget::finish() {
  const std::optional<StringCode> from_record = device_;
  if (auto error = fill_missing()) return error;
  if (target_.computed_time != nullptr) [[unlikely]] {
    if (auto error = compute_time()) return error;
  }
  if (auto error = check_rules()) return error;
  // Most rows come without a topic pattern from a sender that may name any device: nothing to compare then.
  if (has_topic_ || rules_->only_device || rules_->allowance != nullptr) {
    if (auto error = check_device(from_record)) return error;
  }
  if (has_topic_ && !contradiction_.empty())
    return Error{ErrorCode::RecordContradictsTopic, std::move(contradiction_), {}, {}};
  if (target_.values) [[unlikely]] {
    if (auto error = check_values()) return error;
  }
  rows_->end_row();
  return std::nullopt;
}

}  // namespace tidegate::codec
