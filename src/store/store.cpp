#include "store/store.h"

#include <rocksdb/db.h>

#include <atomic>
#include <mutex>

#include "base/bytes.h"
#include "base/logging.h"
#include "io/file.h"
#include "store/internal/durable_mark.h"
#include "store/internal/families.h"
#include "store/internal/opening.h"
#include "store/internal/quarantine.h"
#include "store/internal/status_error.h"
#include "store/store_on_env.h"

namespace tidegate::store {

namespace {

namespace fs = std::filesystem;

// Any thread: RocksDB locks for itself; `mutex_` only orders attempts to come back after an error.
class RocksStore final : public Store {
 public:
  RocksStore(std::optional<io::FileLock> lock, std::unique_ptr<DurableMark> mark, OpenedDatabase opened,
             StoreDamage damage)
      : lock_(std::move(lock)),
        mark_(std::move(mark)),
        db_(std::move(opened.db)),
        handles_(std::move(opened.handles)),
        damage_(std::move(damage)) {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      memtable_bytes_.push_back(db_->GetOptions(handle).write_buffer_size);
    }
  }
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
    TRY(leave_no_memtable_empty());
    auto* const changes = static_cast<rocksdb::WriteBatch*>(native(batch));
    note_synced(*changes);
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    // What gets numbers from here on lies behind all that had them before; so this write's last number is at least
    // `before` plus its changes, and syncing it makes everything up to there durable.
    const uint64_t before = db_->GetLatestSequenceNumber();
    const rocksdb::Status status = db_->Write(options, changes);
    if (status.ok()) {
      if (options.sync) mark_->advance(before + static_cast<uint64_t>(changes->Count()));
      return {};
    }
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

  StoreDamage damage() const override { return damage_; }

  // Once, before use: the families must be those of this program, and the mark starts from here.
  Result<> begin() {
    for (size_t at = 0; at < handles_.size(); ++at) {
      if (handles_[at]->GetID() != at) {
        return fail(ErrorCode::FormatUnknown, "the store " + db_->GetName() + " was not written by this program");
      }
    }
    // Opening made everything that it read durable in tables.
    if (const Result<> marked = mark_->reset(db_->GetLatestSequenceNumber()); !marked) {
      log_warn("store.mark_not_written", {{"reason", marked.error().to_string()}});
    }
    return {};
  }

 private:
  void note_synced(rocksdb::WriteBatch& changes) const {
    std::string value;
    ByteWriter(value).fixed(mark_->sequence());
    changes.Put(kSyncedKey, value).PermitUncheckedError();
  }

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

  // Resuming flushes the memtables and with that leaves the write-ahead log that a write failed in. With nothing to
  // flush RocksDB 7.8 keeps that log, and the next write to it ends the program by an assertion. So a write that finds
  // the memtables empty, or empties them because it begins by putting full ones away, is preceded by one that is in a
  // memtable only and does that first. Not every write: each takes a number, and the numbers tell what damage lost.
  Result<> leave_no_memtable_empty() {
    if (!memtables_are_empty() && !a_memtable_is_nearly_full()) return {};
    rocksdb::WriteBatch changes;
    note_synced(changes);
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    if (const rocksdb::Status written = db_->Write(options, &changes); !written.ok()) {
      failed_ = true;
      return fail(error_of(written, "writing to the store"));
    }
    return {};
  }

