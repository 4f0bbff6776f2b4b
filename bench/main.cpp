// tidegate_bench SERVER_BINARY JSONL COMMIT [case ...]: runs the named cases, or all.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "bench/harness.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3) {
    fmt::print(stderr, "usage: tidegate_bench SERVER_BINARY JSONL COMMIT [case ...]\n");
    return 2;
  }
  std::vector<tidegate::bench::Case> cases = tidegate::bench::window_cases();
  for (auto& one : tidegate::bench::rule_cases()) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::lookup_cases()) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::query_cases()) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::spill_cases()) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::server_cases(arguments[0])) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::fleet_cases(arguments[0])) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::recovery_cases(arguments[0])) cases.push_back(std::move(one));
  for (auto& one : tidegate::bench::overload_cases(arguments[0])) cases.push_back(std::move(one));
  const std::vector<std::string> wanted(arguments.begin() + 3, arguments.end());
  if (wanted.size() == 1 && wanted.front() == "list") {
    for (const auto& one : cases) fmt::print("{}\n", one.name);
    return 0;
  }
  for (const std::string& name : wanted) {
    if (std::ranges::none_of(cases, [&](const auto& one) { return one.name == name; })) {
      fmt::print(stderr, "there is no case '{}'; `tidegate_bench - - - list` names them\n", name);
      return 2;
    }
  }
  for (const auto& one : cases) {
    if (wanted.empty() || std::ranges::find(wanted, one.name) != wanted.end()) {
      fmt::print("# {}: {}\n", one.name, one.what);
      tidegate::bench::run_case(one, arguments[1], arguments[2]);
    }
  }
  return 0;
}
