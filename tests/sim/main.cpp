// simulate [--seeds N] [--first SEED] [--twice-every N] | --seed SEED: README.md here.
#include <fmt/format.h>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>

#include "simulation.h"

namespace {

using tidegate::simulation::Report;
using tidegate::simulation::simulate;

// An assertion of ours or of RocksDB's (Debian builds it with them) ends the program; the seed must be known then too.
std::atomic<uint64_t> seed_at_work{0};

void say_seed_and_end(int) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), seed_at_work.load()).ptr;
  const std::string_view number(digits.data(), static_cast<size_t>(end - digits.data()));
  for (const std::string_view part :
       {std::string_view("the program aborted; see it again: make sim SEED="), number, std::string_view("\n")}) {
    (void)!::write(STDOUT_FILENO, part.data(), part.size());
  }
  ::_exit(1);
}

// The seed's trace must be the same a second time; a failure says how to see it.
bool holds(uint64_t seed, bool twice, Report& total) {
  seed_at_work = seed;
  const Report report = simulate(seed, false);
  std::string wrong = report.wrong;
  if (wrong.empty() && twice && simulate(seed, false).trace != report.trace) wrong = "the same seed went another way";
  total.operations += report.operations;
  total.power_cuts += report.power_cuts;
  total.faults += report.faults;
  total.records += report.records;
  if (!wrong.empty()) fmt::print("seed {} failed: {}\nsee it again: make sim SEED={}\n", seed, wrong, seed);
  return wrong.empty();
}

int show(uint64_t seed) {
  const Report report = simulate(seed, true);
  fmt::print("seed {}: {}\ntrace {:016x}, {} operations, {} records\n", seed,
             report.wrong.empty() ? "everything held" : report.wrong, report.trace, report.operations, report.records);
  return report.wrong.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Simulates Tidegate's store, log and engine on a disk that fails, from seeds.");
  uint64_t seeds = 500;
  uint64_t first = 1;
  uint64_t twice_every = 10;
  std::optional<uint64_t> seed;
  app.add_option("--seeds", seeds, "how many; 0: until one fails");
  app.add_option("--first", first, "the first seed");
  app.add_option("--twice-every", twice_every, "runs one seed in so many twice and compares; 0: none");
  app.add_option("--seed", seed, "only this one, and says what happens");
  CLI11_PARSE(app, argc, argv);
  if (seed) return show(*seed);
  // The program's own words about the trouble it is given would hide what matters; --seed shows them.
  if (std::freopen("/dev/null", "w", stderr) == nullptr) return 1;
  std::signal(SIGABRT, say_seed_and_end);
  Report total;
  constexpr uint64_t kProgress = 100;
  uint64_t done = 0;
  for (uint64_t at = first; seeds == 0 || at < first + seeds; ++at) {
    if (!holds(at, twice_every > 0 && at % twice_every == 0, total)) return 1;
    if (++done % kProgress != 0) continue;
    fmt::print("{} seeds: {} records, {} disk operations, {} power cuts, {} errors and full disks\n", done,
               total.records, total.operations, total.power_cuts, total.faults);
    std::fflush(stdout);
  }
  return 0;
}
