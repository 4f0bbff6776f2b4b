// What the store does after its disk failed it, one fault at a time.
#include "base/check.h"
#include "machine.h"
#include "store/store_on_env.h"
// After base/check.h, whose CHECK it takes the place of.
#undef CHECK
#include <doctest/doctest.h>

namespace tidegate::simulation {
namespace {

struct Bench {
  Machine machine{1};
  std::unique_ptr<store::Store> store;

  Bench() { open(); }
  void open() {
    auto opened = store::open_store_on(machine.env(), "/store", {});
    REQUIRE(opened);
    store = std::move(*opened);
  }
  Result<> put(const std::string& key, size_t bytes = 100) {
    store::WriteBatch batch;
    batch.put(store::Family::kLog, key, std::string(bytes, 'v'));
    return store->write(std::move(batch), store::Durability::kSynced);
  }
  bool has(const std::string& key) { return store->get(store::Family::kLog, key).value().has_value(); }
  void restart(bool power_cut) {
    machine.disk.turn_off();
    store.reset();
    machine.disk.turn_on(power_cut);
    open();
  }
};

TEST_CASE("after a failed sync nothing is acknowledged until the store was opened again") {
  Bench bench;
  CHECK(bench.put("before"));
  bench.machine.disk.fail_sync_after(0);
  const Result<> failed = bench.put("not known");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::StoreFailed);
  for (int again = 0; again < 5; ++again) {
    const Result<> refused = bench.put("after");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::StoreFailed);
    CHECK(refused.error().hint.find("restart the server") != std::string::npos);
  }
  CHECK(bench.has("before"));  // reading goes on
  CHECK_FALSE(bench.has("not known"));
  SUBCASE("killed") { bench.restart(false); }
  SUBCASE("without power") { bench.restart(true); }
  CHECK_FALSE(bench.store->damage().lost);
  CHECK(bench.has("before"));
  CHECK_FALSE(bench.has("after"));
  CHECK(bench.put("at last"));
}

TEST_CASE("the same after a write that failed half done") {
  Bench bench;
  CHECK(bench.put("before"));
  bench.machine.disk.fail_write_after(0);
  CHECK(bench.put("torn").error().code == ErrorCode::StoreFailed);
  CHECK(bench.put("after").error().code == ErrorCode::StoreFailed);
  bench.restart(true);
  CHECK(bench.has("before"));
  CHECK_FALSE(bench.has("torn"));
  CHECK(bench.put("at last"));
}

TEST_CASE("a disk that is full at the first write after a start is refused and recovers without a restart") {
  Bench bench;
  CHECK(bench.put("before"));
  bench.restart(false);
  bench.machine.disk.set_room(0);
  for (int again = 0; again < 3; ++again) CHECK(bench.put("no room").error().code == ErrorCode::DiskFull);
  CHECK(bench.has("before"));
  bench.machine.disk.set_room(std::nullopt);
  CHECK(bench.put("room"));
  bench.restart(true);
  CHECK(bench.has("before"));
  CHECK(bench.has("room"));
  CHECK_FALSE(bench.has("no room"));
}

TEST_CASE("a sync that fails while a memtable is flushed loses nothing") {
  for (uint64_t at = 0; at < 12; ++at) {
    CAPTURE(at);
    Bench bench;
    int good = 0;
    bool failing = false;
    for (int key = 0; key < 40; ++key) {
      if (!bench.machine.jobs.empty() && !failing) {
        bench.machine.disk.fail_sync_after(at);
        failing = true;
      }
      while (bench.machine.jobs.run_one()) {
      }
      if (!bench.put("key-" + std::to_string(key), 1U << 20)) break;
      ++good;
    }
    CHECK(good >= 10);
    bench.restart(true);
    CHECK_FALSE(bench.store->damage().lost);
    for (int key = 0; key < good; ++key) CHECK(bench.has("key-" + std::to_string(key)));
  }
}

TEST_CASE("an unwritable mark stops nothing") {
  Bench bench;
  CHECK(bench.put("before"));
  const FilePtr mark = bench.machine.disk.find("/store/durable");
  REQUIRE(mark != nullptr);
  bench.machine.disk.fail_write_after(1);  // the log's record is written, then the mark
  CHECK(bench.put("marked too little"));
  CHECK(bench.put("after"));
  bench.restart(true);
  CHECK_FALSE(bench.store->damage().lost);
  CHECK(bench.has("marked too little"));
  CHECK(bench.has("after"));
}

TEST_CASE("the disk forgets what was not synced, and only that") {
  bool whole = false;
  bool shorter = false;
  bool torn = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk(seed);
    FilePtr file;
    REQUIRE(disk.make_folder("/a") == Outcome::kOk);
    REQUIRE(disk.create("/a/file", file) == Outcome::kOk);
    REQUIRE(disk.write(*file, 0, "durable") == Outcome::kOk);
    REQUIRE(disk.sync(*file) == Outcome::kOk);
    REQUIRE(disk.sync_folder("/a") == Outcome::kOk);
    REQUIRE(disk.write(*file, 7, std::string(2000, 'x')) == Outcome::kOk);
    disk.turn_off();
    disk.turn_on(true);
    CHECK(file->seen.starts_with("durable"));
    whole = whole || file->seen == "durable" + std::string(2000, 'x');
    shorter = shorter || file->seen == "durable";
    torn = torn || file->seen.find('\0') != std::string::npos;
  }
  CHECK(whole);
  CHECK(shorter);
  CHECK(torn);
}

}  // namespace
}  // namespace tidegate::simulation
