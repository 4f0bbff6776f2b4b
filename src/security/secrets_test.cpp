#include "security/secrets.h"

#include <doctest/doctest.h>

#include <filesystem>

namespace tidegate::security {
namespace {

class Fixture {
 public:
  Fixture()
      : folder_(std::filesystem::temp_directory_path() / ("tidegate-secrets-" + std::to_string(random_.next_u64()))) {
    std::filesystem::create_directories(folder_);
    open();
  }
  ~Fixture() {
    secrets.reset();
    store.reset();
    std::filesystem::remove_all(folder_);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  void open() {
    secrets.reset();
    keys_.reset();
    store.reset();
    store = std::move(*store::Store::open(folder_ / "store"));
    keys_ = std::move(*crypto::KeyRing::open(folder_ / "keys", random_));
    secrets = std::move(*Secrets::open(*store, *keys_, random_, clock));
  }

  std::unique_ptr<store::Store> store;
  io::ManualClock clock{0};
  std::unique_ptr<Secrets> secrets;

 private:
  io::SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<crypto::KeyRing> keys_;
};

}  // namespace

TEST_CASE("a secret is kept over a restart, listed without its value, replaced and removed") {
  Fixture site;
  CHECK(site.secrets->value("hooks").error().code == ErrorCode::NotFound);
  site.clock.advance_us(7);
  REQUIRE(site.secrets->set("hooks", "correct horse"));
  site.open();
  CHECK(*site.secrets->value("hooks") == "correct horse");
  const auto listed = site.secrets->list();
  REQUIRE(listed);
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().name == "hooks");
  CHECK(listed->front().changed_us == 7);
  REQUIRE(site.secrets->set("hooks", "battery staple"));
  CHECK(*site.secrets->value("hooks") == "battery staple");
  REQUIRE(site.secrets->remove("hooks"));
  CHECK(site.secrets->remove("hooks").error().code == ErrorCode::NotFound);
  CHECK(site.secrets->list()->empty());
}

TEST_CASE("what is stored does not hold the value, and does not open under another name") {
  Fixture site;
  REQUIRE(site.secrets->set("hooks", "correct horse"));
  const auto sealed = site.store->get(store::Family::kCatalog, "secret/hooks");
  REQUIRE((sealed && sealed->has_value()));
  CHECK((*sealed)->find("correct") == std::string::npos);
  store::WriteBatch moved;
  moved.put(store::Family::kCatalog, "secret/other", **sealed);
  REQUIRE(site.store->write(std::move(moved), store::Durability::kSynced));
  CHECK(site.secrets->value("other").error().code == ErrorCode::SealBroken);
}

TEST_CASE("names and values that cannot be used are refused") {
  Fixture site;
  for (const char* name : {"", "a b", "a/b", "ä", "a\n"}) CHECK_FALSE(site.secrets->set(name, "x"));
  CHECK_FALSE(site.secrets->set(std::string(Secrets::kMaxNameBytes + 1, 'a'), "x"));
  CHECK_FALSE(site.secrets->set("a", ""));
  CHECK_FALSE(site.secrets->set("a", "two\r\nlines"));
  CHECK_FALSE(site.secrets->set("a", std::string(Secrets::kMaxValueBytes + 1, 'a')));
  CHECK(site.secrets->set("a", std::string(Secrets::kMaxValueBytes, 'a')));
}

}  // namespace tidegate::security
