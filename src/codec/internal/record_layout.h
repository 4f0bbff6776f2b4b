// RecordLayout: the fast way of reading a record. A device sends the same names in the same order with the same
// spacing again and again, so the bytes between the values are learnt from one record and only compared in the next
// ones. Whatever differs from the plain case (escapes, other bytes than ASCII, nested values, wrong types, another
// order) is left to ObjectReader, which decides what it means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/column_names.h"
#include "codec/internal/row_target.h"

namespace tidegate::codec {

class RecordLayout {
 public:
  explicit RecordLayout(const DecoderTarget& target)
      : schema_(*target.schema), names_(*target.schema, target.unnamed()) {}

  // `record` is an object that ObjectReader accepted. Leaves the layout unusable when the record is not plain.
  void learn(std::string_view record);
  [[nodiscard]] bool usable() const { return !steps_.empty(); }

  // Reads the record that `text` starts with into `row`, which was begun. The bytes read, or 0 when the record is not
  // of this layout; the caller then cancels the row. kPayloadPadding bytes behind `text` are readable.
  size_t read(std::string_view text, RowTarget& row) const;
  // Members of a record of this layout that no column has.
  [[nodiscard]] uint64_t unknown_members() const { return unknown_members_; }

 private:
  static constexpr uint32_t kNoColumn = UINT32_MAX;  // the value is checked and left out
  static constexpr size_t kMaxSteps = 64;            // wider records gain little and would make learning slow
  static constexpr size_t kMaxLayoutBytes = 4096;    // between the values: of no more is it likely that it repeats
  // The bytes before a value, and the column the value goes to.
  struct Step {
    uint32_t before;  // in text_
    uint32_t before_size;
    uint32_t column;
    columnar::TypeKind type;
  };

  const char* read_value(const Step& step, const char* at, const char* end, RowTarget& row) const;

  const char* read_numbers(const Step& step, const char* at, const char* end, RowTarget& row) const;
  const char* read_decimal(const Step& step, const char* at, const char* end, RowTarget& row) const;

  const columnar::Schema& schema_;
  ColumnNames names_;
  std::vector<Step> steps_;
  std::string text_;  // what stands between the values, one after the other; ends with what follows the last one
  uint32_t tail_ = 0;
  uint64_t unknown_members_ = 0;
};

}  // namespace tidegate::codec
