// Lookup tables over a real store and real files, on a clock that stands still.
#include "lookup/tables.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "io/file.h"

namespace tidegate::lookup {

namespace {

namespace fs = std::filesystem;
using columnar::TypeKind;

class Fixture {
 public:
  Fixture() : folder_(fs::temp_directory_path() / ("tidegate-lookup-" + std::to_string(random_.next_u64()))) {
    fs::create_directories(folder_ / "lookups");
    open();
  }
  ~Fixture() {
    close();
    fs::remove_all(folder_);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void open() {
    store = std::move(*store::Store::open(folder_ / "store"));
    keys_ = std::move(*crypto::KeyRing::open(folder_ / "keys", random_));
    registry = std::move(*registry::Registry::open(*store, *keys_, random_, clock));
    auto opened = Tables::open(
        {*store, *keys_, random_, clock, {folder_ / "lookups", {folder_ / "allowed"}}, registry.get()}, true);
    REQUIRE(opened.has_value());
    tables = std::move(*opened);
  }
  void close() {
    tables.reset();
    registry.reset();
    keys_.reset();
    store.reset();
  }
  void write(const std::string& content, const std::string& name = "t.csv") {
    REQUIRE(io::write_file_atomic(folder_ / "lookups" / name, content, io::FilePrivacy::kOwnerOnly).has_value());
  }
  // A round after so many seconds.
  void look(int64_t seconds) {
    clock.advance_us(seconds * kMicrosPerSecond);
    tables->look();
  }
  [[nodiscard]] TableStatus status() const { return tables->status().at(0); }
  [[nodiscard]] std::string first_value() const {
    const auto version = tables->current(catalog::TableId{1});
    return version == nullptr ? "nothing" : std::string(version->rows.columns[1]->string_at(0));
  }
  [[nodiscard]] const fs::path& folder() const { return folder_; }

  io::ManualClock clock{1'700'000'000 * kMicrosPerSecond};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<Tables> tables;

 private:
  io::SystemRandom random_;
  fs::path folder_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

// Shared as the catalog shares it.
catalog::TablePtr table(const std::string& path = "t.csv") {
  catalog::TableDefinition made;
  made.id = catalog::TableId{1};
  made.name = "t";
  made.schema = std::make_shared<const columnar::Schema>(
      columnar::Schema{{{"k", TypeKind::kString, false}, {"v", TypeKind::kString, true}}});
  made.key = {0};
  made.options = {{"connector", "filesystem"}, {"format", "csv"}, {"path", path}};
  return std::make_shared<const catalog::TableDefinition>(std::move(made));
}

}  // namespace

TEST_CASE("a version is stored before it counts, and is there after a restart without its file") {
  Fixture fixture;
  CHECK(fixture.tables->add(table()).error().code == ErrorCode::TableRefused);  // no file yet
  CHECK(fixture.tables->status().empty());
  CHECK(fixture.tables->current(catalog::TableId{1}) == nullptr);
  fixture.write("a,one\n");
  REQUIRE(fixture.tables->add(table()).has_value());
  CHECK(fixture.status().version == 1);
  CHECK(fixture.status().rows == 1);
  CHECK(fixture.status().loaded_us == fixture.clock.now_us());
  CHECK(fixture.first_value() == "one");

  fs::remove(fixture.folder() / "lookups" / "t.csv");
  fixture.close();
  fixture.open();
  REQUIRE(fixture.tables->restore(table()).has_value());
  CHECK(fixture.status().version == 1);
  CHECK(fixture.first_value() == "one");
  CHECK(fixture.status().last_error.find("t.csv") != std::string::npos);

  fixture.write("a,two\n");
  fixture.look(5);
  fixture.look(1);
  CHECK(fixture.status().version == 2);
  CHECK(fixture.status().last_error.empty());
  REQUIRE(fixture.tables->drop(catalog::TableId{1}).has_value());
  CHECK(fixture.tables->current(catalog::TableId{1}) == nullptr);
  fixture.close();
  fixture.open();
  fs::remove(fixture.folder() / "lookups" / "t.csv");
  REQUIRE(fixture.tables->restore(table()).has_value());
  CHECK(fixture.first_value() == "nothing");  // nothing was left of it
}

TEST_CASE("a changed file is read when it has settled, once, and a broken one leaves what was there") {
  Fixture fixture;
  fixture.write("a,one\n");
  REQUIRE(fixture.tables->add(table()).has_value());
  fixture.write("a,two\n");
  fixture.look(4);
  CHECK(fixture.first_value() == "one");  // it is looked at every 5 s
  fixture.look(1);
  CHECK(fixture.first_value() == "one");  // seen
  fixture.write("a,three\n");
  fixture.look(1);
  CHECK(fixture.first_value() == "one");  // still being written, it seems
  fixture.look(1);
  CHECK(fixture.first_value() == "three");
  CHECK(fixture.status().version == 2);

  fixture.write("broken\n");
  fixture.look(5);
  fixture.look(1);
  CHECK(fixture.first_value() == "three");
  CHECK(fixture.status().version == 2);
  CHECK(fixture.status().last_error.find("line 1: ") != std::string::npos);
  const int64_t since_us = fixture.status().last_error_us;
  fixture.look(30);
  CHECK(fixture.status().last_error_us == since_us);

  fixture.write("a,three\n");  // as it was: no other version
  fixture.look(5);
  fixture.look(1);
  CHECK(fixture.status().version == 2);
  CHECK(fixture.status().last_error.empty());

  fs::remove(fixture.folder() / "lookups" / "t.csv");
  fixture.look(5);
  CHECK(fixture.status().last_error.find("No such file") != std::string::npos);
  CHECK(fixture.first_value() == "three");
}

TEST_CASE("reading again is possible at any time and says what is wrong") {
  Fixture fixture;
  fixture.write("a,one\n");
  REQUIRE(fixture.tables->add(table()).has_value());
  CHECK((*fixture.tables->reload(catalog::TableId{1}))->number == 1);
  fixture.write("a,two\n");
  CHECK((*fixture.tables->reload(catalog::TableId{1}))->number == 2);
  fixture.write("a,x\na,y\n");
  const auto refused = fixture.tables->reload(catalog::TableId{1});
  REQUIRE(!refused.has_value());
  CHECK(refused.error().message.find("lines 1 and 2 have the same key (k = 'a')") != std::string::npos);
  CHECK(fixture.first_value() == "two");
  CHECK(fixture.tables->reload(catalog::TableId{9}).error().code == ErrorCode::NotFound);
}

TEST_CASE("files stay in their folders") {
  Fixture fixture;
  std::ofstream(fixture.folder() / "outside.csv") << "a,one\n";
  fs::create_directories(fixture.folder() / "allowed");
  std::ofstream(fixture.folder() / "allowed" / "t.csv") << "a,allowed\n";
  const auto code = [&](const std::string& path) {
    const Result<> checked = fixture.tables->check(*table(path));
    return checked ? std::string("fine") : std::to_string(static_cast<int>(checked.error().code));
  };
  CHECK(code("t.csv") == "fine");
  CHECK(code("deeper/t.csv") == "fine");
  CHECK(code((fixture.folder() / "allowed" / "t.csv").string()) == "fine");
  CHECK(code("../outside.csv") == "2010");
  CHECK(code("a/../../outside.csv") == "2010");
  CHECK(code("/etc/passwd") == "2010");
  CHECK(code((fixture.folder() / "outside.csv").string()) == "2010");
  CHECK(code("") == "2010");
  // A link that leads out, made after the table was.
  fixture.write("a,inside\n");
  REQUIRE(fixture.tables->add(table()).has_value());
  fs::remove(fixture.folder() / "lookups" / "t.csv");
  fs::create_symlink(fixture.folder() / "outside.csv", fixture.folder() / "lookups" / "t.csv");
  CHECK(fixture.tables->reload(catalog::TableId{1}).error().code == ErrorCode::SqlInvalidOption);
  fixture.look(5);
  fixture.look(5);
  CHECK(fixture.first_value() == "inside");
  // A folder, a pipe: no regular file.
  fs::remove(fixture.folder() / "lookups" / "t.csv");
  fs::create_directories(fixture.folder() / "lookups" / "t.csv");
  CHECK(fixture.tables->reload(catalog::TableId{1}).error().message.find("no regular file") != std::string::npos);
}

TEST_CASE("the device registry is a table") {
  Fixture fixture;
  catalog::TableDefinition definition = devices_definition();
  definition.id = catalog::TableId{1};
  const auto devices = std::make_shared<const catalog::TableDefinition>(definition);  // as the catalog shares it
  REQUIRE(fixture.tables->restore(devices).has_value());
  CHECK(fixture.status().version == 1);
  CHECK(fixture.status().rows == 0);
  registry::Place site;
  site.path = "north";
  site.time_zone = "UTC";
  REQUIRE(fixture.registry->add_place(site).has_value());
  site.path = "north/pumping";
  site.time_zone.clear();
  REQUIRE(fixture.registry->add_place(site).has_value());
  registry::Device meter;
  meter.name = "m1";
  meter.type = "flow meter";
  meter.place = "north/pumping";
  meter.labels = {{"floor", "3"}};
  meter.interval_us = 90 * kMicrosPerSecond;
  registry::Device plain;
  plain.name = "a2";
  REQUIRE(fixture.registry->add_devices({meter, plain}, {}).has_value());
  CHECK(fixture.status().rows == 0);
  fixture.look(1);
  CHECK(fixture.status().version == 2);
  const auto version = fixture.tables->current(catalog::TableId{1});
  const auto text = [&](size_t column, size_t row) {
    const columnar::Column& values = *version->rows.columns[column];
    return values.valid(row) ? std::string(values.string_at(row)) : std::string("NULL");
  };
  REQUIRE(version->rows.rows == 2);
  CHECK(text(0, 0) == "a2");
  CHECK(text(1, 0) == "NULL");
  CHECK(text(3, 0) == "NULL");
  CHECK(text(0, 1) == "m1");
  CHECK(text(1, 1) == "flow meter");
  CHECK(text(2, 1) == "north/pumping");
  CHECK(text(3, 1) == "north");
  CHECK(text(4, 1) == "north/pumping");
  CHECK(text(5, 1) == "NULL");
  CHECK(text(6, 1) == "{\"floor\":\"3\"}");
  CHECK(version->rows.columns[7]->values<double>()[1] == 90);
  fixture.look(1);
  CHECK(fixture.status().version == 2);
  // The same devices are the same version after a restart.
  fixture.close();
  fixture.open();
  REQUIRE(fixture.tables->restore(devices).has_value());
  CHECK(fixture.status().version == 2);
  CHECK(fixture.status().rows == 2);
  REQUIRE(fixture.registry->remove_device("a2", {}).has_value());
  fixture.look(1);
  CHECK(fixture.status().version == 3);
  CHECK(fixture.status().rows == 1);
}

TEST_CASE("what is stored is sealed, and a page of another version does not open") {
  Fixture fixture;
  fixture.write("a,a secret value\n");
  REQUIRE(fixture.tables->add(table()).has_value());
  const std::string page = "lookup/00000001/page/000000";
  const auto first = *fixture.store->get(store::Family::kCatalog, page);
  REQUIRE(first.has_value());
  CHECK(first->find("secret") == std::string::npos);
  fixture.write("a,another value!\n");
  REQUIRE(fixture.tables->reload(catalog::TableId{1}).has_value());
  store::WriteBatch swap;
  swap.put(store::Family::kCatalog, page, *first);
  REQUIRE(fixture.store->write(std::move(swap), store::Durability::kSynced).has_value());
  fixture.close();
  fixture.open();
  CHECK(fixture.tables->restore(table()).error().code == ErrorCode::SealBroken);
  CHECK(fixture.status().last_error.find("TG7003") == 0);
  CHECK(fixture.first_value() == "nothing");
  fixture.look(60);
  fixture.look(60);
  CHECK(fixture.first_value() == "nothing");  // its next number is not known
  CHECK(fixture.tables->reload(catalog::TableId{1}).error().code == ErrorCode::SealBroken);
  REQUIRE(fixture.tables->drop(catalog::TableId{1}).has_value());
  CHECK(fixture.tables->add(table()).has_value());
}

}  // namespace tidegate::lookup
