// RecordFile: a data file in memory, every record as its time and the JSON of its values, ready to be sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sim/profile.h"

namespace tidegate::sim {

// Immutable after loading.
class RecordFile {
 public:
  static constexpr size_t kMaxFileBytes = 512U << 20;  // it is held in memory

  // ConfigInvalid (file, columns), RecordMalformed with the line when no record can be read.
  [[nodiscard]] static Result<RecordFile> load(const Profile& profile);
  // The same from text; `csv` or NDJSON.
  [[nodiscard]] static Result<RecordFile> parse(const Profile& profile, std::string_view text, bool csv);

  [[nodiscard]] size_t size() const { return records_.size(); }
  // In order of time; microseconds after the first record.
  [[nodiscard]] int64_t time_us(size_t record) const { return records_[record].time_us - records_.front().time_us; }
  // `"power":4.2,"voltage":234.8`; may be empty.
  [[nodiscard]] std::string_view values(size_t record) const {
    return std::string_view(text_).substr(records_[record].begin, records_[record].end - records_[record].begin);
  }
  // From the first record to one typical interval after the last: the period with which the file repeats.
  [[nodiscard]] int64_t span_us() const { return span_us_; }
  // Lines that could not be used (no readable time, wrong number of fields).
  [[nodiscard]] size_t skipped() const { return skipped_; }
  // "line 12: 1 field where the header has 8" for the first of them; empty if there is none.
  [[nodiscard]] const std::string& first_skipped() const { return first_skipped_; }

 private:
  struct Record {
    int64_t time_us = 0;
    size_t begin = 0;
    size_t end = 0;
  };
  [[nodiscard]] Result<> read_csv(const Profile& profile, std::string_view text);
  [[nodiscard]] Result<> read_ndjson(const Profile& profile, std::string_view text);
  void skip(size_t line, std::string_view why);
  void finish();

  std::string text_;
  std::vector<Record> records_;
  int64_t span_us_ = 0;
  size_t skipped_ = 0;
  std::string first_skipped_;
};

}  // namespace tidegate::sim
