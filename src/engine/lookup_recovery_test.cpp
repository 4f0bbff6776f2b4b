// Lookup joins under kills and restarts while their tables change: what an epoch found is found again when it is run
// again.
#include <doctest/doctest.h>

#include "engine/internal/fixture.h"
#include "io/random.h"

namespace tidegate::engine {

namespace {

using columnar::TypeKind;

// A table that a test fills, version after version.
class FakeTables final : public lookup::TableReader {
 public:
  // Rows of kind and number, in the order of their keys.
  void set(const std::vector<std::pair<std::string, int64_t>>& rows) {
    auto version = std::make_shared<lookup::TableVersion>();  // shared as tables share theirs
    version->number = version_ == nullptr ? 1 : version_->number + 1;
    columnar::BatchBuilder builder(schema());
    for (const auto& [kind, number] : rows) {
      builder.column(0).append_string(kind);
      builder.column(1).append(number);
      builder.end_row();
    }
    version->rows = builder.finish();
    version_ = std::move(version);
  }
  [[nodiscard]] lookup::TableVersionPtr current(catalog::TableId) const override { return version_; }
  [[nodiscard]] static columnar::SchemaPtr schema() {
    static const columnar::SchemaPtr kSchema = std::make_shared<const columnar::Schema>(
        columnar::Schema{{{"kind", TypeKind::kString, false}, {"number", TypeKind::kBigint, true}}});
    return kSchema;
  }

 private:
  lookup::TableVersionPtr version_;
};

// SELECT device, window_start, window_end, window_time, COUNT(*), SUM(number of the table) over readings that find
// their kind in the table, in windows of 20 s every 10 s.
sql::Plan joined_window(const std::shared_ptr<const catalog::StreamDefinition>& stream) {
  auto scan = std::make_unique<sql::PlanNode>();
  scan->node = sql::Scan{stream, {0, 1, 2, 3, 4}};
  scan->output = stream->schema;
  scan->operator_id = "scan";
  auto joined = std::make_unique<sql::PlanNode>();
  catalog::TableDefinition table;
  table.id = catalog::TableId{1};
  table.name = "numbers";
  table.schema = FakeTables::schema();
  table.key = {0};
  sql::LookupJoin join;
  join.table = std::make_shared<const catalog::TableDefinition>(std::move(table));  // as the catalog shares it
  join.keys.push_back({TypeKind::kString, true, sql::ColumnRef{4, "kind"}});
  join.table_keys.push_back({TypeKind::kString, false, sql::ColumnRef{0, "kind"}});
  join.columns = {1};
  join.place = stream->schema->fields.size();
  columnar::Schema output = *stream->schema;
  output.fields.push_back({"number", TypeKind::kBigint, true});
  joined->output = std::make_shared<const columnar::Schema>(std::move(output));
  joined->node = std::move(join);
  joined->operator_id = "join";
  joined->inputs.push_back(std::move(scan));
  sql::WindowAggregate window;
  window.window = {sql::WindowKind::kHop, 20 * kSecond, 10 * kSecond, 0};
  window.time_column = 1;
  window.keys = {0};
  window.keyed_by_device = true;
  window.has_device_column = true;
  window.aggregates = {{sql::AggregateFunction::kCountStar, 0, TypeKind::kBigint},
                       {sql::AggregateFunction::kSum, 5, TypeKind::kBigint},
                       {sql::AggregateFunction::kMin, 5, TypeKind::kBigint}};
  columnar::Schema results{{{"device", TypeKind::kString, true}}};
  for (const char* name : {"window_start", "window_end", "window_time"}) {
    results.fields.push_back({name, TypeKind::kTimestampLtz, false});
  }
  for (const char* name : {"count", "sum", "least"}) results.fields.push_back({name, TypeKind::kBigint, true});
  auto root = std::make_unique<sql::PlanNode>();
  root->node = std::move(window);
  root->output = std::make_shared<const columnar::Schema>(std::move(results));
  root->operator_id = "window";
  root->inputs.push_back(std::move(joined));
  return {std::move(root)};
}

struct Trouble {
  int threads = 1;
  size_t batch_rows = 8192;
  bool disturbed = false;
};

std::vector<std::string> play(const Trouble& trouble, uint64_t seed) {
  FakeTables tables;
  Bench bench;
  bench.options.tables = &tables;
  bench.options.threads = trouble.threads;
  bench.options.max_batch_rows = trouble.batch_rows;
  bench.options.clean_stop = false;
  bench.options.snapshot_interval_us = 30 * kSecond;
  io::SeededRandom random(seed);
  io::SeededRandom luck(seed + 1);
  const auto change = [&] {
    std::vector<std::pair<std::string, int64_t>> rows;
    for (const char* kind : {"odd", "even"}) {
      if (random.below(4) != 0) rows.emplace_back(kind, static_cast<int64_t>(random.below(1000)));
    }
    tables.set(rows);
  };
  change();
  bench.start(joined_window(bench.source));
  int64_t now_us = 0;
  for (int push = 0; push < 80; ++push) {
    std::vector<Reading> readings;
    for (uint64_t left = random.below(20); left > 0; --left) {
      now_us += static_cast<int64_t>(random.below(500)) * 1000;
      readings.push_back({fmt::format("d{}", random.below(5)), now_us, static_cast<double>(random.below(50))});
    }
    bench.append(readings);
    bench.clock.advance_us(static_cast<int64_t>(random.below(6)) * kSecond);
    bench.run();
    if (random.below(3) == 0) change();
    if (!trouble.disturbed || luck.below(3) != 0) continue;
    luck.below(2) == 0 ? bench.kill() : bench.stop();
    bench.options.threads = 1 + static_cast<int>(luck.below(4));
    bench.start(joined_window(bench.source));
  }
  return sorted(bench.results());
}

}  // namespace

TEST_CASE("tables that change under a pipeline are the same again when its epochs are run again") {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    const std::vector<std::string> expected = play({}, seed);
    CHECK(expected.size() > 20);
    CHECK(play({.batch_rows = 3}, seed) == expected);
    CHECK(play({.threads = 4, .batch_rows = 7}, seed) == expected);
    CHECK(play({.batch_rows = 16, .disturbed = true}, seed) == expected);
  }
}

