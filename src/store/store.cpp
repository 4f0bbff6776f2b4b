#include "store/store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <atomic>
#include <mutex>

#include "base/logging.h"
#include "io/file.h"
#include "store/internal/families.h"

namespace tidegate::store {

namespace {

namespace fs = std::filesystem;

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

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Error error_of(const rocksdb::Status& status, std::string_view doing) {
  const std::string message = std::string(doing) + ": " + status.ToString();
  if (status.IsNoSpace()) {
    return {ErrorCode::DiskFull, "the disk of the data folder is full (" + std::string(doing) + ")",
            "Free some space; writing goes on by itself then.", std::nullopt};
  }
  if (status.IsCorruption()) {
    return {ErrorCode::LogCorrupted, message, "Check the disk; restore the data folder if it goes on.", std::nullopt};
  }
  return {ErrorCode::StoreFailed, message, {}, std::nullopt};
}

// RocksDB would look for room itself every few seconds and be busy in between; the next write asks instead.
class NoSelfRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
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
  return options;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const rocksdb::BlockBasedTableOptions& table) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;  // what comes in is compressed and sealed already
  options.bottommost_compression = rocksdb::kNoCompression;
  options.write_buffer_size = family == Family::kLog ? kLogMemtableBytes : kSmallMemtableBytes;
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

// Any thread: RocksDB locks for itself; `mutex_` only orders attempts to come back after an error.
class RocksStore final : public Store {
 public:
  RocksStore(io::FileLock lock, std::unique_ptr<rocksdb::DB> db, std::vector<rocksdb::ColumnFamilyHandle*> handles)
      : lock_(std::move(lock)), db_(std::move(db)), handles_(std::move(handles)) {}
  ~RocksStore() override {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    if (const rocksdb::Status closed = db_->Close(); !closed.ok()) {
      log_warn("store.close_failed", {{"reason", closed.ToString()}});
    }
  }
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  Result<> write(WriteBatch batch, Durability durability) override {
    TRY(come_back());
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    const rocksdb::Status status = db_->Write(options, static_cast<rocksdb::WriteBatch*>(native(batch)));
    if (status.ok()) return {};
    failed_ = true;
    return fail(error_of(status, "writing to the store"));
  }

  Result<std::optional<std::string>> get(Family family, std::string_view key) override {
    std::string value;
    const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), handle(family), slice_of(key), &value);
    if (status.ok()) return std::optional(std::move(value));
    if (status.IsNotFound()) return std::optional<std::string>();
    return fail(error_of(status, "reading from the store"));
  }

  Result<> scan(Family family, std::string_view begin, std::string_view end, const Visit& visit) override {
    std::string from(begin);
    rocksdb::Status status = scan_from(family, from, end, visit, true);
    // One damaged value must not hide those behind it. All values are sealed by who wrote them: a changed one is found
    // when it is opened, and named there.
    if (is_damaged_blob(status)) status = scan_from(family, from, end, visit, false);
    if (status.ok()) return {};
    return fail(error_of(status, "scanning the store"));
  }

  Result<> scan_back(Family family, std::string_view begin, std::string_view end, const Visit& visit) override {
    const rocksdb::Slice lower = slice_of(begin);
    const rocksdb::Slice upper = slice_of(end);
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower;
    if (!end.empty()) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(family)));
    for (at->SeekToLast(); at->Valid(); at->Prev()) {
      if (!visit(view_of(at->key()), view_of(at->value()))) break;
    }
    if (at->status().ok()) return {};
    return fail(error_of(at->status(), "scanning the store"));
  }

  uint64_t disk_bytes() const override {
    uint64_t total = 0;
    for (const char* property :
         {"rocksdb.total-sst-files-size", "rocksdb.total-blob-file-size", "rocksdb.cur-size-all-mem-tables"}) {
      uint64_t value = 0;
      if (db_->GetAggregatedIntProperty(property, &value)) total += value;
    }
    return total;
  }

 private:
  static bool is_damaged_blob(const rocksdb::Status& status) {
    return status.IsCorruption() && status.ToString().find("Blob") != std::string::npos;
  }

  // `from` becomes the place behind the last key visited.
  rocksdb::Status scan_from(Family family, std::string& from, std::string_view end, const Visit& visit,
                            bool verify_checksums) {
    const rocksdb::Slice upper = slice_of(end);
    rocksdb::ReadOptions options;
    options.verify_checksums = verify_checksums;
    if (!end.empty()) options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(family)));
    for (at->Seek(from); at->Valid(); at->Next()) {
      from.assign(at->key().data(), at->key().size());
      from.push_back('\0');
      if (!visit(view_of(at->key()), view_of(at->value()))) break;
    }
    return at->status();
  }

  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<size_t>(family) + 1];
  }

  // After a failed write RocksDB refuses further ones until it is told that the reason may be gone.
  Result<> come_back() {
    if (!failed_) return {};
    const std::scoped_lock one_at_a_time(mutex_);
    if (!failed_) return {};
    if (const rocksdb::Status resumed = db_->Resume(); !resumed.ok()) {
      return fail(error_of(resumed, "resuming after a failed write"));
    }
    failed_ = false;
    log_info("store.resumed");
    return {};
  }

  const io::FileLock lock_;
  const std::unique_ptr<rocksdb::DB> db_;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // "default", then one per Family
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const fs::path& folder) {
  TRY(io::create_private_folder(folder));
  TRY_ASSIGN(std::optional<io::FileLock> lock, io::FileLock::try_acquire(folder / "lock"));
  if (!lock) {
    return fail(ErrorCode::DataFolderInUse, "another server is running on the data folder " + folder.string(),
                "Stop it first, or give this one a data folder of its own.");
  }
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(Family::kCatalog, table));
  for (size_t family = 0; family < kFamilyNames.size(); ++family) {
    families.emplace_back(kFamilyNames[family], family_options(static_cast<Family>(family), table));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options(), (folder / "db").string(), families, &handles, &opened);
  if (!status.ok()) return fail(error_of(status, "opening the store in " + folder.string()));
  auto store = std::make_unique<RocksStore>(std::move(*lock), std::unique_ptr<rocksdb::DB>(opened), handles);
  for (size_t at = 0; at < handles.size(); ++at) {
    if (handles[at]->GetID() != at) {
      return fail(ErrorCode::FormatUnknown, "the store in " + folder.string() + " was not written by this program");
    }
  }
  return store;
}

}  // namespace tidegate::store
