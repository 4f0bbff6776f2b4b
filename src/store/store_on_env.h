// Opens the store on another environment than the machine's own: a simulated disk and clock.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace rocksdb {
class Env;
}

namespace tidegate::store {

struct StoreTuning {
  // Of each family; small ones are flushed and compacted after little has happened. 0: as the product has them.
  size_t memtable_bytes = 0;
};

// As Store::open, but without a lock on the folder: a simulation has it for itself. `env` must outlive the store.
[[nodiscard]] Result<std::unique_ptr<Store>> open_store_on(rocksdb::Env& env, const std::string& folder,
                                                           const StoreTuning& tuning);

}  // namespace tidegate::store
