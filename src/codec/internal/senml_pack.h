// SenmlPack: the records of one SenML pack (RFC 8428), each resolved: with the base values before it worked in.
#pragma once

#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/internal/document.h"
#include "codec/internal/metric_writer.h"
#include "codec/source_format.h"

namespace tidegate::codec {

class SenmlPack {
 public:
  struct Record {
    std::string_view device;  // the base name without its last separator; empty: none
    std::string_view name;    // all of it
    int64_t time_us = 0;
    Metric metric;  // its name is the part behind the base name
  };

  explicit SenmlPack(TimePrecision precision) : precision_(precision) {}

  // A new pack that came at this time. What records() said is gone.
  void start(int64_t arrival_us);
  // Resolves a record, or the records of an object with "e" in it, as drafts before the RFC had them. RecordMalformed
  // for each that is not one goes to `errors`.
  void add(const Document& document, Document::Node node, std::vector<Error>& errors);
  // Texts live until the next start().
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }

 private:
  std::optional<Error> add_record(const Document& document, Document::Node node);
  std::optional<Error> read_base(const Document& document, Document::Node node);
  std::optional<Error> read_number(const Document& document, Document::Node node, std::string_view label, double& into);
  std::optional<Error> read_value(const Document& document, Document::Node node, Record& record, bool& found);
  [[nodiscard]] std::optional<int64_t> resolve_time(double time) const;
  [[nodiscard]] std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

  const TimePrecision precision_;
  int64_t arrival_us_ = 0;
  std::string_view base_name_;
  std::string_view base_unit_;
  double base_time_ = 0;
  double base_value_ = 0;
  double base_sum_ = 0;
  std::vector<Record> records_;
  std::deque<std::string> texts_;
};

}  // namespace tidegate::codec
