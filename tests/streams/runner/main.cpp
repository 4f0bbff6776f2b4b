// stream_tests [--batch=N] [--threads=N] [--restart-after-every-push] [--spill-after-every-epoch] [--update]
// FILE_OR_FOLDER...
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

#include "base/logging.h"
#include "runner/player.h"

namespace tidegate::streams {
namespace {

namespace fs = std::filesystem;

struct Options {
  Settings settings;
  bool update = false;
  std::vector<fs::path> places;
};

bool parse_number(std::string_view argument, std::string_view flag, int& value) {
  if (!argument.starts_with(flag)) return false;
  argument.remove_prefix(flag.size());
  const auto [end, problem] = std::from_chars(argument.data(), argument.data() + argument.size(), value);
  return problem == std::errc() && end == argument.data() + argument.size() && value > 0;
}

// False: the arguments cannot be understood.
bool parse(const std::vector<std::string>& arguments, Options& options) {
  for (const std::string& argument : arguments) {
    int number = 0;
    if (parse_number(argument, "--batch=", number)) {
      options.settings.max_batch_rows = static_cast<size_t>(number);
      options.settings.one_row_per_flush = number == 1;
    } else if (parse_number(argument, "--threads=", number)) {
      options.settings.threads = number;
    } else if (argument == "--restart-after-every-push") {
      options.settings.restart_after_push = true;
    } else if (argument == "--spill-after-every-epoch") {
      options.settings.spill = true;
    } else if (argument == "--update") {
      options.update = true;
    } else if (argument.starts_with("--")) {
      return false;
    } else {
      options.places.emplace_back(argument);
    }
  }
  return !options.places.empty();
}

std::vector<fs::path> find_files(const std::vector<fs::path>& places) {
  std::vector<fs::path> files;
  for (const fs::path& place : places) {
    if (!fs::is_directory(place)) {
      files.push_back(place);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (entry.path().extension() == ".test") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

// A folder of its own, gone when this is.
class ScratchFolder {
 public:
  ScratchFolder() {
    // In memory if there is such a folder: the store syncs for every push, and no power fails here.
    std::error_code ignored;
    const fs::path memory = "/dev/shm";
    const fs::path parent = fs::is_directory(memory, ignored) ? memory : fs::temp_directory_path();
    std::string name = (parent / "tidegate-streams-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string play(const fs::path& file, const Options& options) {
  Result<Script> script = Script::read(file);
  if (!script) return fmt::format("  {}\n", script.error().to_string());
  if (script->blocks().empty()) return "  nothing to do in this file\n";
  const ScratchFolder folder;
  if (folder.path().empty()) return "  cannot make a temporary folder\n";
  std::string problems = Player(*script, folder.path(), options.settings, options.update).play();
  if (options.update && problems.empty()) {
    if (const Result<> written = script->write_back(); !written) problems = written.error().to_string() + "\n";
  }
  return problems;
}

int run(const Options& options) {
  int failed = 0;
  const std::vector<fs::path> files = find_files(options.places);
  for (const fs::path& file : files) {
    const std::string problems = play(file, options);
    if (problems.empty()) continue;
    ++failed;
    fmt::print("FAILED {}\n{}\n", file.string(), problems);
  }
  fmt::print("{} passed, {} failed\n", static_cast<int>(files.size()) - failed, failed);
  return failed == 0 && !files.empty() ? 0 : 1;
}

}  // namespace
}  // namespace tidegate::streams

int main(int argc, char** argv) {
  tidegate::configure_logging(tidegate::LogLevel::kError, tidegate::LogFormat::kText);
  tidegate::streams::Options options;
  if (!tidegate::streams::parse({argv + 1, argv + argc}, options)) {
    fmt::print(stderr,
               "usage: stream_tests [--batch=N] [--threads=N] [--restart-after-every-push] "
               "[--spill-after-every-epoch] [--update] PATH...\n");
    return 2;
  }
  return tidegate::streams::run(options);
}
