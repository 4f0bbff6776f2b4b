// ColumnNames: the column a JSON name means: the same name, else the same without regard to (ASCII) case.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "columnar/batch.h"

namespace tidegate::codec {

class ColumnNames {
 public:
  // No name means the column `except`.
  explicit ColumnNames(const columnar::Schema& schema, std::optional<size_t> except = std::nullopt);
  [[nodiscard]] std::optional<size_t> find(std::string_view name) const;

 private:
  const columnar::Schema& schema_;
  std::optional<size_t> except_;
  std::unordered_map<std::string, size_t> lower_;  // the first of several that differ in case only
  size_t longest_ = 0;
};

}  // namespace tidegate::codec
