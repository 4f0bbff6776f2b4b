// The parts that have arithmetic or bytes of their own.
#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "engine/internal/accumulators.h"
#include "engine/internal/epoch_outputs.h"
#include "engine/internal/epoch_record.h"
#include "engine/internal/fixture.h"
#include "engine/internal/group_keys.h"
#include "engine/internal/window_math.h"
#include "io/random.h"

namespace tidegate::engine {

using columnar::TypeKind;

TEST_CASE("window arithmetic, against enumerating the windows") {
  for (const sql::WindowSpec& spec : {sql::WindowSpec{sql::WindowKind::kHop, 10'000, 4'000, 0},
                                      sql::WindowSpec{sql::WindowKind::kHop, 12'000, 4'000, 1'000},
                                      sql::WindowSpec{sql::WindowKind::kTumble, 7'000, 7'000, -3'000}}) {
    const WindowMath math(spec);
    for (int64_t time = -50'000; time < 50'000; time += 500) {
      std::set<int64_t> ends;
      for (int64_t n = -40; n < 40; ++n) {
        const int64_t start = spec.offset_us + n * spec.slide_us;
        if (start <= time && time < start + spec.size_us) ends.insert(start + spec.size_us);
      }
      const int64_t slice = math.slice_start(time);
      CHECK(slice <= time);
      CHECK(time < slice + math.slice());
      CHECK(math.first_end(slice) == *ends.begin());
      CHECK(math.last_end(slice) == *ends.rbegin());
    }
  }
}

TEST_CASE("windows that grow, against enumerating them") {
  const sql::WindowSpec spec{sql::WindowKind::kCumulate, 12'000, 4'000, 1'000};
  const WindowMath math(spec);
  for (int64_t time = -50'000; time < 50'000; time += 500) {
    std::set<int64_t> ends;
    int64_t start = spec.offset_us - 120'000;
    while (start + spec.size_us <= time) start += spec.size_us;
    for (int64_t end = start + spec.slide_us; end <= start + spec.size_us; end += spec.slide_us) {
      if (end > time) ends.insert(end);
    }
    const int64_t slice = math.slice_start(time);
    CHECK(slice <= time);
    CHECK(time < slice + math.slice());
    CHECK(math.first_end(slice) == *ends.begin());
    CHECK(math.last_end(slice) == *ends.rbegin());
    for (const int64_t end : ends) {
      CHECK(math.start_of(end) == start);
      CHECK(math.is_end_of(slice, end));
      CHECK(math.kept_from(end) == (end == start + spec.size_us ? end : start));
    }
    CHECK(!math.is_end_of(slice, *ends.rbegin() + spec.slide_us));
  }
}

TEST_CASE("the next open window after a watermark") {
  const WindowMath math({sql::WindowKind::kHop, 10'000, 5'000, 0});
  CHECK(math.open_end(10'000, 8'999) == 10'000);
  CHECK(math.open_end(10'000, 9'000) == 15'000);
  CHECK(math.open_end(10'000, 14'000) == 20'000);
  CHECK(math.open_end(10'000, 13'999) == 15'000);
}

TEST_CASE("what an epoch brings forth is handed over in parts, whatever some rows weigh") {
  const auto stream = readings_stream();
  columnar::StringPool devices;
  columnar::BatchBuilder builder(stream->schema);
  const std::string heavy(4000, 'x');
  for (int64_t row = 0; row < 1000; ++row) {
    builder.column(0).append_string(fmt::format("d{}", row % 7));
    builder.column(1).append<int64_t>(row);
    builder.column(2).append<double>(1);
    builder.column(3).append<int64_t>(row);
    builder.column(4).append_string(row > 900 ? heavy : "k");
    builder.end_row();
  }
  log::EpochCommit commit{PipelineId{1}, {}, {}, {}};
  add_rows(stream->id, as_rows_of(*stream, builder.finish(), devices), commit, 20'000);
  CHECK(commit.outputs.size() > 20);
  int64_t next = 0;
  for (const auto& [id, batch] : commit.outputs) {
    CHECK(id == stream->id);
    CHECK(batch.memory_bytes() <= 40'000);
    CHECK(batch.columns[0]->pool == &devices);
    for (size_t row = 0; row < batch.rows; ++row) CHECK(batch.columns[3]->integer_at(row) == next++);
  }
  CHECK(next == 1000);
}

TEST_CASE("key tables keep, forget and reuse keys") {
  KeyTable table;
  io::SeededRandom random(5);
  std::map<std::string, uint32_t> expected;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = std::to_string(random.below(700));
    const auto known = expected.find(key);
    if (known != expected.end() && random.below(2) == 0) {
      table.erase(known->second);
      expected.erase(known);
      continue;
    }
    bool added = false;
    const uint32_t group = table.find_or_add(key, added);
    CHECK(added == (known == expected.end()));
    if (!added) CHECK(group == known->second);
    expected[key] = group;
    CHECK(table.key(group) == key);
  }
  CHECK(table.size() == expected.size());
}

namespace {

struct Sums {
  columnar::Schema input{{{"i", TypeKind::kInt, true},
                          {"b", TypeKind::kBigint, true},
                          {"d", TypeKind::kDouble, true},
                          {"s", TypeKind::kString, true},
                          {"f", TypeKind::kBoolean, true}}};
  std::vector<sql::Aggregate> aggregates() const {
    using enum sql::AggregateFunction;
    return {{kSum, 0, TypeKind::kBigint}, {kAvg, 1, TypeKind::kDouble},  {kMin, 2, TypeKind::kDouble},
            {kMin, 3, TypeKind::kString}, {kMax, 4, TypeKind::kBoolean}, {kMax, 0, TypeKind::kInt}};
  }
  columnar::SchemaPtr output() const {
    auto schema = std::make_shared<columnar::Schema>();
    for (const sql::Aggregate& aggregate : aggregates()) schema->fields.push_back({"a", aggregate.type, true});
    return schema;
  }
};

columnar::Batch random_input(const Sums& sums, io::SeededRandom& random) {
  columnar::BatchBuilder rows(std::make_shared<columnar::Schema>(sums.input));
  for (int i = 0; i < 50; ++i) {
    rows.column(0).append(static_cast<int32_t>(random.below(1000)));
    rows.column(1).append(static_cast<int64_t>(random.next_u64() >> 2));
    if (random.below(3) == 0) {
      rows.column(2).append(std::numeric_limits<double>::quiet_NaN());
    } else {
      rows.column(2).append(random.unit());
    }
    rows.column(3).append_string(std::to_string(random.below(100)));
    if (random.below(3) == 0) {
      rows.column(4).append_null();
    } else {
      rows.column(4).append(static_cast<uint8_t>(random.below(2)));
    }
    rows.end_row();
  }
  return rows.finish();
}

std::string result_of(const Sums& sums, const Accumulators& accumulators, uint32_t slot) {
  columnar::BatchBuilder out(sums.output());
  (void)accumulators.emit(slot, {}, out, 0);
  out.end_row();
  const columnar::Batch row = out.finish();
  std::string text;
  for (const auto& column : row.columns) {
    text += column->type == TypeKind::kString   ? std::string(column->string_at(0))
            : column->type == TypeKind::kDouble ? std::to_string(column->values<double>()[0])
                                                : std::to_string(column->integer_at(0));
    text += ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("merging parts, and writing and reading a slot, equal adding everything to one slot") {
  const Sums sums;
  const AggregateLayout layout(sums.aggregates(), sums.input);
  Accumulators all(layout);
  Accumulators parts(layout);
  io::SeededRandom random(8);
  const uint32_t whole = all.take();
  const uint32_t merged = parts.take();
  for (int part = 0; part < 5; ++part) {
    const columnar::Batch input = random_input(sums, random);
    const std::vector<uint32_t> into_whole(input.rows, whole);
    all.update(input, into_whole, {}, 0, input.rows);
    const uint32_t slot = parts.take();
    const std::vector<uint32_t> into_part(input.rows, slot);
    parts.update(input, into_part, {}, 0, input.rows);
    std::string bytes;
    ByteWriter out(bytes);
    parts.write(slot, out);
    parts.release(slot);
    const uint32_t again = parts.take();
    ByteReader in(bytes);
    CHECK(parts.read(again, in));
    CHECK(in.finished());
    parts.merge(merged, parts, again);
    parts.release(again);
  }
  CHECK(result_of(sums, all, whole) == result_of(sums, parts, merged));
}

namespace {

EpochRecord a_record() {
  EpochRecord record;
  record.id = EpochId{9};
  record.clock_us = 123;
  record.shared_watermark = -5;
  record.behind = true;
  record.stage_watermarks = {-5, 77};
  record.sources = {{StreamId{4}, Offset{10}, Offset{20}}, {StreamId{6}, Offset{0}, Offset{0}}};
  record.rows_in = 1;
  record.rows_out = 2;
  record.late = 3;
  return record;
}

// As version 1 wrote it: docs/formats/state.md.
void write_v1(const EpochRecord& record, ByteWriter& out) {
  out.varint(record.id.value);
  out.zigzag(record.clock_us);
  out.zigzag(record.shared_watermark);
  for (const uint64_t count : {record.rows_in, record.rows_out, record.late}) out.varint(count);
  out.varint(record.sources.size());
  for (const SourceRange& range : record.sources) {
    out.varint(range.stream.value);
    out.zigzag(range.from.value);
    out.zigzag(range.to.value);
  }
}

}  // namespace

TEST_CASE("epoch records and manifests survive the round trip, and cut ones are refused") {
  const std::string bytes = encode(a_record());
  const auto read = decode_epoch_record(bytes);
  REQUIRE(read);
  CHECK(encode(*read) == bytes);
  CHECK(read->stage_watermarks == std::vector<int64_t>{-5, 77});
  CHECK(read->behind);
  const PageRun first{3, EpochId{8}, 15, 700'000};
  const PageRun second{1, EpochId{9}, 0, 12};
  const Manifest manifest{
      a_record(), 77, 3, {{"window-1", {{0x10002, {first, second}}}}, {"window-2", {{0x3, {second}}}}}};
  const std::string more = encode(manifest);
  const auto again = decode_manifest(more);
  REQUIRE(again);
  CHECK(encode(*again) == more);
  for (size_t size = 0; size < bytes.size(); ++size) CHECK(!decode_epoch_record(bytes.substr(0, size)));
  for (size_t size = 0; size < more.size(); ++size) CHECK(!decode_manifest(more.substr(0, size)));
}

TEST_CASE("epoch records of version 2 are read") {
  EpochRecord record = a_record();
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed<uint8_t>(2);
  write_v1(record, out);
  out.varint(2);
  for (const int64_t watermark : record.stage_watermarks) out.zigzag(watermark);
  const auto read = decode_epoch_record(bytes);
  REQUIRE(read);
  record.behind = false;
  CHECK(encode(*read) == encode(record));
}

TEST_CASE("epoch records and manifests of version 1 are read") {
  EpochRecord record = a_record();
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed<uint8_t>(1);
  write_v1(record, out);
  const auto read = decode_epoch_record(bytes);
  REQUIRE(read);
  record.stage_watermarks.clear();
  record.behind = false;
  CHECK(encode(*read) == encode(record));

  for (const std::string_view id : {"window-1", ""}) {
    std::string manifest = bytes;
    ByteWriter more(manifest);
    more.text(id);
    more.zigzag(77);
    more.varint(id.empty() ? 0 : 1);
    if (!id.empty()) {
      for (const uint64_t number : {0x10002, 3, 8}) more.varint(number);
    }
    const auto stored = decode_manifest(manifest);
    REQUIRE(stored);
    CHECK(stored->scanned_at_us == 77);
    REQUIRE(stored->operators.size() == (id.empty() ? 0 : 1));
    if (id.empty()) continue;
    CHECK(stored->operators.front().operator_id == id);
    CHECK(stored->operators.front().places.at(0x10002).at(0).pages == 3);
  }
}

}  // namespace tidegate::engine
