// RowTarget: the row under construction, shared by all decoders.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base64.h"
#include "codec/record_decoder.h"
#include "columnar/decimal.h"

namespace tidegate::codec {

// Appends one value per column and remembers which columns have one.
class RowTarget {
 public:
  explicit RowTarget(const DecoderTarget& target) : target_(target), seen_(target.schema->fields.size()) {}

  void begin(columnar::BatchBuilder& rows, const RowRules& rules);
  // Marks the column; false if it has a value already.
  bool claim(size_t column) {
    if (seen_[column] == row_number_) return false;
    seen_[column] = row_number_;
    return true;
  }
  void append_bool(size_t column, bool value) { rows_->column(column).append<uint8_t>(value ? 1 : 0); }
  void append_int(size_t column, int32_t value) { rows_->column(column).append(value); }
  void append_bigint(size_t column, int64_t value) { rows_->column(column).append(value); }
  void append_float(size_t column, float value) { rows_->column(column).append(value); }
  void append_double(size_t column, double value) { rows_->column(column).append(value); }
  void append_decimal(size_t column, columnar::Decimal value) { rows_->column(column).append(value.unscaled); }
  void append_bytes(size_t column, std::string_view bytes) { rows_->column(column).append_string(bytes); }
  // The bytes of a BYTES column in Base64; false if it is none.
  bool append_base64(size_t column, std::string_view text) {
    decoded_.clear();
    if (!decode_any_base64(text, decoded_)) return false;
    append_bytes(column, decoded_);
    return true;
  }
  void append_time(size_t column, int64_t time_us) {
    rows_->column(column).append(time_us);
    if (column == target_.time_column) event_time_us_ = time_us;
  }
  // False when the device column's pool is full.
  bool append_text(size_t column, std::string_view text) {
    if (column != target_.device_column) {
      if (has_topic_) [[unlikely]]
        compare_with_topic(column, text);
      rows_->column(column).append_string(text);
      return true;
    }
    return append_device(text);
  }
  // For a null in the record. False when the column must have a value; a null device counts as missing.
  bool append_null(size_t column);
  // Fills what the record left out, checks the rules, ends the row. The misfit's code and reason otherwise.
  std::optional<Error> finish();
  [[nodiscard]] std::optional<StringCode> device() const { return device_; }
  [[nodiscard]] columnar::BatchBuilder& rows() { return *rows_; }

 private:
  bool append_device(std::string_view text);
  [[nodiscard]] const TopicValue* topic_value(size_t column) const;
  void compare_with_topic(size_t column, std::string_view text);
  [[nodiscard]] std::optional<Error> check_device(std::optional<StringCode> from_record) const;
  std::optional<Error> fill_missing();
  std::optional<Error> compute_time();
  [[nodiscard]] std::optional<Error> check_rules() const;
  [[nodiscard]] bool is_quality(size_t column) const { return target_.values && target_.values->quality == column; }
  void sign(size_t author_column);
  [[nodiscard]] std::optional<Error> check_values();

  const DecoderTarget& target_;
  std::vector<uint64_t> seen_;  // the number of the last row in which the column got a value
  uint64_t row_number_ = 0;
  columnar::BatchBuilder* rows_ = nullptr;
  const RowRules* rules_ = nullptr;
  bool has_topic_ = false;
  std::string decoded_;        // of append_base64()
  std::string contradiction_;  // what the record says against its topic
  std::optional<StringCode> device_;
  int64_t event_time_us_ = std::numeric_limits<int64_t>::min();
  // Devices tend to come in runs (a gateway, a backlog): the last one is tried before the pool.
  std::string_view last_device_;
  StringCode last_code_;
};

}  // namespace tidegate::codec
