// What a lookup table holds at one time, and where the engine gets it.
#pragma once

#include <cstdint>
#include <memory>

#include "catalog/table_definition.h"
#include "columnar/batch.h"

namespace tidegate::lookup {

// Immutable.
struct TableVersion {
  uint64_t number = 0;    // counts up from 1 with every other content
  columnar::Batch rows;   // of the table's schema, in the order of their keys, those of one key by the version column
  int64_t loaded_us = 0;  // by the clock
};
// Shared by the table and by whoever still works with an older version.
using TableVersionPtr = std::shared_ptr<const TableVersion>;

class TableReader {
 public:
  virtual ~TableReader() = default;
  // The newest version, which is durable: it is the same after a crash until another one takes its place. Null if the
  // table is not known or has never held anything. Any thread; does not wait for the disk.
  [[nodiscard]] virtual TableVersionPtr current(catalog::TableId table) const = 0;
};

}  // namespace tidegate::lookup
