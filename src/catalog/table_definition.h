// A lookup table as CREATE TABLE declares it: rows by key that queries look up. It is no stream: nothing is sent to it,
// and what it holds is lookup/'s.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "columnar/batch.h"

namespace tidegate::catalog {

// A lookup table in the catalog; never reused.
using TableId = Named<struct TableIdTag, uint32_t>;

// Where the rows come from. The numbers are written to disk: never change or reuse them.
enum class TableSource : uint8_t {
  kFile = 0,     // 'connector' = 'filesystem': a CSV file that is read again when it changes
  kDevices = 1,  // the device registry; there is one, and the server makes it
};

struct TableDefinition {
  TableId id;
  std::string name;
  columnar::SchemaPtr schema;
  TableSource source = TableSource::kFile;
  std::vector<size_t> key;               // columns of the PRIMARY KEY, NOT NULL, as declared
  std::optional<size_t> version_column;  // of WATERMARK FOR: a row holds from this time until the next one of its key
  std::map<std::string, std::string> options;  // WITH (...) as written
  std::string sql;                             // the statement as written
};
// Shared, because running pipelines keep a definition that is dropped meanwhile.
using TablePtr = std::shared_ptr<const TableDefinition>;

}  // namespace tidegate::catalog
