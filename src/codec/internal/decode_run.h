// DecodeRun: the decode() under way: rows begun, ended or taken back, and the misfits counted and reported.
#pragma once

#include <optional>
#include <string_view>

#include "codec/internal/row_target.h"

namespace tidegate::codec {

class DecodeRun {
 public:
  // `target` lives as long.
  explicit DecodeRun(const DecoderTarget& target) : target_(target), row_(target) {}

  // All must live until the payload is decoded.
  void start(const RowRules& rules, columnar::BatchBuilder& rows, MisfitHandler& misfits) {
    rules_ = &rules;
    rows_ = &rows;
    misfits_ = &misfits;
    decoded = {};
  }
  RowTarget& begin_row() {
    row_.begin(*rows_, *rules_);
    return row_;
  }
  void cancel_row() { rows_->cancel_row(); }
  // Ends the row that was begun; takes it back and reports `record` if there is an error or the row breaks a rule.
  bool end_row(std::optional<Error> error, std::string_view record);
  // The same in two steps, where the text to report has to be made first: the error, if the row was taken back.
  std::optional<Error> close_row(std::optional<Error> error);
  void report_row(Error error, std::string_view record) { report(std::move(error), record, row_.device()); }
  void report(Error error, std::string_view record, std::optional<StringCode> device = std::nullopt);
  // False, and reported, when the record is larger than the limit.
  bool check_size(std::string_view record);
  [[nodiscard]] const RowRules& rules() const { return *rules_; }

  Decoded decoded;

 private:
  const DecoderTarget& target_;
  RowTarget row_;
  const RowRules* rules_ = nullptr;
  columnar::BatchBuilder* rows_ = nullptr;
  MisfitHandler* misfits_ = nullptr;
};

}  // namespace tidegate::codec
