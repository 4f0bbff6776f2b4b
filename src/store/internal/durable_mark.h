// How far the store is known to be durable, noted in a file beside it: a store that comes back shorter has lost
// something that was acknowledged. On disk: docs/formats/store.md.
#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"

namespace tidegate::store {

// Any thread. The mark is overwritten in place after each synced write and not synced itself: it survives a killed
// process as it is, and after a power cut it may be some seconds old, never ahead.
class DurableMark {
 public:
  // Makes the file where it is missing. A damaged one counts as missing: nothing is known then (sequence 0).
  [[nodiscard]] static Result<std::unique_ptr<DurableMark>> open(rocksdb::Env& env, const std::string& path);

  // Everything up to this sequence number of RocksDB's was synced.
  [[nodiscard]] uint64_t sequence() const;
  // Never goes back.
  void advance(uint64_t sequence);
  // Sets it, back if need be, and syncs it: after a loss was reported.
  [[nodiscard]] Result<> reset(uint64_t sequence);

 private:
  explicit DurableMark(std::unique_ptr<rocksdb::RandomRWFile> file) : file_(std::move(file)) {}
  [[nodiscard]] rocksdb::Status write_slot();
  void read_slots();

  const std::unique_ptr<rocksdb::RandomRWFile> file_;
  mutable std::mutex mutex_;
  uint64_t sequence_ = 0;
  uint64_t generation_ = 0;  // of the newest slot; the next write goes to the other
  bool complained_ = false;
};

}  // namespace tidegate::store
