// ObjectReader: any JSON object into a row, with simdjson (On Demand).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "codec/internal/row_target.h"

namespace tidegate::codec {

class ObjectReader {
 public:
  explicit ObjectReader(const DecoderTarget& target);
  ~ObjectReader();

  // `record` is one object with kPayloadPadding readable bytes behind it. Appends its values to `row`, which was begun;
  // the caller ends or cancels the row.
  std::optional<Error> read(std::string_view record, RowTarget& row);
  // Names without a column, since the start.
  [[nodiscard]] uint64_t unknown_keys() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::codec
