// Which RocksDB column family a Family is.
#pragma once

#include <rocksdb/write_batch.h>

#include <array>
#include <memory>
#include <string>

#include "store/store.h"

namespace tidegate::store {

// In the order of creation, so that a family's RocksDB id is its number + 1 (0 is "default"); open() checks it.
inline constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"catalog", "log", "state", "broker"};

struct WriteBatch::Impl {
  rocksdb::WriteBatch native;
};

}  // namespace tidegate::store
