// The list of RocksDB's files, torn at its end.
#pragma once

#include <rocksdb/env.h>

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::store {

// RocksDB goes on after a torn end of its write-ahead log, but refuses a MANIFEST that has one: edits that were being
// appended when the power went, of which a part has come to the disk. They were never acted upon, since that needs them
// to be synced. This cuts them off and keeps the file as it was beside it as `.torn`; its path. Nothing, and nothing
// changed: there is no such end, or there are whole edits behind what cannot be read that were appended by themselves,
// and then it is damage.
//
// That edits were torn, and not damaged after they had been synced, cannot be told here: the caller looks whether all
// that is durable is there, and undoes it if not.
[[nodiscard]] std::optional<std::string> cut_torn_manifest(rocksdb::Env& env, const std::string& database);
void uncut_manifest(rocksdb::Env& env, const std::string& path);

// Where the whole records of such a file end; npos if what cannot be read is damage. Format: RocksDB 7.8,
// db/log_format.h: blocks of 32 KB, records of a masked CRC-32C, u16 length, u8 type.
[[nodiscard]] size_t whole_records_end(std::string_view manifest);

}  // namespace tidegate::store
