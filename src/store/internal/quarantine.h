// Keeps the write-ahead log as it was found, should opening the store show that it is damaged.
#pragma once

#include <rocksdb/env.h>

#include <string>

#include "base/error.h"

namespace tidegate::store {

// RocksDB deletes its write-ahead logs once it has read what it could. Before it is let at them they get a second
// name each (a hard link: no copy, no space) in `folder`/pending, which is dropped or kept afterwards.
class Quarantine {
 public:
  Quarantine(rocksdb::Env& env, std::string database, std::string folder)
      : env_(env), database_(std::move(database)), folder_(std::move(folder)) {}

  // What an interrupted start left there stays: its logs may be gone by now. A file system without hard links is
  // said in the log and is no error.
  void prepare();
  // Durable under a number of its own, with `reason` in a text file; returns the folder.
  [[nodiscard]] Result<std::string> keep(const std::string& reason);
  void drop();
  // How many were kept and still lie there.
  [[nodiscard]] size_t kept() const;

 private:
  // A folder holds up to the 64 MB of a write-ahead log; more damage than this needs a new disk, not more copies.
  static constexpr size_t kMaxKept = 32;

  [[nodiscard]] std::vector<std::string> numbers() const;

  rocksdb::Env& env_;
  const std::string database_;
  const std::string folder_;
};

// The numbered files of RocksDB's with this ending in `folder` (its own text log is called LOG).
[[nodiscard]] std::vector<std::string> numbered_files(rocksdb::Env& env, const std::string& folder,
                                                      std::string_view ending);

}  // namespace tidegate::store
