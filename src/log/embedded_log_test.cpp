#include "log/internal/log_fixture.h"

namespace tidegate::log {
namespace {

using columnar::Batch;

TEST_CASE("every type, NULL and row kind comes back, from memory and from the store, from every offset") {
  LogFixture fixture("round_trip");
  io::SeededRandom random(1);
  std::vector<std::string> expected;
  for (int at = 0; at < 12; ++at) {
    const Batch batch = random_batch(random, fixture.devices, 1 + random.below(30));
    append_texts(batch, expected);
    CHECK(fixture.append(batch));
  }
  CHECK(fixture.log->end(kMeters).value == static_cast<int64_t>(expected.size()));
  CHECK(fixture.rows_from(Offset{0}) == expected);
  fixture.reopen();
  CHECK(fixture.log->end(kMeters).value == static_cast<int64_t>(expected.size()));
  for (size_t from = 0; from <= expected.size(); ++from) {
    const std::vector<std::string> rest(expected.begin() + static_cast<ptrdiff_t>(from), expected.end());
    CHECK(fixture.rows_from(Offset{static_cast<int64_t>(from)}, kMeters, 7) == rest);
  }
  CHECK(fixture.log->read(kMeters, fixture.log->end(kMeters), 10).value().empty());
}

TEST_CASE("re-batching keeps offsets, rows and ingest times, and survives reopening") {
  LogFixture fixture("rebatch");
  io::SeededRandom random(2);
  std::vector<std::string> expected;
  for (int at = 0; at < 20; ++at) {
    const Batch batch = random_batch(random, fixture.devices, 25);
    append_texts(batch, expected);
    CHECK(fixture.append(batch));
    fixture.clock.advance_us(kMicrosPerSecond);
  }
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  CHECK(fixture.log->maintain());
  CHECK(fixture.stored('b').empty());
  CHECK(fixture.stored('s').size() == 1);
  CHECK(fixture.append(random_batch(random, fixture.devices, 1)));
  fixture.reopen();
  std::vector<std::string> rows = fixture.rows_from(Offset{0});
  rows.pop_back();
  CHECK(rows == expected);
  CHECK(fixture.rows_from(Offset{333}).size() == 168);
  const int64_t start = 1'750'000'000'000'000;
  for (int at = 0; at < 20; ++at) {
    CHECK(fixture.log->offset_at(kMeters, IngestTime{start + at * kMicrosPerSecond}).value() == Offset{at * 25});
    CHECK(fixture.log->offset_at(kMeters, IngestTime{start + at * kMicrosPerSecond - 1}).value() == Offset{at * 25});
  }
  CHECK(fixture.log->offset_at(kMeters, IngestTime{INT64_MAX}).value() == fixture.log->end(kMeters));
}

TEST_CASE("retention drops what is older than the stream's option, and offsets go on") {
  LogFixture fixture("retention");
  fixture.meters->options["retention"] = "1 h";
  fixture.reopen();
  io::SeededRandom random(3);
  for (int at = 0; at < 10; ++at) {
    CHECK(fixture.append(random_batch(random, fixture.devices, 10)));
    fixture.clock.advance_us(900 * kMicrosPerSecond);
    CHECK(fixture.log->maintain());
  }
  CHECK(fixture.log->begin(kMeters).value >= 50);
  CHECK(fixture.log->end(kMeters) == Offset{100});
  CHECK(fixture.log->read(kMeters, Offset{0}, 10).error().code == ErrorCode::OffsetOutOfRange);
  const Offset begin = fixture.log->begin(kMeters);
  fixture.reopen();
  CHECK(fixture.log->begin(kMeters) == begin);
  CHECK(fixture.rows_from(begin).size() == static_cast<size_t>(100 - begin.value));
  fixture.clock.advance_us(7200 * kMicrosPerSecond);
  CHECK(fixture.log->maintain());
  CHECK(fixture.log->begin(kMeters) == Offset{100});
  fixture.reopen();
  CHECK(fixture.log->begin(kMeters) == Offset{100});
  CHECK(fixture.log->end(kMeters) == Offset{100});
  CHECK(fixture.append(random_batch(random, fixture.devices, 3)));
  CHECK(fixture.rows_from(Offset{100}).size() == 3);
}

TEST_CASE("retention is read in days, hours, minutes and seconds") {
  CHECK(parse_retention("7 d").value() == 7 * 86400 * kMicrosPerSecond);
  CHECK(parse_retention("12h").value() == 12 * 3600 * kMicrosPerSecond);
  CHECK(parse_retention("30 min").value() == 1800 * kMicrosPerSecond);
  CHECK(parse_retention("45 s").value() == 45 * kMicrosPerSecond);
  for (const char* text : {"", "d", "7", "7 x", "-1 d", "0 s", "99999999999999999999 d", "7 days"}) {
    CHECK(parse_retention(text).error().code == ErrorCode::SqlInvalidOption);
  }
}

TEST_CASE("an epoch is atomic, and its state is sealed to its key") {
  LogFixture fixture("epoch");
  io::SeededRandom random(4);
  const PipelineId pipeline{3};
  Result<> outcome = fail(ErrorCode::Bug, "not called");
  const auto note = [&](Result<> result) { outcome = std::move(result); };
  EpochCommit epoch{pipeline, {}, {{"a/1", "one"}, {"a/2", "two"}, {"b/1", "three"}}, {}};
  epoch.outputs.emplace_back(kMeters, random_batch(random, fixture.devices, 5));
  epoch.outputs.emplace_back(kTotals, random_batch(random, fixture.devices, 6));
  fixture.log->commit(std::move(epoch), note);
  CHECK(outcome);
  CHECK(fixture.log->end(kMeters) == Offset{5});
  CHECK(fixture.log->end(kTotals) == Offset{6});
  EpochCommit refused{pipeline, {}, {{"a/1", "changed"}}, {"b/1"}};
  refused.outputs.emplace_back(kMeters, random_batch(random, fixture.devices, 5));
  refused.outputs.emplace_back(StreamId{99}, random_batch(random, fixture.devices, 5));
  fixture.log->commit(std::move(refused), note);
  CHECK(outcome.error().code == ErrorCode::NotFound);
  CHECK(fixture.log->end(kMeters) == Offset{5});
  fixture.log->commit(EpochCommit{pipeline, {}, {}, {"a/2"}}, note);
  CHECK(outcome);
  fixture.reopen();
  CHECK(fixture.log->get_state(pipeline, "a/1").value() == "one");
  CHECK_FALSE(fixture.log->get_state(pipeline, "a/2").value());
  CHECK(fixture.log->scan_state(pipeline, "").value().size() == 2);
  CHECK(fixture.log->scan_state(pipeline, "b/").value().front().value == "three");
  std::vector<std::pair<std::string, std::string>> sealed;
  CHECK(fixture.store->scan(store::Family::kState, "", "", [&](std::string_view key, std::string_view value) {
    sealed.emplace_back(key, value);
    return true;
  }));
  store::WriteBatch swapped;
  swapped.put(store::Family::kState, sealed[0].first, sealed[1].second);
  CHECK(fixture.store->write(std::move(swapped), store::Durability::kSynced));
  CHECK(fixture.log->get_state(pipeline, "a/1").error().code == ErrorCode::SealBroken);
  CHECK(fixture.log->drop_state(pipeline));
  CHECK(fixture.log->scan_state(pipeline, "").value().empty());
}

TEST_CASE("what does not fit its stream is refused and changes nothing; a dropped stream is gone") {
  LogFixture fixture("refuse");
  io::SeededRandom random(5);
  Batch batch = random_batch(random, fixture.devices, 4);
  CHECK(fixture.append(batch));
  Batch other = batch;
  other.columns.erase(other.columns.begin() + 4);
  CHECK(fixture.append(other).error().code == ErrorCode::RecordDoesNotFit);
  other = batch;
  other.columns.push_back(other.columns.back());
  CHECK(fixture.append(other).error().code == ErrorCode::RecordDoesNotFit);
  CHECK(fixture.append(batch, StreamId{55}).error().code == ErrorCode::NotFound);
  CHECK(fixture.log->end(kMeters) == Offset{4});
  CHECK(fixture.log->queued_bytes() == 0);
  CHECK(fixture.log->drop_stream(kMeters));
  CHECK(fixture.append(batch).error().code == ErrorCode::NotFound);
  CHECK(fixture.stored('b').empty());
  CHECK(fixture.stored('h').empty());
}

TEST_CASE("an append from a callback commits after it, and subscriptions end when their handle goes") {
  LogFixture fixture("nested");
  io::SeededRandom random(6);
  int calls = 0;
  auto subscription = fixture.log->on_append(kMeters, [&] { ++calls; });
  bool inner_done = false;
  const Batch batch = random_batch(random, fixture.devices, 2);
  fixture.log->append(kMeters, batch, [&](Result<>) {
    fixture.log->append(kTotals, batch, [&](Result<>) { inner_done = true; });
    CHECK_FALSE(inner_done);
  });
  CHECK(inner_done);
  CHECK(calls == 1);
  subscription.reset();
  CHECK(fixture.append(batch));
  CHECK(calls == 1);
}

TEST_CASE("large batches are cut into pieces, small ones of a group are joined") {
  LogFixture fixture("pieces");
  io::SeededRandom random(7);
  const Batch batch = random_batch(random, fixture.devices, 150'000);
  std::vector<std::string> expected;
  append_texts(batch, expected);
  CHECK(fixture.append(batch));
  CHECK(fixture.stored('b').size() >= 3);
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}, kMeters, 100'000) == expected);
  CHECK(fixture.log->maintain());
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}, kMeters, 100'000) == expected);
}

}  // namespace
}  // namespace tidegate::log
