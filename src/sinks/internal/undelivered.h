// Undelivered: records that a receiver refuses for good, as rows of the sink's dead letters.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "catalog/definitions.h"
#include "codec/json_encoder.h"
#include "columnar/batch.h"
#include "columnar/string_pool.h"
#include "sinks/internal/outlet.h"

namespace tidegate::sinks {

class Undelivered {
 public:
  // `stream` has catalog::dead_letter_schema().
  Undelivered(std::shared_ptr<const catalog::StreamDefinition> stream, const columnar::StringPool& devices)
      : stream_(std::move(stream)), devices_(devices) {}

  // One row a record of the delivery: when, its device, the target, why, and the record as JSON with its "_id".
  [[nodiscard]] columnar::Batch rows(const catalog::StreamDefinition& from, const Delivery& delivery,
                                     std::string_view target, const Error& error, int64_t now_us) const;

 private:
  std::shared_ptr<const catalog::StreamDefinition> stream_;  // shared with the catalog
  const columnar::StringPool& devices_;
};

// {"_id":"alerts:17","device":...}: the row with an id that is the same whenever it goes out.
void append_identified_row(const codec::JsonEncoder& encoder, std::string_view stream, Offset offset,
                           const columnar::Batch& batch, size_t row, std::string& out);

}  // namespace tidegate::sinks
