// Random lookup tables, and what a row finds in them, by going through all their rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "values.h"

namespace tidegate::queries {

inline constexpr size_t kKey = 0;     // STRING or BIGINT
inline constexpr size_t kPart = 1;    // BIGINT; of the key too if that has two columns
inline constexpr size_t kSince = 2;   // from when on a row holds, of a table with versions
inline constexpr size_t kNumber = 3;  // BIGINT
inline constexpr size_t kText = 4;    // STRING
inline constexpr size_t kReal = 5;    // DOUBLE

struct LookupTable {
  std::string name;
  std::vector<Column> columns;
  std::vector<size_t> key;
  bool versioned = false;
  std::vector<std::vector<Row>> editions;  // what its file holds, one after the other

  [[nodiscard]] std::string sql() const;  // CREATE TABLE
  [[nodiscard]] std::string csv(size_t edition) const;
  // The row that an edition has of a key, at a time if it has versions.
  [[nodiscard]] std::optional<Row> find(size_t edition, const std::vector<Value>& key, int64_t time) const;
  // All rows of an edition; of those with versions the ones that hold at a time.
  [[nodiscard]] std::vector<Row> at(size_t edition, int64_t time) const;
};

// Tables of a text, of a number with versions, and of both with versions, in so many editions.
[[nodiscard]] std::vector<LookupTable> make_tables(Random& random, size_t editions, int64_t first_ms, int64_t span_ms);

}  // namespace tidegate::queries
