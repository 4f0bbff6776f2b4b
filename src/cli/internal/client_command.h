// What a word of the command line does, once all of the line is read.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "base/error.h"

namespace tidegate::cli {

using Command = std::function<Result<int>()>;  // gives the exit code

// `work` gives a Result<>; what goes well exits with 0.
template <class Work>
Command client_command(const Work& work) {
  return [work]() -> Result<int> {
    TRY(work());
    return 0;
  };
}

// Where `word` is used, `command` is to be `work`.
template <class Work>
void on_use(CLI::App* word, Command& command, const Work& work) {
  word->callback([&command, work] { command = client_command(work); });
}

}  // namespace tidegate::cli
