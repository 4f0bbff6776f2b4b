// SampleFields: what was seen of every field of sample messages, whatever their format.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/internal/scalar.h"

namespace tidegate::codec {

struct SeenField {
  std::string name;     // as the message has it
  std::string path;     // JSON path; empty in flat formats
  bool by_name = true;  // a column of the same name is filled without an option
  size_t present = 0;   // records that have it, NULLs not counted
  size_t nulls = 0;
  size_t booleans = 0;
  size_t integers = 0;
  size_t reals = 0;
  size_t texts = 0;
  size_t bytes = 0;
  size_t others = 0;  // arrays
  int64_t min = 0;    // of the integers
  int64_t max = 0;
  // The first values that are not NULL, with the record each stands in; texts live in the table.
  struct Kept {
    size_t record = 0;
    Scalar value;
  };
  std::vector<Kept> kept;

  [[nodiscard]] bool only(size_t count) const { return present > 0 && count == present; }
};

// One thread.
class SampleFields {
 public:
  static constexpr size_t kMaxFields = 500;     // more names than people have columns
  static constexpr size_t kMaxKept = 500;       // values of a field: enough to tell a time from a number
  static constexpr size_t kMaxNameBytes = 200;  // of a field: a statement holds some hundred of them
  static constexpr size_t kMaxKeptBytes = 200;  // of a text: longer ones are no name and no time

  SampleFields() = default;
  // Its fields hold views of its texts, which a move keeps where they are and a copy would not.
  SampleFields(const SampleFields&) = delete;
  SampleFields& operator=(const SampleFields&) = delete;
  SampleFields(SampleFields&&) noexcept = default;
  SampleFields& operator=(SampleFields&&) noexcept = default;
  ~SampleFields() = default;

  // Values that follow are of a new record of this sample.
  void begin_record(size_t sample) { record_samples_.push_back(sample); }
  // `path` tells fields apart; in flat formats the name does. Fields whose names cannot be written are left out.
  void add(std::string_view path, std::string_view name, const Scalar& value, bool by_name = true);

  // A field that was counted elsewhere, over other records: `always` says that each of them had it.
  void adopt(const SeenField& seen, bool always);

  [[nodiscard]] const std::deque<SeenField>& fields() const { return fields_; }
  [[nodiscard]] const SeenField* find(std::string_view name) const;
  [[nodiscard]] size_t records() const { return record_samples_.size(); }
  [[nodiscard]] size_t sample_of(size_t record) const { return record_samples_[record]; }
  // Values of fields beyond kMaxFields.
  [[nodiscard]] size_t left_out() const { return left_out_; }
  // Values of fields whose names are too long or cannot be written.
  [[nodiscard]] size_t unnameable() const { return unnameable_; }

 private:
  std::deque<SeenField> fields_;
  std::map<std::string, size_t, std::less<>> by_key_;
  std::deque<std::string> texts_;
  std::vector<size_t> record_samples_;
  size_t left_out_ = 0;
  size_t unnameable_ = 0;
};

// Text that can stand in a statement and on a terminal: UTF-8 without control characters.
[[nodiscard]] bool can_be_written(std::string_view text);

// What a text of a format without types (CSV) says: a number, true or false, nothing, or a text.
[[nodiscard]] Scalar typed_word(std::string_view word);

}  // namespace tidegate::codec
