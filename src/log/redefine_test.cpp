// Streams that get columns: old and new pieces, the tail, writers that do not know them, crashes in between.
#include <atomic>
#include <thread>

#include "log/internal/log_fixture.h"

namespace tidegate::log {
namespace {

using columnar::Batch;
using columnar::TypeKind;

std::shared_ptr<catalog::StreamDefinition> wider() {
  auto definition = definition_of(kMeters, "meters");
  columnar::Schema schema = *definition->schema;
  schema.fields.push_back({"level", TypeKind::kBigint, true});
  schema.fields.push_back({"word", TypeKind::kString, true});
  definition->schema = std::make_shared<const columnar::Schema>(std::move(schema));
  return definition;
}

// Every third row has values in the columns that came.
Batch with_new_columns(Batch batch) {
  columnar::ColumnBuilder level((columnar::Type(TypeKind::kBigint)));
  columnar::ColumnBuilder word((columnar::Type(TypeKind::kString)));
  for (size_t row = 0; row < batch.rows; ++row) {
    if (row % 3 == 0) {
      level.append(static_cast<int64_t>(row));
      word.append_string("w");
    } else {
      level.append_null();
      word.append_null();
    }
  }
  batch.columns.push_back(level.finish());
  batch.columns.push_back(word.finish());
  batch.schema = wider()->schema;
  return batch;
}

// As `with_new_columns`, without values.
std::vector<std::string> padded(const Batch& batch) {
  std::vector<std::string> rows;
  append_texts(batch, rows);
  for (std::string& row : rows) row += "|NULL|NULL";
  return rows;
}

void add(std::vector<std::string>& all, const std::vector<std::string>& rows) {
  all.insert(all.end(), rows.begin(), rows.end());
}

}  // namespace

TEST_CASE("what was written before and what is written without the new columns reads as NULL, from wherever") {
  LogFixture fixture("redefine");
  io::SeededRandom random(11);
  std::vector<std::string> expected;
  for (int part = 0; part < 4; ++part) {
    const Batch batch = random_batch(random, fixture.devices, 5 + random.below(20));
    REQUIRE(fixture.append(batch));
    add(expected, padded(batch));
  }
  REQUIRE(fixture.log->maintain());
  fixture.meters = wider();
  REQUIRE(fixture.log->open_stream(fixture.meters));
  CHECK(fixture.rows_from(Offset{0}) == expected);  // from the tail
  for (int part = 0; part < 12; ++part) {
    const Batch batch = random_batch(random, fixture.devices, 5 + random.below(20));
    if (part % 2 == 0) {
      REQUIRE(fixture.append(batch));
      add(expected, padded(batch));
    } else {
      const Batch wide = with_new_columns(batch);
      REQUIRE(fixture.append(wide));
      append_texts(wide, expected);
    }
  }
  CHECK(fixture.rows_from(Offset{0}) == expected);
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}) == expected);  // from write-ahead batches
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  REQUIRE(fixture.log->maintain());
  CHECK(fixture.stored('s').size() == 1);  // old and new ones in one segment
  CHECK(fixture.rows_from(Offset{0}) == expected);
  CHECK(fixture.rows_from(Offset{0}, kMeters, 3) == expected);
  fixture.reopen();
  CHECK(fixture.rows_from(Offset{0}) == expected);
  CHECK(fixture.log->stats().integrity_errors == 0);
}

TEST_CASE("a crash before the catalog knows the columns leaves nothing that the old definition cannot read") {
  LogFixture fixture("redefine_crash");
  io::SeededRandom random(12);
  std::vector<std::string> expected;
  const auto append = [&] {
    const Batch batch = random_batch(random, fixture.devices, 20);
    REQUIRE(fixture.append(batch));
    append_texts(batch, expected);
  };
  append();
  REQUIRE(fixture.log->open_stream(wider()));
  append();  // by a writer that cannot know them yet
  fixture.clock.advance_us(3600 * kMicrosPerSecond);
  append();
  REQUIRE(fixture.log->maintain());  // a segment, written with the new columns known
  fixture.reopen();                  // with the old definition
  CHECK(fixture.rows_from(Offset{0}) == expected);
  CHECK(fixture.log->stats().integrity_errors == 0);
}

TEST_CASE("a definition that could not be kept is taken back, in the tail too") {
  LogFixture fixture("redefine_undo");
  io::SeededRandom random(13);
  const Batch batch = random_batch(random, fixture.devices, 30);
  std::vector<std::string> expected;
  append_texts(batch, expected);
  REQUIRE(fixture.append(batch));
  REQUIRE(fixture.log->open_stream(wider()));
  CHECK(fixture.rows_from(Offset{0}) == padded(batch));
  const size_t tail_bytes = fixture.log->stats().tail_bytes;
  REQUIRE(fixture.log->open_stream(definition_of(kMeters, "meters")));
  CHECK(fixture.rows_from(Offset{0}) == expected);
  CHECK(fixture.log->stats().tail_bytes < tail_bytes);
  CHECK(fixture.append(with_new_columns(batch)).error().code == ErrorCode::RecordDoesNotFit);
}

TEST_CASE("a stream changes while others append to it and read it, and no row is lost or cut") {
  LogFixture fixture("redefine_threads", {});
  constexpr int kBatches = 200;
  std::atomic<int> done{0};
  io::SeededRandom random(14);
  const Batch batch = random_batch(random, fixture.devices, 10);
  std::thread writer([&] {
    for (int at = 0; at < kBatches; ++at) {
      fixture.log->append(kMeters, batch, [&](const Result<>& result) { done += result ? 1 : 1'000'000; });
    }
  });
  for (int at = 0; at < 20; ++at) {
    const bool wide = at % 2 == 0;
    REQUIRE(fixture.log->open_stream(wide ? wider() : definition_of(kMeters, "meters")));
    const auto read = fixture.log->read(kMeters, Offset{0}, 1'000'000);
    REQUIRE(read);
    for (const LogBatchPtr& part : *read) REQUIRE(part->batch.columns.size() == (wide ? 9 : 7));
  }
  writer.join();
  REQUIRE(fixture.log->open_stream(wider()));  // behind all that was queued
  CHECK(done == kBatches);
  std::vector<std::string> expected;
  for (int at = 0; at < kBatches; ++at) add(expected, padded(batch));
  CHECK(fixture.rows_from(Offset{0}) == expected);
}

}  // namespace tidegate::log