  // The first family's, which every write touches.
  [[nodiscard]] bool memtables_are_empty() const {
    uint64_t entries = 0;
    db_->GetIntProperty(handles_.front(), rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
    return entries == 0;
  }

  // RocksDB puts one away when about 95 % of it is used.
  [[nodiscard]] bool a_memtable_is_nearly_full() const {
    for (size_t at = 0; at < handles_.size(); ++at) {
      uint64_t bytes = 0;
      db_->GetIntProperty(handles_[at], rocksdb::DB::Properties::kCurSizeActiveMemTable, &bytes);
      if (bytes >= memtable_bytes_[at] / 4 * 3) return true;
    }
    return false;
  }

  // After a failed write RocksDB refuses further ones until it is told that the reason may be gone. It does not take
  // that for an answer when a sync or a write of the write-ahead log failed for another reason than a full disk: nobody
  // knows what of it is on the disk then, and only a start from what is there finds out.
  Result<> come_back() {
    if (!failed_) return {};
    const std::scoped_lock one_at_a_time(mutex_);
    if (!failed_) return {};
    if (const rocksdb::Status resumed = db_->Resume(); !resumed.ok()) {
      Error error = error_of(resumed, "resuming after a failed write");
      if (error.code == ErrorCode::StoreFailed) {
        error.hint = "Check the disk (dmesg, smartctl), then restart the server: it goes on from what is durable.";
      }
      return fail(std::move(error));
    }
    failed_ = false;
    log_info("store.resumed");
    return {};
  }

  const std::optional<io::FileLock> lock_;
  const std::unique_ptr<DurableMark> mark_;
  const std::unique_ptr<rocksdb::DB> db_;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // "default", then one per Family
  std::vector<uint64_t> memtable_bytes_;  // as handles_; RocksDB puts a memtable of about this size away
  const StoreDamage damage_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
};

// Keeps the damaged write-ahead log and says so. Should keeping it fail, the server starts all the same.
void report(const OpenedDatabase& opened, Quarantine& quarantine) {
  std::string kept;
  if (const Result<std::string> folder = quarantine.keep(opened.reason); folder) {
    kept = *folder;
  } else {
    log_error("store.quarantine_failed", {{"reason", folder.error().to_string()}});
  }
  const Error error{ErrorCode::StoreDamaged,
                    "the store lost changes that were acknowledged: its write-ahead log is damaged",
                    "Check the disk (dmesg, smartctl). Devices and sources that can should send again what they sent "
                    "since shortly before the last stop.",
                    std::nullopt};
  log_error("store.damaged", {{"error", error.to_string()},
                              {"lost_changes_at_least", opened.lost_changes},
                              {"reason", opened.reason},
                              {"kept_in", kept}});
}

Result<std::unique_ptr<Store>> open_store(rocksdb::Env& env, const std::string& folder, const StoreTuning& tuning,
                                          std::optional<io::FileLock> lock) {
  TRY_ASSIGN(std::unique_ptr<DurableMark> mark, DurableMark::open(env, folder + "/durable"));
  Quarantine quarantine(env, folder + "/db", folder + "/quarantine");
  quarantine.prepare();
  TRY_ASSIGN(OpenedDatabase opened, open_database(env, folder, mark->sequence(), tuning));
  if (opened.lost) {
    report(opened, quarantine);
  } else {
    quarantine.drop();
  }
  StoreDamage damage{opened.lost, opened.lost_changes, quarantine.kept(), folder + "/quarantine"};
  auto store = std::make_unique<RocksStore>(std::move(lock), std::move(mark), std::move(opened), std::move(damage));
  TRY(store->begin());
  return store;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const fs::path& folder) {
  TRY(io::create_private_folder(folder));
  TRY_ASSIGN(std::optional<io::FileLock> lock, io::FileLock::try_acquire(folder / "lock"));
  if (!lock) {
    return fail(ErrorCode::DataFolderInUse, "another server is running on the data folder " + folder.string(),
                "Stop it first, or give this one a data folder of its own.");
  }
  return open_store(*rocksdb::Env::Default(), folder.string(), {}, std::move(lock));
}

Result<std::unique_ptr<Store>> open_store_on(rocksdb::Env& env, const std::string& folder, const StoreTuning& tuning) {
  if (const rocksdb::Status made = env.CreateDirIfMissing(folder); !made.ok()) {
    return fail(error_of(made, "making " + folder));
  }
  return open_store(env, folder, tuning, std::nullopt);
}

}  // namespace tidegate::store
