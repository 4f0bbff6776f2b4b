// Opening RocksDB on what a crash, a power cut or a bad disk left behind, and saying what was lost.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "store/store_on_env.h"

namespace tidegate::store {

// Every write also sets this key of the family "default": 8 bytes, the sequence number up to which everything was
// synced before. A record of the write-ahead log that comes after damage proves by it that the damaged one was durable.
inline constexpr char kSyncedKey[] = "synced";

struct OpenedDatabase {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // "default", then one per Family
  bool lost = false;                                  // something acknowledged is not there any more
  uint64_t lost_changes = 0;                          // at least; 0 with `lost`: not known
  std::string reason;                                 // what RocksDB said about the damage; empty: nothing
};

// Opens `folder`/db, strictly first: a record that a crash tore at the very end is no damage. Then as far as everything
// is whole and, if that fails too, without what is broken. `durable` is DurableMark's sequence number. StoreDamaged
// when what is left cannot be opened at all, DiskFull, StoreFailed.
[[nodiscard]] Result<OpenedDatabase> open_database(rocksdb::Env& env, const std::string& folder, uint64_t durable,
                                                   const StoreTuning& tuning);

}  // namespace tidegate::store
