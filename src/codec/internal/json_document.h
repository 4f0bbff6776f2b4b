// JsonDocument: JSON text as a Document, with simdjson (On Demand).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "codec/internal/document.h"

namespace tidegate::codec {

class JsonDocument {
 public:
  JsonDocument();
  ~JsonDocument();

  // `text` is one object or array with kPayloadPadding readable bytes behind it. Fills `document`, which is empty; its
  // texts live until the next read(). RecordMalformed; RecordTooLarge when it has too many values.
  std::optional<Error> read(std::string_view text, Document& document);
  // The same of the one value that the array `text` has.
  std::optional<Error> read_bare(std::string_view text, Document& document);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::codec
