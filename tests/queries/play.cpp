#include "play.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "query.h"
#include "readings.h"
#include "runner/platform.h"
#include "runner/rows.h"

namespace tidegate::queries {

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

std::string sql_of(const Story& story) {
  std::string columns;
  for (const Column& column : kReadings) {
    const bool always = column.name == "device" || column.name == "ts";
    columns += fmt::format("{} {}{}, ", column.name, type_name(column), always ? " NOT NULL" : "");
  }
  return fmt::format(
      "CREATE TABLE readings ({}WATERMARK FOR ts AS ts - INTERVAL '{}' SECOND) WITH ('device' = 'device', "
      "'state.ttl' = '2000 d', 'idle_timeout' = '{} ms', 'close_after' = '{} ms')",
      columns, kDelayMs / 1000, story.idle_ms, story.close_ms);
}

struct Failure {
  std::string what;
};

template <class T>
T must(Result<T> result, const std::string& what) {
  if (!result) throw Failure{fmt::format("{}: {}", what, result.error().to_string())};
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// In memory if there is such a folder: the store syncs for every push, and no power fails here.
fs::path parent_folder() {
  std::error_code ignored;
  const fs::path memory = "/dev/shm";
  return fs::is_directory(memory, ignored) ? memory : fs::temp_directory_path();
}

class Life {
 public:
  explicit Life(uint64_t seed)
      : random_(seed), folder_(parent_folder() / fmt::format("tidegate-queries-{}-{}", ::getpid(), seed)) {
    settings_.threads = static_cast<int>(random_.between(1, 3));
    settings_.max_batch_rows = static_cast<size_t>(random_.one_of(std::vector<int64_t>{1, 3, 8192}));
    settings_.one_row_per_flush = random_.one_in(8);
    settings_.spill = random_.one_in(2);
    story_ = make_story(random_);
    open(next_folder(), story_.clock_ms() * 1000);
  }
  ~Life() {
    platform_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  void run(uint64_t count, bool talk, Report& report) {
    must(platform_->execute(sql_of(story_), {}), "creating the stream");
    for (const LookupTable& table : story_.tables) {
      must(platform_->write_file(table.name + ".csv", table.csv(0)), "writing a table");
      must(platform_->execute(table.sql(), {}), table.sql());
    }
    for (uint64_t number = 0; number < count; ++number) add_query(number, talk);
    for (const Round& round : story_.rounds) happen(round);
    for (const Query& query : queries_) check_select(query, report);
    happen(story_.last);
    for (size_t at = 0; at < queries_.size(); ++at) check_pipeline(at, report);
  }

 private:
  fs::path next_folder() { return folder_ / fmt::format("{}", lives_++); }

  void open(const fs::path& folder, int64_t clock_us) {
    fs::create_directories(folder);
    platform_ = must(streams::Platform::open(folder, clock_us, settings_), "opening");
  }

  void add_query(uint64_t number, bool talk) {
    Query& query = queries_.emplace_back(make_query(random_, story_));
    if (query.in_time_only && story_.late) query.bounded_only = true;
    if (talk) fmt::print("query {}, {}: {}\n", number, query.family, query.sql);
    if (query.bounded_only) return;
    std::string columns;
    for (const Column& column : query.columns) {
      columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", column.name, type_name(column));
    }
    must(platform_->execute(fmt::format("CREATE TABLE q{} ({})", number, columns), {}), query.sql);
    must(platform_->execute(fmt::format("INSERT INTO q{} {}", number, query.sql), fmt::format("q{}", number)),
         query.sql);
  }

  void push(const std::vector<Row>& rows) {
    if (rows.empty()) return must(platform_->run(), "running");
    streams::Push push;
    for (const Row& row : rows) push.lines.push_back(json_of(row));
    must(platform_->push("readings", push), "pushing");
    must(platform_->run(), "running");
  }

  void happen(const Round& round) {
    platform_->clock().advance_us(round.clock_ms * 1000 - platform_->clock().now_us());
    if (round.edition != edition_) {
      edition_ = round.edition;
      for (const LookupTable& table : story_.tables) {
        must(platform_->write_file(table.name + ".csv", table.csv(edition_)), "writing a table");
        must(platform_->reload(table.name), "reading a table");
      }
    }
    push(round.rows);
    if (round.dies) die();
  }

  void die() {
    const fs::path folder = next_folder();
    must(platform_->crash_image(folder), "copying the disk");
    const int64_t clock_us = platform_->clock().now_us();
    platform_.reset();
    open(folder, clock_us);
  }

  static Lines lines_of(const std::vector<columnar::Batch>& batches, const std::vector<std::string>& names) {
    Lines lines;
    for (const columnar::Batch& batch : batches) {
      for (size_t row = 0; row < batch.rows; ++row) {
        lines.push_back(must(streams::canonical_row(batch, row, names), "reading a row"));
      }
    }
    return lines;
  }

  void compare(const Query& query, const char* how, Lines expected, Lines came, Report& report) {
    if (!query.ordered) {
      std::ranges::sort(expected);
      std::ranges::sort(came);
    }
    report.rows += expected.size();
    if (expected == came) return;
    std::string what = fmt::format("{} of {}:\n  {}\n", how, query.family, query.sql);
    for (const std::string& line : expected) {
      if (std::ranges::count(came, line) < std::ranges::count(expected, line)) what += "  missing    " + line + "\n";
    }
    for (const std::string& line : came) {
      if (std::ranges::count(expected, line) < std::ranges::count(came, line)) what += "  unexpected " + line + "\n";
    }
    what += fmt::format("  of these readings, a device being idle after {} ms and closed after {} ms:\n",
                        story_.idle_ms, story_.close_ms);
    for (const Round& round : story_.rounds) {
      what += fmt::format("  together, at {} by the clock, with edition {} of the tables:\n", round.clock_ms,
                          round.edition);
      for (const Row& row : round.rows) what += "  " + json_of(row) + "\n";
    }
    for (const LookupTable& table : story_.tables) {
      if (query.sql.find(table.name) == std::string::npos) continue;
      for (size_t at = 0; at < table.editions.size(); ++at)
        what += fmt::format("{} {}:\n{}", table.name, at, table.csv(at));
    }
    throw Failure{what};
  }

  // Uses the newest edition of each lookup table from beginning to end.
  void check_select(const Query& query, Report& report) {
    columnar::SchemaPtr schema;
    const auto batches = must(platform_->select(query.sql, schema), query.sql);
    std::vector<Row> rows = story_.by_time();
    for (Row& row : rows) row[kEdition] = static_cast<int64_t>(story_.newest());
    Lines expected;
    for (const Row& row : query.rows(rows)) expected.push_back(line_of(query.columns, row));
    compare(query, "a SELECT", expected, lines_of(batches, {}), report);
    ++report.queries[query.family];
  }

  void check_pipeline(size_t number, Report& report) {
    const Query& query = queries_[number];
    if (query.bounded_only) return;
    const Outcome expected = query.outcome ? query.outcome(story_) : outcome_of(query);
    Lines rows;
    for (const Row& row : expected.rows) rows.push_back(line_of(query.columns, row));
    Lines late;
    for (const Value& time : expected.late) late.push_back(line_of({kReadings[kTs]}, {time}));
    const std::string name = fmt::format("q{}", number);
    compare(query, "a pipeline", rows, lines_of(read(name), {}), report);
    const std::string late_name = catalog::late_name(name);
    Lines came;
    if (platform_->stream(late_name)) came = lines_of(read(late_name), {"ts"});
    compare(query, "the late rows of a pipeline", late, came, report);
    report.late += late.size();
  }

  // Rows that are there with the reading that they are made of, or once the watermark has passed; nothing is late.
  Outcome outcome_of(const Query& query) const {
    std::vector<Row> rows = story_.by_time();
    if (query.due == Due::kAtOnce) rows.insert(rows.end(), story_.last.rows.begin(), story_.last.rows.end());
    return {query.rows(rows), {}};
  }

  std::vector<columnar::Batch> read(const std::string& stream) {
    Offset from;
    return must(platform_->read(stream, from), "reading results");
  }

  Random random_;
  const fs::path folder_;
  streams::Settings settings_;
  std::unique_ptr<streams::Platform> platform_;
  Story story_;
  size_t edition_ = 0;  // of the lookup tables
  std::vector<Query> queries_;
  int lives_ = 0;
};

}  // namespace

Report play(uint64_t seed, uint64_t queries, bool talk) {
  Report report;
  try {
    Life life(seed);
    life.run(queries, talk, report);
  } catch (const Failure& failure) {
    report.wrong = failure.what;
  }
  return report;
}

}  // namespace tidegate::queries
