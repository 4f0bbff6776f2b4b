// Runs a benchmark case several times and reports each figure: a table row for people, a JSON line for programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tidegate::bench {

// What one repetition measured under one name.
struct Sample {
  std::string metric;  // "events_per_s", "p99_ms", ...
  std::string unit;    // "1/s", "ms", "bytes"
  double value = 0;
  double cpu_seconds = 0;       // of the measured process; 0 if it makes no sense for this metric
  double events = 0;            // what per_cpu_s counts
  uint64_t rss_peak_bytes = 0;  // of the measured process
};

struct Case {
  std::string name;
  std::string what;
  int repetitions = 5;
  std::function<std::vector<Sample>()> run;  // one repetition
};

// Ends the program: what was measured would mean nothing.
[[noreturn]] void give_up(const std::string& what);

// CPU seconds (user and system) this process has used so far.
[[nodiscard]] double own_cpu_seconds();
[[nodiscard]] uint64_t own_rss_peak_bytes();
// Of another process, by /proc; 0 if it has gone.
[[nodiscard]] double cpu_seconds_of(int pid);
[[nodiscard]] uint64_t rss_peak_bytes_of(int pid);
[[nodiscard]] uint64_t rss_bytes_of(int pid);

// Runs the case and prints median, minimum and maximum of each metric; appends to `jsonl`.
void run_case(const Case& one, const std::filesystem::path& jsonl, const std::string& commit);

// Every case of the program.
[[nodiscard]] std::vector<Case> window_cases();
[[nodiscard]] std::vector<Case> rule_cases();
[[nodiscard]] std::vector<Case> lookup_cases();
[[nodiscard]] std::vector<Case> query_cases();
[[nodiscard]] std::vector<Case> spill_cases();
[[nodiscard]] std::vector<Case> server_cases(const std::filesystem::path& server_binary);
[[nodiscard]] std::vector<Case> fleet_cases(const std::filesystem::path& server_binary);
[[nodiscard]] std::vector<Case> recovery_cases(const std::filesystem::path& server_binary);
[[nodiscard]] std::vector<Case> overload_cases(const std::filesystem::path& server_binary);

}  // namespace tidegate::bench
