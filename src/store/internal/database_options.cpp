#include "store/internal/database_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include "store/internal/families.h"

namespace tidegate::store {

namespace {

constexpr size_t kBlockCacheBytes = 16U << 20;   // idle memory of the whole server stays below 60 MB
constexpr size_t kLogMemtableBytes = 16U << 20;  // a second or two of full load; flushing is one sequential write
constexpr size_t kSmallMemtableBytes = 8U << 20;
constexpr uint64_t kMaxWalBytes = 64U << 20;    // what a start replays at most
constexpr uint64_t kMinBlobBytes = 4096;        // segments and large batches stay out of compaction
constexpr uint64_t kBlobFileBytes = 64U << 20;  // expiry frees whole files of this size
constexpr size_t kInfoLogBytes = 1U << 20;
constexpr size_t kInfoLogFiles = 3;
constexpr int kOpenFiles = 256;  // each costs some 10-50 KB of table metadata
constexpr int kBackgroundJobs = 2;

// RocksDB would look for room itself every few seconds and be busy in between; the next write asks instead.
class NoSelfRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::ColumnFamilyOptions family_options(Family family, const rocksdb::BlockBasedTableOptions& table,
                                            const StoreTuning& tuning) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;  // what comes in is compressed and sealed already
  options.bottommost_compression = rocksdb::kNoCompression;
  options.write_buffer_size = family == Family::kLog ? kLogMemtableBytes : kSmallMemtableBytes;
  if (tuning.memtable_bytes > 0) options.write_buffer_size = tuning.memtable_bytes;
  options.max_write_buffer_number = 3;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (family == Family::kLog) {
    options.enable_blob_files = true;
    options.min_blob_size = kMinBlobBytes;
    options.blob_file_size = kBlobFileBytes;
    options.enable_blob_garbage_collection = true;
    options.blob_garbage_collection_force_threshold = 0.5;
  }
  return options;
}

}  // namespace

rocksdb::DBOptions database_options(rocksdb::Env& env) {
  rocksdb::DBOptions options;
  options.env = &env;
  options.listeners.push_back(std::make_shared<NoSelfRecovery>());  // shared: RocksDB's face asks for it
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = kBackgroundJobs;
  options.max_total_wal_size = kMaxWalBytes;
  options.max_open_files = kOpenFiles;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = kInfoLogBytes;
  options.keep_log_file_num = kInfoLogFiles;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.track_and_verify_wals_in_manifest = true;
  // All families are flushed together: whatever a damaged write-ahead log holds back, the tables and what is readable
  // before the damage are one state of the past, and no family runs ahead of another.
  options.atomic_flush = true;
  // All that matters is in the write-ahead log; a stop need not wait for a flush.
  options.avoid_flush_during_shutdown = true;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const StoreTuning& tuning) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(Family::kCatalog, table, tuning));
  for (size_t family = 0; family < kFamilyNames.size(); ++family) {
    families.emplace_back(kFamilyNames[family], family_options(static_cast<Family>(family), table, tuning));
  }
  return families;
}

}  // namespace tidegate::store
