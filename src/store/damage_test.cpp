// What a store says and keeps after its files were damaged behind its back.
#include <rocksdb/db.h>

#include <algorithm>

#include "store/internal/database_options.h"
#include "store/internal/store_fixture.h"
#include "store/internal/torn_manifest.h"

namespace tidegate::store {
namespace {

namespace fs = std::filesystem;

constexpr int kRecords = 200;

// A killed server with kRecords acknowledged writes, all in its write-ahead log.
struct Killed {
  explicit Killed(const char* name, size_t value_bytes = 500) : original(std::string(name) + "_original"), copy(name) {
    auto store = Store::open(original.path).value();
    for (int at = 0; at < kRecords; ++at) put_one(*store, key_of(at), value_bytes);
    original.copy_as_killed(copy);
  }
  [[nodiscard]] fs::path log() const { return copy.files(".log").back(); }

  const Folder original;
  const Folder copy;
};

void check_lost(const Folder& folder, int least_kept, int most_kept) {
  int kept = 0;
  {
    auto store = Store::open(folder.path).value();
    kept = whole_prefix(*store, kRecords);
    const StoreDamage damage = store->damage();
    CHECK(damage.lost);
    CHECK(damage.quarantines == 1);
    put_one(*store, "later");
  }
  CHECK(kept >= least_kept);
  CHECK(kept <= most_kept);
  CHECK(fs::exists(folder.path / "quarantine" / "000001" / "reason.txt"));
  CHECK_FALSE(fs::exists(folder.path / "quarantine" / "pending"));
  auto store = Store::open(folder.path).value();  // said once, and the evidence stays
  CHECK_FALSE(store->damage().lost);
  CHECK(store->damage().quarantines == 1);
  CHECK(whole_prefix(*store, kRecords) == kept);
  CHECK(store->get(Family::kLog, "later").value());
}

void check_silent(const Folder& folder) {
  auto store = Store::open(folder.path).value();
  CHECK(whole_prefix(*store, kRecords) == kRecords);
  CHECK_FALSE(store->damage().lost);
  CHECK(store->damage().quarantines == 0);
  CHECK_FALSE(fs::exists(folder.path / "quarantine" / "pending"));
}

TEST_CASE("a killed store comes back whole and says nothing") {
  const Killed killed("killed");
  check_silent(killed.copy);
}

TEST_CASE("a write that was torn by a power cut is no damage") {
  Killed killed("torn");
  const std::string whole = content_of(killed.log());
  auto store = Store::open(killed.original.path).value();
  put_one(*store, "never acknowledged", 3000);
  const std::string longer = content_of(killed.original.files(".log").back());
  store.reset();
  SUBCASE("cut off") { overwrite(killed.log(), whole + longer.substr(0, 1000)); }
  SUBCASE("noise") {
    std::string noise(2000, ' ');
    for (size_t at = 0; at < noise.size(); ++at) noise[at] = static_cast<char>(at * 7919 >> 3);
    overwrite(killed.log(), whole + noise);
  }
  SUBCASE("zeros") { overwrite(killed.log(), whole + std::string(8192, '\0')); }
  check_silent(killed.copy);
}

TEST_CASE("damage in the middle of the write-ahead log is found, kept and reported") {
  const Killed killed("middle");
  const std::string before = content_of(killed.log());
  const fs::path log = killed.log();
  flip_byte(log, before.size() / 2);
  const std::string damaged = content_of(log);
  check_lost(killed.copy, kRecords / 4, kRecords * 3 / 4);
  CHECK(content_of(killed.copy.path / "quarantine" / "000001" / log.filename()) == damaged);
}

TEST_CASE("the number of lost changes is said") {
  const Killed killed("count");
  flip_byte(killed.log(), content_of(killed.log()).size() / 2);
  auto store = Store::open(killed.copy.path).value();
  const int kept = whole_prefix(*store, kRecords);
  CHECK(store->damage().lost_changes == static_cast<uint64_t>(kRecords - kept) * 3);  // two puts and the note
}

TEST_CASE("damage of the very last acknowledged write is found") {
  const Killed killed("last");
  flip_byte(killed.log(), content_of(killed.log()).size() - 10);
  check_lost(killed.copy, kRecords - 1, kRecords - 1);
}

TEST_CASE("a write-ahead log that became shorter, or is gone, is found") {
  const Killed killed("shorter");
  SUBCASE("shorter") {
    fs::resize_file(killed.log(), fs::file_size(killed.log()) / 3);
    check_lost(killed.copy, kRecords / 5, kRecords / 2);
  }
  SUBCASE("gone") {
    fs::remove(killed.log());
    check_lost(killed.copy, 0, 0);
  }
}

TEST_CASE("without the mark, the records behind the damage prove that it was acknowledged") {
  const Killed killed("unmarked");
  fs::remove(killed.copy.path / "durable");
  SUBCASE("damaged") {
    flip_byte(killed.log(), content_of(killed.log()).size() / 2);
    check_lost(killed.copy, kRecords / 4, kRecords * 3 / 4);
  }
  SUBCASE("whole") { check_silent(killed.copy); }
}

TEST_CASE("a damaged mark is no damage of the store") {
  const Killed killed("mark");
  for (const size_t at : {8, 4096 + 8}) flip_byte(killed.copy.path / "durable", at);
  check_silent(killed.copy);
}

TEST_CASE("without hard links the store opens all the same") {
  const Killed killed("linkless");
  overwrite(killed.copy.path / "quarantine", "a file is in the way");
  flip_byte(killed.log(), content_of(killed.log()).size() / 2);
  auto store = Store::open(killed.copy.path).value();
  CHECK(store->damage().lost);
  CHECK(store->damage().quarantines == 0);
}

// As a store is that was not flushed as a whole: one family's tables are newer than the damage.
TEST_CASE("when tables are newer than the damage, everything readable is kept") {
  const Folder folder("ahead");
  {
    auto made = Store::open(folder.path).value();
  }
  {
    rocksdb::DBOptions options = database_options(*rocksdb::Env::Default());
    options.atomic_flush = false;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const std::string path = (folder.path / "db").string();
    REQUIRE(rocksdb::DB::Open(options, path, family_descriptors({}), &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (int at = 0; at < 100; ++at) {
      for (const size_t family : {2, 3}) REQUIRE(db->Put(synced, handles[family], key_of(at), "old").ok());
    }
    REQUIRE(db->Flush({}, handles[2]).ok());
    for (int at = 100; at < 200; ++at) {
      for (const size_t family : {2, 3}) REQUIRE(db->Put(synced, handles[family], key_of(at), "new").ok());
    }
    for (auto* handle : handles) REQUIRE(db->DestroyColumnFamilyHandle(handle).ok());
  }
  const std::vector<fs::path> logs = folder.files(".log");
  REQUIRE(logs.size() == 2);
  flip_byte(logs.front(), content_of(logs.front()).size() / 2);
  auto store = Store::open(folder.path).value();
  CHECK(store->damage().lost);
  CHECK(store->damage().quarantines == 1);
  int in_log = 0;
  int in_state = 0;
  for (int at = 0; at < 200; ++at) {
    in_log += store->get(Family::kLog, key_of(at)).value() ? 1 : 0;
    in_state += store->get(Family::kState, key_of(at)).value() ? 1 : 0;
  }
  CHECK(in_log == 200);
  CHECK(in_state >= 140);  // what shares a block of 32 KB with the damage is lost
  CHECK(in_state < 200);
}

// Enough for tables and blob files, and closed cleanly.
void fill_tables(const Folder& folder) {
  auto store = Store::open(folder.path).value();
  for (int at = 0; at < 40; ++at) put_one(*store, key_of(at), 1U << 20);
}

TEST_CASE("what cannot be opened says what is damaged and what to do, and is left as it is") {
  const Folder folder("unopenable");
  fill_tables(folder);
  REQUIRE_FALSE(folder.files(".sst").empty());
  std::string file;
  SUBCASE("CURRENT is gone") {
    file = "CURRENT";
    fs::remove(folder.path / "db" / file);
  }
  SUBCASE("CURRENT is garbage") {
    file = "CURRENT";
    overwrite(folder.path / "db" / file, "garbage");
  }
  SUBCASE("the manifest is gone") {
    file = content_of(folder.path / "db" / "CURRENT");
    file.pop_back();
    fs::remove(folder.path / "db" / file);
  }
  SUBCASE("the manifest is damaged") {
    file = content_of(folder.path / "db" / "CURRENT");
    file.pop_back();
    flip_byte(folder.path / "db" / file, fs::file_size(folder.path / "db" / file) / 2);
  }
  SUBCASE("a table is gone") {
    file = folder.files(".sst").front().filename();
    fs::remove(folder.path / "db" / file);
  }
  SUBCASE("a table is shorter") {
    file = folder.files(".sst").front().filename();
    fs::resize_file(folder.path / "db" / file, 100);
  }
  SUBCASE("the whole database is gone") {
    file = "CURRENT";
    fs::remove_all(folder.path / "db");
  }
  const size_t tables = fs::exists(folder.path / "db") ? folder.files(".sst").size() : 0;
  const auto refused = Store::open(folder.path);
  REQUIRE_FALSE(refused.has_value());
  CAPTURE(refused.error().to_string());
  CHECK(refused.error().code == ErrorCode::StoreDamaged);
  CHECK(refused.error().hint.find("backup") != std::string::npos);
  CHECK((refused.error().message.find(file) != std::string::npos ||
         refused.error().message.find("anifest") != std::string::npos ||
         refused.error().message.find("MANIFEST") != std::string::npos));
  if (tables > 0) CHECK(folder.files(".sst").size() == tables);
}

fs::path manifest_of(const Folder& folder) {
  std::string name = content_of(folder.path / "db" / "CURRENT");
  name.pop_back();
  return folder.path / "db" / name;
}

TEST_CASE("an edit of the manifest that was torn by a power cut is no damage") {
  const Killed killed("torn_edit");
  const fs::path manifest = manifest_of(killed.copy);
  const std::string whole = content_of(manifest);
  std::string torn = whole.substr(0, 35);  // a record, and then one of which a piece in the middle is missing
  std::fill(torn.begin() + 12, torn.begin() + 30, '\0');
  overwrite(manifest, whole + torn);
  CHECK(whole_records_end(whole) == whole.size());
  CHECK(whole_records_end(whole + torn) == whole.size());
  CHECK(whole_records_end(whole + torn + whole.substr(0, 35)) == std::string::npos);
  check_silent(killed.copy);
}

TEST_CASE("whatever byte of the manifest is damaged, nothing is lost without a word") {
  const Folder folder("edits");
  fill_tables(folder);
  const Folder copy("edits_copy");
  const std::string whole = content_of(manifest_of(folder));
  int refused = 0;
  for (size_t at = 7; at < whole.size(); at += 61) {
    CAPTURE(at);
    folder.copy_as_killed(copy);
    flip_byte(manifest_of(copy), at);
    const std::string damaged = content_of(manifest_of(copy));
    auto store = Store::open(copy.path);
    if (!store) {
      CHECK(store.error().code == ErrorCode::StoreDamaged);
      CHECK(content_of(manifest_of(copy)) == damaged);  // as it was left
      ++refused;
      continue;
    }
    if ((*store)->damage().lost) continue;
    for (int key = 0; key < 40; ++key) CHECK((*store)->get(Family::kLog, key_of(key)).value());
  }
  CHECK(refused > 0);
}

TEST_CASE("a folder in which nothing was ever stored may be made anew") {
  const Folder folder("half_made");
  fs::create_directories(folder.path / "db");
  overwrite(folder.path / "db" / "MANIFEST-000001", "a crash in the first second");
  CHECK(Store::open(folder.path));
}

TEST_CASE("a damaged table names itself when it is read") {
  const Folder folder("table");
  fill_tables(folder);
  for (const fs::path& table : folder.files(".sst")) flip_byte(table, 40);
  auto store = Store::open(folder.path).value();
  Result<> scanned = store->scan(Family::kState, "", "", [](auto, auto) { return true; });
  REQUIRE_FALSE(scanned.has_value());
  CHECK(scanned.error().code == ErrorCode::LogCorrupted);
  CHECK(scanned.error().message.find(".sst") != std::string::npos);
}

}  // namespace
}  // namespace tidegate::store
