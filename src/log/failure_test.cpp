// What the log does when the store fails under it.
#include "log/internal/log_fixture.h"

namespace tidegate::log {
namespace {

// Passes everything on to a store, but refuses writes while told to.
class FullDisk final : public store::Store {
 public:
  explicit FullDisk(store::Store& inner) : inner_(inner) {}
  bool full = false;

  Result<> write(store::WriteBatch batch, store::Durability durability) override {
    if (full) return fail(ErrorCode::DiskFull, "the disk is full");
    return inner_.write(std::move(batch), durability);
  }
  Result<std::optional<std::string>> get(store::Family family, std::string_view key) override {
    return inner_.get(family, key);
  }
  Result<> scan(store::Family family, std::string_view begin, std::string_view end, const Visit& visit) override {
    return inner_.scan(family, begin, end, visit);
  }
  Result<> scan_back(store::Family family, std::string_view begin, std::string_view end, const Visit& visit) override {
    return inner_.scan_back(family, begin, end, visit);
  }
  uint64_t disk_bytes() const override { return inner_.disk_bytes(); }

 private:
  store::Store& inner_;
};

TEST_CASE("a full disk fails appends, epochs and maintenance whole, and the log goes on when there is room") {
  LogFixture fixture("full_disk");
  fixture.log.reset();
  FullDisk disk(*fixture.store);
  fixture.log = EmbeddedLog::open(disk, *fixture.keys, fixture.system_random, fixture.clock, fixture.devices,
                                  LogFixture::manual_options())
                    .value();
  REQUIRE(fixture.log->open_stream(fixture.meters));
  io::SeededRandom random(1);
  std::vector<std::string> expected;
  const auto append_good = [&] {
    const columnar::Batch batch = random_batch(random, fixture.devices, 5);
    append_texts(batch, expected);
    CHECK(fixture.append(batch));
  };
  append_good();
  append_good();
  int notified = 0;
  const auto subscription = fixture.log->on_append(kMeters, [&] { ++notified; });
  disk.full = true;
  CHECK(fixture.append(random_batch(random, fixture.devices, 9)).error().code == ErrorCode::DiskFull);
  EpochCommit epoch{PipelineId{1}, {}, {{"position", "10"}}, {}};
  epoch.outputs.emplace_back(kMeters, random_batch(random, fixture.devices, 5));
  Result<> outcome;
  fixture.log->commit(std::move(epoch), [&](Result<> result) { outcome = std::move(result); });
  CHECK(outcome.error().code == ErrorCode::DiskFull);
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  CHECK(fixture.log->maintain().error().code == ErrorCode::DiskFull);
  CHECK(fixture.log->end(kMeters) == Offset{10});
  CHECK(notified == 0);
  CHECK(fixture.log->queued_bytes() == 0);
  CHECK_FALSE(fixture.log->get_state(PipelineId{1}, "position").value());
  CHECK(fixture.rows_from(Offset{0}) == expected);
  disk.full = false;
  append_good();
  CHECK(notified == 1);
  CHECK(fixture.log->maintain());
  CHECK(fixture.rows_from(Offset{0}) == expected);
  CHECK(fixture.log->stats().failed_commits == 2);
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}) == expected);
  CHECK(fixture.log->stats().integrity_errors == 0);
}

}  // namespace
}  // namespace tidegate::log
