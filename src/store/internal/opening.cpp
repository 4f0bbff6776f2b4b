#include "store/internal/opening.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/logging.h"
#include "store/internal/database_options.h"
#include "store/internal/quarantine.h"
#include "store/internal/status_error.h"
#include "store/internal/torn_manifest.h"

namespace tidegate::store {

namespace {

constexpr const char* kRestore =
    "Check the disk (dmesg, smartctl), then restore the data folder from a backup. The folder is left as it is.";

using Mode = rocksdb::WALRecoveryMode;

struct Attempt {
  rocksdb::Status status;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
};

// Which database, and how it is set up.
struct Place {
  rocksdb::Env& env;
  const std::string& path;
  const StoreTuning& tuning;
};

Attempt try_open(const Place& place, Mode mode, bool all_logs_must_be_there) {
  rocksdb::DBOptions options = database_options(place.env);
  options.wal_recovery_mode = mode;
  options.track_and_verify_wals_in_manifest = all_logs_must_be_there;
  Attempt attempt;
  rocksdb::DB* opened = nullptr;
  attempt.status = rocksdb::DB::Open(options, place.path, family_descriptors(place.tuning), &attempt.handles, &opened);
  attempt.db.reset(opened);
  return attempt;
}

// What the newest readable record says was synced, those behind damage included; 0 when that cannot be read. Changes
// nothing on disk.
uint64_t synced_according_to_records(const Place& place) {
  rocksdb::DBOptions options = database_options(place.env);
  options.wal_recovery_mode = Mode::kSkipAnyCorruptedRecords;
  options.create_if_missing = options.create_missing_column_families = false;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto families = family_descriptors(place.tuning);
  if (!rocksdb::DB::OpenForReadOnly(options, place.path, families, &handles, &opened).ok()) return 0;
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::string value;
  uint64_t sequence = 0;
  if (db->Get(rocksdb::ReadOptions(), handles.front(), kSyncedKey, &value).ok()) {
    sequence = ByteReader(std::string_view(value)).fixed<uint64_t>();
  }
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  return sequence;
}

// Cuts a torn end off the MANIFEST, if with what is left everything that was durable is there. Looked at without
// writing: RocksDB deletes files that its MANIFEST does not name.
bool mend_manifest(const Place& place, const rocksdb::Status& status, uint64_t durable) {
  if (durable == 0 || status.ToString().find("MANIFEST") == std::string::npos) return false;
  const std::optional<std::string> cut = cut_torn_manifest(place.env, place.path);
  if (!cut) return false;
  rocksdb::DBOptions options = database_options(place.env);
  options.wal_recovery_mode = Mode::kTolerateCorruptedTailRecords;
  options.create_if_missing = options.create_missing_column_families = false;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto families = family_descriptors(place.tuning);
  bool whole = rocksdb::DB::OpenForReadOnly(options, place.path, families, &handles, &opened).ok();
  const std::unique_ptr<rocksdb::DB> db(opened);
  whole = whole && db->GetLatestSequenceNumber() >= durable;
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  if (!whole) uncut_manifest(place.env, *cut);
  return whole;
}

// RocksDB takes a folder without CURRENT for a new one, and deletes the tables that it finds there.
Result<> check_not_half_there(rocksdb::Env& env, const std::string& path, uint64_t durable) {
  if (env.FileExists(path + "/CURRENT").ok()) return {};
  const auto found = [&](std::string_view ending) { return !numbered_files(env, path, ending).empty(); };
  if (durable == 0 && !found(".sst") && !found(".blob")) return {};
  return fail(ErrorCode::StoreDamaged, "the file " + path + "/CURRENT is missing, though the store holds data",
              kRestore);
}

Error cannot_open(const rocksdb::Status& status, const std::string& path) {
  const bool damaged = status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound() ||
                       status.IsInvalidArgument() || status.IsNotSupported();
  if (!damaged) return error_of(status, "opening the store in " + path);
  return {ErrorCode::StoreDamaged, fmt::format("the store in {} is damaged: {}", path, status.ToString()), kRestore,
          std::nullopt};
}

}  // namespace

Result<OpenedDatabase> open_database(rocksdb::Env& env, const std::string& folder, uint64_t durable,
                                     const StoreTuning& tuning) {
  const std::string path = folder + "/db";
  const Place place{env, path, tuning};
  TRY(check_not_half_there(env, path, durable));
  OpenedDatabase opened;
  uint64_t proven = durable;
  Attempt attempt = try_open(place, Mode::kTolerateCorruptedTailRecords, true);
  if (attempt.status.IsCorruption() && mend_manifest(place, attempt.status, durable)) {
    attempt = try_open(place, Mode::kTolerateCorruptedTailRecords, true);
  }
  const rocksdb::Status strict = attempt.status;
  if (strict.IsCorruption()) {
    proven = std::max(proven, synced_according_to_records(place));
    opened.lost = proven == 0;  // nothing is known: better one alarm too many
    attempt = try_open(place, Mode::kPointInTimeRecovery, true);
    if (attempt.status.IsCorruption()) {  // a log that was complete is gone or shorter
      opened.lost = true;
      attempt = try_open(place, Mode::kPointInTimeRecovery, false);
    }
    if (attempt.status.IsCorruption()) {  // a family's tables are newer than the damage
      attempt = try_open(place, Mode::kSkipAnyCorruptedRecords, false);
    }
  }
  if (!attempt.status.ok()) return fail(cannot_open(strict.IsCorruption() ? strict : attempt.status, path));
  opened.db = std::move(attempt.db);
  opened.handles = std::move(attempt.handles);
  const uint64_t latest = opened.db->GetLatestSequenceNumber();
  if (latest < proven) {
    opened.lost = true;
    opened.lost_changes = proven - latest;
  }
  if (opened.lost) {
    opened.reason = strict.ok() ? "the write-ahead log ends too early" : strict.ToString();
  } else if (!strict.ok()) {
    log_info("store.torn_tail", {{"reason", strict.ToString()}, {"lost", "nothing that was acknowledged"}});
  }
  return opened;
}

}  // namespace tidegate::store
