#include <algorithm>

#include "log/internal/log_fixture.h"

namespace tidegate::log {
namespace {

// 8 appends of 5 rows each; the rows of the 8 batches, as texts.
std::vector<std::vector<std::string>> fill(LogFixture& fixture, uint64_t seed) {
  io::SeededRandom random(seed);
  std::vector<std::vector<std::string>> batches;
  for (int at = 0; at < 8; ++at) {
    const columnar::Batch batch = random_batch(random, fixture.devices, 5);
    append_texts(batch, batches.emplace_back());
    REQUIRE(fixture.append(batch));
    fixture.clock.advance_us(kMicrosPerSecond);
  }
  return batches;
}

std::vector<std::string> without(const std::vector<std::vector<std::string>>& batches, std::vector<size_t> lost) {
  std::vector<std::string> rows;
  for (size_t at = 0; at < batches.size(); ++at) {
    if (std::ranges::find(lost, at) == lost.end()) rows.insert(rows.end(), batches[at].begin(), batches[at].end());
  }
  return rows;
}

std::vector<OffsetRange> quarantined(LogFixture& fixture) { return fixture.log->stats().streams.front().quarantined; }

TEST_CASE("a flipped bit anywhere in a batch loses that batch alone, and the loss is remembered") {
  LogFixture fixture("flip");
  const auto batches = fill(fixture, 1);
  const auto stored = fixture.stored('b');
  REQUIRE(stored.size() == 8);
  const std::string& value = stored[3].second;
  for (size_t byte = 0; byte < value.size(); byte += 1 + value.size() / 12) {
    std::string changed = value;
    changed[byte] = static_cast<char>(changed[byte] ^ 0x10);
    fixture.put_raw(stored[3].first, changed);
    fixture.reopen();
    CHECK(fixture.rows_from(Offset{0}) == without(batches, {3}));
    CHECK(quarantined(fixture) == std::vector<OffsetRange>{{Offset{15}, Offset{20}}});
    CHECK(fixture.log->end(kMeters) == Offset{40});
  }
  CHECK(fixture.log->read(kMeters, Offset{17}, 10).error().code == ErrorCode::LogCorrupted);
  CHECK(fixture.log->next_readable(kMeters, Offset{17}) == Offset{20});
  io::SeededRandom random(9);
  CHECK(fixture.append(random_batch(random, fixture.devices, 2)));
  fixture.clock.advance_us(86400 * kMicrosPerSecond);
  CHECK(fixture.log->maintain());
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}).size() == 37);
}

TEST_CASE("batches that were swapped, removed or put back in time are found") {
  LogFixture fixture("swap");
  const auto batches = fill(fixture, 2);
  const auto stored = fixture.stored('b');
  fixture.put_raw(stored[1].first, stored[2].second);
  fixture.put_raw(stored[2].first, stored[1].second);
  store::WriteBatch removal;
  removal.erase(store::Family::kLog, stored[5].first);
  removal.erase(store::Family::kLog, stored[7].first);
  CHECK(fixture.store->write(std::move(removal), store::Durability::kSynced));
  fixture.reopen();
  CHECK(fixture.log->end(kMeters) == Offset{40});
  CHECK(fixture.rows_from(Offset{0}) == without(batches, {1, 2, 5, 7}));
  CHECK(fixture.log->stats().integrity_errors > 0);
}

TEST_CASE("a broken segment is quarantined when it is read, without a restart") {
  LogFixture fixture("segment", [] {
    EmbeddedLogOptions options = LogFixture::manual_options();
    options.tail_bytes = 0;
    return options;
  }());
  const auto first = fill(fixture, 3);
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  REQUIRE(fixture.log->maintain());
  const auto second = fill(fixture, 4);
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  REQUIRE(fixture.log->maintain());
  const auto stored = fixture.stored('s');
  REQUIRE(stored.size() == 2);
  std::string changed = stored[0].second;
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  fixture.put_raw(stored[0].first, changed);
  CHECK(fixture.rows_from(Offset{0}) == without(second, {}));
  CHECK(quarantined(fixture) == std::vector<OffsetRange>{{Offset{0}, Offset{40}}});
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}) == without(second, {}));
}

TEST_CASE("a lost, broken or older head or manifest is rebuilt from the pieces and reported") {
  for (const char kind : {'h', 'm'}) {
    for (const std::string how : {"flip", "erase", "older"}) {
      CAPTURE(kind);
      CAPTURE(how);
      LogFixture fixture("index");
      const auto first = fill(fixture, 5);
      fixture.clock.advance_us(3600 * kMicrosPerSecond);
      REQUIRE(fixture.log->maintain());
      const auto older = fixture.stored(kind);
      const auto second = fill(fixture, 6);
      fixture.clock.advance_us(3600 * kMicrosPerSecond);
      if (kind == 'm') REQUIRE(fixture.log->maintain());
      auto record = fixture.stored(kind).front();
      if (how == "flip") record.second[20] = static_cast<char>(record.second[20] ^ 1);
      if (how == "older") record.second = older.front().second;
      fixture.put_raw(record.first, record.second);
      if (how == "erase") {
        store::WriteBatch removal;
        removal.erase(store::Family::kLog, record.first);
        REQUIRE(fixture.store->write(std::move(removal), store::Durability::kSynced));
      }
      fixture.reopen();
      CHECK(fixture.log->stats().integrity_errors > 0);
      std::vector<std::string> expected = without(first, {});
      const std::vector<std::string> rest = without(second, {});
      expected.insert(expected.end(), rest.begin(), rest.end());
      CHECK(fixture.rows_from(Offset{0}) == expected);
      CHECK(fixture.log->end(kMeters) == Offset{80});
      fixture.reopen();
      CHECK(fixture.log->stats().integrity_errors == 0);
      CHECK(fixture.rows_from(Offset{0}) == expected);
    }
  }
}

}  // namespace
}  // namespace tidegate::log
