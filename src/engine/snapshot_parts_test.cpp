// Snapshots that go into the log in parts: whatever part a kill comes after, nothing is lost and nothing is left over.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "engine/internal/commit_parts.h"
#include "engine/internal/epoch_record.h"
#include "engine/internal/fixture.h"

namespace tidegate::engine {

namespace {

constexpr PipelineId kPipeline{7};

std::vector<std::string> keys_of(Bench& bench, std::string_view prefix) {
  return *bench.log.state_keys(kPipeline, prefix);
}

std::vector<Reading> one_each(int64_t time_us) {
  std::vector<Reading> readings;
  for (const char* device : {"a", "b", "c", "d", "e"}) readings.push_back({device, time_us, 1});
  return readings;
}

// A window that never closes before the end: two snapshots, and the rows between them.
void fill(Bench& bench) {
  for (int64_t second = 0; second < 4; ++second) {
    bench.append(one_each(second * kSecond));
    (void)bench.engine->run_until_idle();
    bench.clock.advance_us(10 * kSecond);
  }
}

std::vector<std::string> finish(Bench& bench) {
  bench.run();
  bench.push(one_each(60 * kSecond));
  return sorted(bench.results());
}

log::EpochCommit commit_of(std::initializer_list<std::pair<const char*, size_t>> puts) {
  log::EpochCommit commit{kPipeline, {}, {}, {"epoch/1"}};
  for (const auto& [key, size] : puts) commit.puts.push_back({key, std::string(size, 'x')});
  return commit;
}

}  // namespace

TEST_CASE("a small snapshot is one commit") {
  const auto parts = in_parts(commit_of({{"page/a", 10}, {"snapshot", 5}}), 100);
  REQUIRE(parts.size() == 1);
  CHECK(parts.front().puts.size() == 2);
  CHECK(parts.front().deletes == std::vector<std::string>{"epoch/1"});
}

TEST_CASE("the pages of a large one go ahead of what makes them count") {
  const auto parts =
      in_parts(commit_of({{"page/a", 40}, {"page/b", 40}, {"page/c", 40}, {"page/d", 400}, {"snapshot", 50}}), 100);
  REQUIRE(parts.size() == 4);
  CHECK(parts[0].puts.size() == 3);
  CHECK(parts[0].puts.back().key == kPagesAheadKey);
  CHECK(parts[1].puts.size() == 1);
  CHECK(parts[2].puts.front().key == "page/d");
  REQUIRE(parts[3].puts.size() == 1);
  CHECK(parts[3].puts.front().key == kManifestKey);
  CHECK(parts[3].deletes == std::vector<std::string>{"epoch/1", std::string(kPagesAheadKey)});
  for (size_t at = 0; at < 3; ++at) CHECK(parts[at].deletes.empty());
}

TEST_CASE("a kill between the parts of a snapshot loses nothing and leaves nothing over") {
  Bench whole;
  whole.start(Query{});
  fill(whole);
  const std::vector<std::string> expected = finish(whole);
  REQUIRE(expected.size() == 5);
  const size_t pages = keys_of(whole, kPagePrefix).size();
  size_t ahead = 0;
  for (int good = 0; good < 24; ++good) {
    CAPTURE(good);
    Bench bench;
    bench.options.snapshot_commit_bytes = 1;
    bench.options.clean_stop = false;
    bench.log.good_commits = good;
    bench.log.failing_commits = 1000;
    bench.start(Query{});
    fill(bench);
    ahead += keys_of(bench, kPagesAheadKey).size();
    bench.kill();
    bench.log.failing_commits = 0;
    bench.start(Query{});
    CHECK(finish(bench) == expected);
    bench.clock.advance_us(10 * kSecond);
    bench.run();
    CHECK(keys_of(bench, kPagePrefix).size() == pages);
    CHECK(keys_of(bench, kPagesAheadKey).empty());
    CHECK(keys_of(bench, kManifestKey).size() == 1);
  }
  CHECK(ahead > 8);  // most kills came in the middle of a snapshot
}

TEST_CASE("a kill between the parts of a snapshot that moves state to other workers loses nothing") {
  Query by_kind;
  by_kind.group_by = GroupBy::kKind;
  const auto readings_at = [](int64_t time_us) {
    std::vector<Reading> readings;
    for (int device = 0; device < 24; ++device) readings.push_back({fmt::format("d{}", device), time_us, device / 4.0});
    return readings;
  };
  // An odd and an even number of snapshots: their pages alternate between two places.
  for (int64_t snapshots = 3; snapshots < 5; ++snapshots) {
    for (int good = 0; good < 24; ++good) {
      CAPTURE(good);
      CAPTURE(snapshots);
      Bench bench;
      bench.options.clean_stop = false;
      bench.options.threads = 2;
      bench.start(by_kind);
      for (int64_t second = 0; second < snapshots; ++second) {
        bench.push(readings_at(second * kSecond));
        bench.clock.advance_us(10 * kSecond);
      }
      bench.kill();
      bench.options.threads = 3;
      bench.options.snapshot_commit_bytes = 1;
      bench.log.good_commits = good;
      bench.log.failing_commits = 1000;
      bench.start(by_kind);
      bench.append(readings_at(snapshots * kSecond));
      (void)bench.engine->run_until_idle();
      bench.kill();
      bench.log.failing_commits = 0;
      bench.start(by_kind);
      bench.run();
      bench.push(readings_at(60 * kSecond));
      const std::vector<std::string> results = bench.results();
      REQUIRE(!results.empty());
      int64_t rows = 0;
      for (const std::string& line : results) rows += std::stoll(line.substr(line.find("|9999|") + 6));
      CHECK(rows == 24 * (snapshots + 1));
    }
  }
}

// One operator with pages in one place, as versions before the present one wrote them.
std::vector<PageRun> runs_of_version(uint8_t version, uint64_t pages) {
  std::string bytes = encode(Manifest{});
  bytes.front() = static_cast<char>(version);
  bytes.resize(bytes.size() - 2);  // number of workers, of operators
  ByteWriter out(bytes);
  out.varint(1);
  out.text("window-1");
  for (const uint64_t number : {uint64_t{1}, uint64_t{5}, pages, uint64_t{9}}) out.varint(number);
  return decode_manifest(bytes).value().operators.at(0).places.at(5);
}

TEST_CASE("manifests with one run of pages per place, in one of two banks or in the only one, are read") {
  const std::vector<PageRun> two_banks = runs_of_version(4, 3U << 1U | 1U);
  REQUIRE(two_banks.size() == 1);
  CHECK(two_banks[0].pages == 3);
  CHECK(two_banks[0].epoch == EpochId{9});
  CHECK(page_key("w", {5, 0}, two_banks[0].bank, 1) == "page/w/05/0000/800001");
  const std::vector<PageRun> one_bank = runs_of_version(3, 3);
  REQUIRE(one_bank.size() == 1);
  CHECK(one_bank[0].pages == 3);
  CHECK(page_key("w", {5, 0}, one_bank[0].bank, 1) == "page/w/05/0000/000001");
}

TEST_CASE("a part that cannot be stored is tried again") {
  Bench bench;
  bench.options.snapshot_commit_bytes = 1;
  bench.start(Query{});
  bench.log.good_commits = 2;
  bench.log.failing_commits = 1;
  bench.append(one_each(0));
  REQUIRE(!bench.engine->run_until_idle());
  bench.run();
  CHECK(keys_of(bench, kPagePrefix).size() == 5);
  CHECK(keys_of(bench, kPagesAheadKey).empty());
  CHECK(bench.status().error.empty());
  CHECK(bench.status().epochs == 1);
}

TEST_CASE("state that another query left in the same places is replaced, not lost") {
  Bench bench;
  bench.start(Query{});
  bench.push(one_each(0));
  bench.kill();
  // One operator more below the window, under an id of its own: nothing of what is stored fits.
  bench.log.change_state(kPipeline, [](std::map<std::string, std::string>& state) {
    Manifest manifest = *decode_manifest(state[std::string(kManifestKey)]);
    manifest.operators.push_back({"window-0", {}});
    state[std::string(kManifestKey)] = encode(manifest);
  });
  bench.start(Query{});
  bench.clock.advance_us(10 * kSecond);
  bench.push(one_each(1 * kSecond));
  bench.kill();
  bench.start(Query{});
  CHECK(finish(bench).size() == 5);
}

}  // namespace tidegate::engine