TEST_CASE("a pipeline keeps the versions that its records need, and no others") {
  FakeTables tables;
  Bench bench;
  bench.options.tables = &tables;
  bench.options.clean_stop = false;
  const auto kept = [&] { return bench.log.scan_state(PipelineId{7}, "table/")->size(); };
  tables.set({{"odd", 1}});
  bench.start(joined_window(bench.source));
  bench.push({{"a", 1 * kSecond, 1}});
  CHECK(kept() == 0);  // the first epoch is a snapshot
  bench.push({{"a", 2 * kSecond, 1}});
  bench.push({{"a", 3 * kSecond, 1}});
  CHECK(kept() == 1);
  tables.set({{"odd", 2}});
  bench.push({{"a", 4 * kSecond, 1}});
  CHECK(kept() == 2);
  bench.kill();
  bench.start(joined_window(bench.source));
  CHECK(kept() == 2);
  bench.clock.advance_us(11 * kSecond);
  bench.push({{"a", 5 * kSecond, 1}});  // a snapshot
  CHECK(kept() == 1);
  bench.push({{"a", 6 * kSecond, 1}});
  CHECK(kept() == 1);  // the same version is not written again
  bench.stop();
  CHECK(kept() == 1);
}

TEST_CASE("a pipeline waits for a table that has never held anything") {
  FakeTables tables;
  Bench bench;
  bench.options.tables = &tables;
  bench.start(joined_window(bench.source));
  bench.push({{"a", 1 * kSecond, 1}});
  CHECK(bench.status().rows_in == 0);
  CHECK(bench.status().error.find("TG4012") != std::string::npos);
  CHECK(bench.status().state == catalog::PipelineState::kRunning);
  tables.set({{"odd", 1}});
  bench.push({{"a", 30 * kSecond, 1}});
  CHECK(bench.status().rows_in == 2);
  CHECK(bench.status().error.empty());
  CHECK(bench.results().size() == 2);
}

}  // namespace tidegate::engine
