// random_queries [--queries N] [--first SEED] | --seed SEED | --endless: README.md here.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "base/logging.h"
#include "play.h"

namespace {

using tidegate::queries::play;
using tidegate::queries::Report;

constexpr uint64_t kQueriesOfASeed = 50;

volatile std::sig_atomic_t stopped = 0;

bool holds(uint64_t seed, bool talk, Report& total) {
  const Report report = play(seed, kQueriesOfASeed, talk);
  total.rows += report.rows;
  total.late += report.late;
  for (const auto& [family, count] : report.queries) total.queries[family] += count;
  if (!report.wrong.empty())
    fmt::print("seed {} failed: {}see it again: make queries SEED={}\n", seed, report.wrong, seed);
  return report.wrong.empty();
}

uint64_t count_of(const Report& report) {
  uint64_t count = 0;
  for (const auto& [family, queries] : report.queries) count += queries;
  return count;
}

void print_total(const Report& total) {
  for (const auto& [family, queries] : total.queries) fmt::print("{:>8} {}\n", queries, family);
  fmt::print("{} queries as pipelines and over what is stored, {} rows as the reference has them, {} of them late\n",
             count_of(total), total.rows, total.late);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Random queries, by Tidegate and by a reference that is as plain as can be.");
  uint64_t queries = 10'000;
  uint64_t first = 1;
  uint64_t one = 0;
  bool endless = false;
  app.add_option("--queries", queries, "so many")->capture_default_str();
  app.add_option("--first", first, "the first seed")->capture_default_str();
  app.add_option("--seed", one, "this seed alone, its queries shown");
  app.add_flag("--endless", endless, "until it is stopped, or something does not hold");
  CLI11_PARSE(app, argc, argv);
  tidegate::configure_logging(tidegate::LogLevel::kError, tidegate::LogFormat::kText);
  std::signal(SIGINT, [](int) { stopped = 1; });
  Report total;
  if (one != 0) {
    const bool held = holds(one, true, total);
    if (held) print_total(total);
    return held ? 0 : 1;
  }
  for (uint64_t seed = first; stopped == 0 && (endless || count_of(total) < queries); ++seed) {
    if (!holds(seed, false, total)) return 1;
  }
  print_total(total);
  return 0;
}
