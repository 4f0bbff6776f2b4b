// The lookup tables over files, registry and store.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/guarded.h"
#include "lookup/internal/version_store.h"
#include "lookup/tables.h"

namespace tidegate::lookup {

// Look-ups take a lock that is held for moments; loading comes one at a time, under a lock of its own that is held over
// reading and writing.
class KeptTables final : public Tables {
 public:
  KeptTables(TablesParts parts, const crypto::Key& key, bool manual);
  ~KeptTables() override;
  KeptTables(const KeptTables&) = delete;
  KeptTables& operator=(const KeptTables&) = delete;

  [[nodiscard]] TableVersionPtr current(catalog::TableId table) const override;
  [[nodiscard]] Result<> check(const catalog::TableDefinition& table) const override;
  [[nodiscard]] Result<> add(catalog::TablePtr table) override;
  [[nodiscard]] Result<> restore(catalog::TablePtr table) override;
  [[nodiscard]] Result<> drop(catalog::TableId table) override;
  [[nodiscard]] Result<TableVersionPtr> reload(catalog::TableId table) override;
  void look() override;
  [[nodiscard]] std::vector<TableStatus> status() const override;

 private:
  struct Entry {
    catalog::TablePtr table;
    TableVersionPtr current;
    std::string fingerprint;  // of `current`
    uint64_t last_number = 0;
    // What was stored cannot be read, so nobody knows which number comes next.
    std::optional<Error> broken;
    std::string error;
    int64_t error_us = 0;
    // Guarded by loading_, as is all that only loading looks at.
    std::optional<io::FileStamp> done;  // the file that was read last, taken or refused
    std::optional<io::FileStamp> seen;  // the file at the last look, if it is not done with
    uint64_t registry_version = 0;
    int64_t next_look_us = 0;  // by the monotonic clock
  };

  void run();
  [[nodiscard]] std::optional<Entry> find(catalog::TableId table) const;
  // These with loading_ held.
  void look_at(const Entry& entry);
  void look_at_file(Entry entry);
  [[nodiscard]] Result<std::filesystem::path> path_of(const catalog::TableDefinition& table) const;
  // The file as it is now, unless it changed while it was read; `stamp` gets what it looked like.
  [[nodiscard]] Result<columnar::Batch> read_file(const catalog::TableDefinition& table, io::FileStamp& stamp) const;
  [[nodiscard]] Result<> load(Entry& entry);
  [[nodiscard]] Result<> take(Entry& entry, columnar::Batch rows);
  void keep(const Entry& entry, const Result<>& outcome);
  void put_back(const Entry& entry);

  const TablesParts parts_;
  VersionStore kept_;
  mutable std::mutex loading_;
  Guarded<std::map<catalog::TableId, Entry>> entries_;
  std::mutex wake_mutex_;  // with a condition variable
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tidegate::lookup
