// The lookup tables of the site: loaded, kept durably, and renewed when their file or the device registry changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/key_ring.h"
#include "io/clock.h"
#include "io/path.h"
#include "io/random.h"
#include "lookup/table_version.h"
#include "registry/registry.h"
#include "store/store.h"

namespace tidegate::lookup {

inline constexpr int64_t kDefaultMonitorUs = 5 * kMicrosPerSecond;  // 'source.monitor-interval'
// A file that changed is read when it has looked the same for so long: who writes it may not be done.
inline constexpr int64_t kSettleUs = kMicrosPerSecond;
inline constexpr int64_t kLookMs = 1000;  // how often files and the registry are looked at, at most
// A registry of more devices is made a table less often: its rows are written as a whole by pipelines with state.
inline constexpr size_t kDevicesPerSecond = 20'000;

struct TableStatus {
  catalog::TableId id;
  std::string name;
  catalog::TableSource source = catalog::TableSource::kFile;
  std::string path;      // of the file as it is read; empty: none
  uint64_t version = 0;  // 0: it has never held anything
  size_t rows = 0;
  size_t memory_bytes = 0;
  int64_t loaded_us = 0;      // when this version was taken
  std::string last_error;     // why what is there now is not taken; empty: it is
  int64_t last_error_us = 0;  // when that was found
};

// All must outlive the tables.
struct TablesParts {
  store::Store& store;
  crypto::KeyRing& keys;
  io::Random& random;
  const io::Clock& clock;
  io::AllowedFolders folders;                    // where files may be
  const registry::Registry* registry = nullptr;  // null: no table of devices
};

// Any thread. A version is durable before anybody sees it.
class Tables : public TableReader {
 public:
  // `manual`: no thread, look() does a round.
  [[nodiscard]] static Result<std::unique_ptr<Tables>> open(TablesParts parts, bool manual);

  // That the file may be where it is said to be. SqlInvalidOption.
  [[nodiscard]] virtual Result<> check(const catalog::TableDefinition& table) const = 0;
  // A table that has just been made: reads it; TableRefused if it cannot be taken, and the table is not known then.
  [[nodiscard]] virtual Result<> add(catalog::TablePtr table) = 0;
  // A table that was there before: as it was stored, then as it is now, if that can be taken; else the status says why.
  // FormatUnknown, SealBroken or LogCorrupted if what was stored cannot be read: it holds nothing then, for good.
  [[nodiscard]] virtual Result<> restore(catalog::TablePtr table) = 0;
  // Forgets it and what is stored of it.
  [[nodiscard]] virtual Result<> drop(catalog::TableId table) = 0;
  // Reads it now, changed or not. TableRefused, NotFound; what was there stays then.
  [[nodiscard]] virtual Result<TableVersionPtr> reload(catalog::TableId table) = 0;
  // A round of looking for changes.
  virtual void look() = 0;
  [[nodiscard]] virtual std::vector<TableStatus> status() const = 0;
};

// The registry as a table: id STRING (key), type, place, site, area, asset STRING, labels STRING (a JSON object),
// expected_interval_s DOUBLE, description STRING, created, changed TIMESTAMP_LTZ(3).
inline constexpr std::string_view kDevicesTable = "devices";
[[nodiscard]] catalog::TableDefinition devices_definition();

}  // namespace tidegate::lookup
