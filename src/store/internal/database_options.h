// How RocksDB is set up.
#pragma once

#include <rocksdb/db.h>

#include <vector>

#include "store/store_on_env.h"

namespace tidegate::store {

[[nodiscard]] rocksdb::DBOptions database_options(rocksdb::Env& env);
// "default", then one per Family.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const StoreTuning& tuning);

}  // namespace tidegate::store
