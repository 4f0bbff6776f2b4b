#include "cli/internal/mistyped.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace tidegate::cli {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!one->get_name().empty()) names.push_back(one->get_name());
  }
  return names;
}

}  // namespace

std::optional<std::string> mistyped_command(const CLI::App& app) {
  const CLI::App* at = &app;
  std::string path = app.get_name();
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().back();
    path += " " + at->get_name();
  }
  const std::vector<std::string> names = command_names(*at);
  const std::vector<std::string> left = app.remaining(true);
  const auto word = std::ranges::find_if(left, [](const std::string& one) { return !one.starts_with('-'); });
  if (names.empty() || at->get_require_subcommand_min() == 0 || word == left.end()) return std::nullopt;
  const auto nearest =
      std::ranges::min_element(names, {}, [&](const std::string& name) { return edit_distance(*word, name); });
  const bool near = edit_distance(*word, *nearest) * 2 <= std::max(word->size(), nearest->size());
  return near ? fmt::format("'{}' is no command of '{}'; did you mean '{}'?", *word, path, *nearest)
              : fmt::format("'{}' is no command of '{}'; it has {}", *word, path, fmt::join(names, ", "));
}

}  // namespace tidegate::cli
