// A site's definitions as files: what applying them would change, and doing it. The files say what there is to be, in
// any order; what is there with the same text stays as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace tidegate::api {

struct SiteFile {
  std::string name;  // as errors name it
  std::string sql;   // CREATE TABLE, CREATE VIEW, INSERT INTO and SET 'pipeline.name'
};

// Where a pipeline starts anew whose changed query cannot go on from its state.
enum class RestartFrom : uint8_t {
  kRefused,   // nowhere: such a change is an error
  kEarliest,  // the oldest record that is kept
  kTime,      // the first record that arrived at SiteOptions::restart_time or later
  kLatest,    // the next record that arrives
  kCurrent,   // the next record that it has not read; its windows start empty
};

struct SiteOptions {
  bool prune = false;    // deletes what no file mentions
  bool dry_run = false;  // only says what would be done
  RestartFrom restart_from = RestartFrom::kRefused;
  IngestTime restart_time{};  // kTime
};

struct SiteChange {
  std::string action;  // "create", "change", "delete", "unchanged"
  std::string kind;    // "stream", "view", "pipeline"
  std::string name;
  std::string note;  // of a change: what it adds, or what becomes of the state; may be empty
};

// What was done, or would be, up to the first error.
struct SiteOutcome {
  std::vector<SiteChange> changes;
  std::optional<Error> error;  // its position counts in `error_file`
  std::string error_file;
};

// Without comments, and with one blank for each run of blanks outside of quotes: texts that differ in nothing else mean
// the same.
[[nodiscard]] std::string normal_sql(std::string_view sql);

}  // namespace tidegate::api
