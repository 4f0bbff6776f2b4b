// The log against a plain vector, under random operations from a seed; and under real threads.
#include <atomic>
#include <thread>

#include "log/internal/log_fixture.h"

namespace tidegate::log {
namespace {

TEST_CASE("random appends, epochs, reopenings and re-batchings equal a plain vector") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    io::SeededRandom random(seed);
    EmbeddedLogOptions options = LogFixture::manual_options();
    options.tail_bytes = seed % 3 == 0 ? 0 : 20'000;
    LogFixture fixture("model", options);
    std::vector<std::string> model[2];
    const StreamId streams[2] = {kMeters, kTotals};
    for (int step = 0; step < 120; ++step) {
      const uint64_t which = random.below(2);
      switch (random.below(10)) {
        case 0: fixture.reopen(); break;
        case 1:
          fixture.clock.advance_us(static_cast<int64_t>(random.below(1200)) * kMicrosPerSecond);
          CHECK(fixture.log->maintain());
          break;
        case 2: {
          EpochCommit epoch{PipelineId{1}, {}, {{"position", std::to_string(step)}}, {}};
          for (int part = 0; part < 3; ++part) {
            const uint64_t target = random.below(2);
            columnar::Batch batch = random_batch(random, fixture.devices, random.below(20));
            append_texts(batch, model[target]);
            epoch.outputs.emplace_back(streams[target], std::move(batch));
          }
          fixture.log->commit(std::move(epoch), [](Result<> result) { CHECK(result); });
          CHECK(fixture.log->get_state(PipelineId{1}, "position").value() == std::to_string(step));
          break;
        }
        case 3: {
          const size_t from = random.below(model[which].size() + 1);
          const std::vector<std::string> rest(model[which].begin() + static_cast<ptrdiff_t>(from), model[which].end());
          CHECK(fixture.rows_from(Offset{static_cast<int64_t>(from)}, streams[which], 1 + random.below(200)) == rest);
          break;
        }
        default: {
          const columnar::Batch batch = random_batch(random, fixture.devices, random.below(60));
          append_texts(batch, model[which]);
          CHECK(fixture.append(batch, streams[which]));
        }
      }
    }
    for (int which = 0; which < 2; ++which) {
      CHECK(fixture.rows_from(Offset{0}, streams[which]) == model[which]);
    }
    CHECK(fixture.log->stats().integrity_errors == 0);
  }
}

TEST_CASE("with threads: callers keep their order, readers see every row once, nothing is lost at the end") {
  constexpr int kCallers = 3;
  constexpr int kAppends = 300;
  EmbeddedLogOptions options;
  options.tail_bytes = 50'000;
  options.rebatch_age_us = 0;
  LogFixture fixture("threads", options);
  std::atomic<int64_t> committed{0};
  std::atomic<int> out_of_order{0};
  std::atomic<int> notified{0};
  const auto subscription = fixture.log->on_append(kMeters, [&] { ++notified; });
  std::vector<std::thread> callers;
  std::vector<int> last(kCallers, -1);  // each only touched on the commit thread
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int at = 0; at < kAppends; ++at) {
        columnar::BatchBuilder builder(all_types_schema(), 0, &fixture.devices);
        builder.column(0).append(fixture.devices.intern("m" + std::to_string(caller))->value);
        for (size_t column = 1; column < builder.column_count(); ++column) {
          if (column == 4) {
            builder.column(column).append(int64_t{at});
          } else {
            builder.column(column).append_null();
          }
        }
        builder.end_row();
        fixture.log->append(kMeters, builder.finish(), [&, caller, at](Result<> result) {
          if (!result || last[caller] + 1 != at) ++out_of_order;
          last[caller] = at;
          ++committed;
        });
      }
    });
  }
  Offset from{0};
  std::vector<int64_t> next(kCallers, 0);
  while (from.value < kCallers * kAppends) {
    const auto batches = fixture.log->read(kMeters, from, 100);
    REQUIRE(batches);
    for (const LogBatchPtr& batch : *batches) {
      REQUIRE(batch->first == from);
      for (size_t row = 0; row < batch->batch.rows; ++row) {
        const auto caller = static_cast<size_t>(batch->batch.columns[0]->string_at(row)[1] - '0');
        REQUIRE(batch->batch.columns[4]->integer_at(row) == next[caller]++);
      }
      from = batch->end();
    }
    REQUIRE(fixture.log->maintain());
  }
  for (std::thread& caller : callers) caller.join();
  const LogStats stats = fixture.log->stats();
  fixture.close();  // waits for the last callbacks
  CHECK(committed == kCallers * kAppends);
  CHECK(out_of_order == 0);
  CHECK(notified > 0);
  CHECK(stats.rows == kCallers * kAppends);
  fixture.reopen();
  CHECK(fixture.log->end(kMeters) == Offset{kCallers * kAppends});
  CHECK(fixture.rows_from(Offset{0}).size() == kCallers * kAppends);
}

}  // namespace
}  // namespace tidegate::log
