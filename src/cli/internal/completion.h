// Completion scripts for shells, made from the commands and options that the program has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::cli {

// A command and what may follow it.
struct CommandWords {
  std::vector<std::string> path;   // {"stream", "get"}; empty: the program itself
  std::vector<std::string> words;  // subcommands and options
};

// For "bash", "zsh" or "fish"; UsageError for another. To be sourced by the shell.
[[nodiscard]] Result<std::string> completion_script(std::string_view shell, const std::vector<CommandWords>& commands);

}  // namespace tidegate::cli
