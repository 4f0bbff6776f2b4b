// RocksDB's status as the product's errors.
#pragma once

#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::store {

[[nodiscard]] inline rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }
[[nodiscard]] inline std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// DiskFull, LogCorrupted or StoreFailed. `doing` says what was tried: "writing to the store".
[[nodiscard]] Error error_of(const rocksdb::Status& status, std::string_view doing);

}  // namespace tidegate::store
