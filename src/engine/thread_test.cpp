// The engine with its real threads. Whatever its epochs turn out to be, windows by device give the same results.
#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/internal/naive_windows.h"
#include "io/random.h"

namespace tidegate::engine {

namespace {

// Counts calls, and waits for them.
class Bell {
 public:
  void ring() {
    const std::lock_guard lock(mutex_);
    ++rings_;
    changed_.notify_all();
  }
  // Until `done` holds, checked at each ring; false after a minute.
  bool wait(const std::function<bool()>& done) {
    std::unique_lock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
      const uint64_t seen = rings_;
      lock.unlock();
      if (done()) return true;
      lock.lock();
      if (!changed_.wait_until(lock, deadline, [&] { return rings_ != seen; })) return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t rings_ = 0;
};

std::vector<Reading> readings(io::SeededRandom& random, int64_t& now_us, int rows) {
  std::vector<Reading> made;
  for (int i = 0; i < rows; ++i) {
    now_us += static_cast<int64_t>(random.below(100)) * 1000;
    const int64_t back_us = random.below(4) == 0 ? static_cast<int64_t>(random.below(9000)) * 1000 : 0;
    made.push_back({fmt::format("d{}", random.below(40)), now_us - back_us, static_cast<double>(random.below(50))});
  }
  return made;
}

}  // namespace

TEST_CASE("threads: results equal the naive reference, and a restart with other threads goes on") {
  Bench bench;
  bench.options.manual = false;
  bench.options.threads = 4;
  bench.options.min_epoch_us = 0;  // the clock stands still
  bench.options.clean_stop = false;
  const Query query;
  NaiveWindows naive(*bench.source, query);
  io::SeededRandom random(3);
  int64_t now_us = 0;
  for (int round = 0; round < 3; ++round) {
    bench.options.threads = 4 - round;
    bench.start(query);
    Bell bell;
    const auto subscription = bench.log.on_append(bench.target->id, [&bell] { bell.ring(); });
    for (int push = 0; push < 40; ++push) {
      const auto made = readings(random, now_us, 100);
      naive.epoch(made, bench.clock.now_us());
      bench.append(made);
      if (push == 20) (void)bench.status();
    }
    CHECK(bell.wait([&] { return bench.results().size() >= naive.results.size(); }));
    bench.kill();
  }
  CHECK(sorted(bench.results()) == sorted(naive.results));
  CHECK(sorted(bench.late_rows()) == sorted(naive.late));
}

TEST_CASE("threads: live queries beside a pipeline, opened and closed while rows come") {
  Bench bench;
  bench.options.manual = false;
  bench.options.threads = 2;
  bench.options.min_epoch_us = 0;
  bench.start(Query{});
  Bell bell;
  LiveOptions options;
  options.on_ready = [&bell] { bell.ring(); };
  auto query = bench.engine->open_live(filter_plan(bench.source), std::move(options));
  REQUIRE(query);
  std::thread others([&bench] {
    for (int i = 0; i < 20; ++i) {
      auto other = bench.engine->open_live(filter_plan(bench.source), {});
      if (other) (void)(*other)->take();
    }
  });
  for (int i = 0; i < 50; ++i) bench.append({{"a", i * kSecond, 1}});
  size_t rows = 0;
  CHECK(bell.wait([&] {
    for (const columnar::Batch& batch : (*query)->take().batches) rows += batch.rows;
    return rows == 50;
  }));
  others.join();
  bench.stop();
}

}  // namespace tidegate::engine
