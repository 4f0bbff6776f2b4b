#include "bench/harness.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

namespace tidegate::bench {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// A "Name:   123 kB" line of /proc/<pid>/status, in bytes.
uint64_t status_bytes(int pid, std::string_view name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

struct Series {
  std::string unit;
  std::vector<double> values;
  std::vector<double> per_cpu_s;
  uint64_t rss_peak_bytes = 0;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void report(const Case& one, const std::string& metric, const Series& series, const std::filesystem::path& jsonl,
            const std::string& commit) {
  const double value = median(series.values);
  const double least = *std::ranges::min_element(series.values);
  const double most = *std::ranges::max_element(series.values);
  const double per_cpu_s = median(series.per_cpu_s);
  fmt::print("{:<22} {:<16} {:>14.2f} {:<5} min {:>14.2f}  max {:>14.2f}  per CPU-s {:>14.0f}  peak {:>5} MiB\n",
             one.name, metric, value, series.unit, least, most, per_cpu_s, series.rss_peak_bytes >> 20);
  std::fflush(stdout);
  std::ofstream out(jsonl, std::ios::app);
  boost::json::object line{{"case", one.name},
                           {"metric", metric},
                           {"value", value},
                           {"min", least},
                           {"max", most},
                           {"repetitions", series.values.size()},
                           {"unit", series.unit},
                           {"per_cpu_s", per_cpu_s},
                           {"rss_peak_bytes", series.rss_peak_bytes},
                           {"commit", commit}};
  out << boost::json::serialize(line) << '\n';
}

}  // namespace

void give_up(const std::string& what) {
  fmt::print(stderr, "benchmark: {}\n", what);
  std::exit(1);
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t own_rss_peak_bytes() { return rss_peak_bytes_of(::getpid()); }
uint64_t rss_peak_bytes_of(int pid) { return status_bytes(pid, "VmHWM:"); }
uint64_t rss_bytes_of(int pid) { return status_bytes(pid, "VmRSS:"); }

double cpu_seconds_of(int pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  const size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return 0;
  std::istringstream fields(text.substr(end_of_name + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;  // proc(5): utime is field 14, stime 15
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void run_case(const Case& one, const std::filesystem::path& jsonl, const std::string& commit) {
  std::map<std::string, Series> by_metric;
  for (int repetition = 0; repetition < one.repetitions; ++repetition) {
    for (const Sample& sample : one.run()) {
      Series& series = by_metric[sample.metric];
      series.unit = sample.unit;
      series.values.push_back(sample.value);
      if (sample.cpu_seconds > 0) series.per_cpu_s.push_back(sample.events / sample.cpu_seconds);
      series.rss_peak_bytes = std::max(series.rss_peak_bytes, sample.rss_peak_bytes);
    }
  }
  for (const auto& [metric, series] : by_metric) report(one, metric, series, jsonl, commit);
}

}  // namespace tidegate::bench
