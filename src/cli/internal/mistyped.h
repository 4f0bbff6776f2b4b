// A word on the command line that is no command: which it is, and which was meant.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace tidegate::cli {

// "'lst' is no command of 'tidegate stream'; did you mean 'list'?", if a command is missing because of such a word.
[[nodiscard]] std::optional<std::string> mistyped_command(const CLI::App& app);

}  // namespace tidegate::cli
