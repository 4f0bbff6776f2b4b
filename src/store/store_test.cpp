#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "store/internal/store_fixture.h"

namespace tidegate::store {
namespace {

namespace fs = std::filesystem;

std::string keys_between(Store& store, std::string_view begin, std::string_view end, bool backwards = false) {
  std::string keys;
  const auto visit = [&](std::string_view key, std::string_view) {
    keys += key;
    return true;
  };
  CHECK(
      (backwards ? store.scan_back(Family::kState, begin, end, visit) : store.scan(Family::kState, begin, end, visit)));
  return keys;
}

TEST_CASE("families are apart, a batch is whole, and all of it survives reopening") {
  const Folder folder("reopen");
  {
    auto store = Store::open(folder.path).value();
    WriteBatch batch;
    CHECK(batch.empty());
    batch.put(Family::kCatalog, "k", "catalog");
    batch.put(Family::kLog, "k", std::string(10'000, 'x'));
    batch.put(Family::kState, "k", "state");
    batch.put(Family::kState, "gone", "x");
    batch.erase(Family::kState, "gone");
    CHECK(batch.bytes() > 10'000);
    CHECK(store->write(std::move(batch), Durability::kSynced));
    CHECK(store->disk_bytes() > 0);
  }
  auto store = Store::open(folder.path).value();
  CHECK(store->get(Family::kCatalog, "k").value() == "catalog");
  CHECK(store->get(Family::kLog, "k").value()->size() == 10'000);
  CHECK(store->get(Family::kState, "k").value() == "state");
  CHECK_FALSE(store->get(Family::kState, "gone").value());
  CHECK_FALSE(store->get(Family::kBroker, "k").value());
}

TEST_CASE("scans go both ways, are half open and can be stopped") {
  const Folder folder("scan");
  auto store = Store::open(folder.path).value();
  WriteBatch batch;
  for (const char* key : {"a", "b", "c", "d", "e"}) batch.put(Family::kState, key, "v");
  CHECK(store->write(std::move(batch), Durability::kBuffered));
  CHECK(keys_between(*store, "b", "e") == "bcd");
  CHECK(keys_between(*store, "b", "") == "bcde");
  CHECK(keys_between(*store, "b", "e", true) == "dcb");
  CHECK(keys_between(*store, "", "", true) == "edcba");
  int seen = 0;
  CHECK(store->scan(Family::kState, "", "", [&](auto, auto) { return ++seen < 2; }));
  CHECK(seen == 2);
  WriteBatch erase;
  erase.erase_range(Family::kState, "b", "d");
  CHECK(store->write(std::move(erase), Durability::kSynced));
  CHECK(keys_between(*store, "", "") == "ade");
}

TEST_CASE("a data folder has one owner") {
  const Folder folder("lock");
  auto store = Store::open(folder.path).value();
  const auto second = Store::open(folder.path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::DataFolderInUse);
  CHECK_FALSE(second.error().hint.empty());
  store.reset();
  CHECK(Store::open(folder.path));
}

// Needs the right to mount; without it the reason is printed and nothing is claimed.
TEST_CASE("a full disk is a clear error, and writing goes on once there is room") {
  const Folder folder("full");
  fs::create_directories(folder.path);
  if (::mount("tmpfs", folder.path.c_str(), "tmpfs", 0, "size=64m") != 0) {
    MESSAGE("cannot mount a small disk here: ", std::strerror(errno));
    return;
  }
  {
    auto store = Store::open(folder.path / "data").value();
    const std::string ballast(40U << 20, 'x');
    std::ofstream(folder.path / "ballast") << ballast << std::flush;
    Result<> written;
    int good = 0;
    for (; good < 100; ++good) {
      WriteBatch batch;
      batch.put(Family::kLog, std::to_string(good), std::string(1U << 20, 'y'));
      written = store->write(std::move(batch), Durability::kSynced);
      if (!written) break;
    }
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().code == ErrorCode::DiskFull);
    fs::remove(folder.path / "ballast");
    WriteBatch batch;
    batch.put(Family::kLog, "after", "room");
    const Result<> again = store->write(std::move(batch), Durability::kSynced);
    if (!again) MESSAGE(again.error().to_string());
    CHECK(again);
    store.reset();
    store = Store::open(folder.path / "data").value();
    CHECK(store->get(Family::kLog, "after").value() == "room");
    CHECK_FALSE(store->get(Family::kLog, std::to_string(good)).value());
    for (int at = 0; at < good; ++at) CHECK(store->get(Family::kLog, std::to_string(at)).value());
  }
  CHECK(::umount2(folder.path.c_str(), MNT_DETACH) == 0);
}

}  // namespace
}  // namespace tidegate::store
