// FieldNames: the column that a named field of a flat format (tags, metrics) fills.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codec/internal/column_names.h"
#include "codec/source_format.h"

namespace tidegate::codec {

class FieldNames {
 public:
  // The schema of the target lives as long.
  FieldNames(const SourceFormat& format, const DecoderTarget& target);

  // The column that 'field.<column>' names it for, else the one of its name that no such option names.
  [[nodiscard]] std::optional<size_t> find(std::string_view name) const;
  // The same of what the format itself says about a record: "device" is the device column and "time" the event time,
  // unless an option says otherwise.
  [[nodiscard]] std::optional<size_t> find_own(std::string_view name) const;

 private:
  ColumnNames names_;
  std::unordered_map<std::string, size_t> told_;
  std::vector<bool> is_told_;  // by column
  std::optional<size_t> device_;
  std::optional<size_t> time_;
};

}  // namespace tidegate::codec
