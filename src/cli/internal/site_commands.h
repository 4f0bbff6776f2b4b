// `tidegate plan` and `tidegate apply` of a folder: a site's definitions in files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/internal/connection.h"

namespace tidegate::cli {

struct SiteCommand {
  std::string path;  // a file, or a folder whose *.sql files are meant, those in folders below it too
  bool prune = false;
  std::string from;  // where pipelines start anew that cannot keep their state; empty: that is refused
  bool dry_run = false;
  bool pipelines_only = false;  // shows no others
};

// Exit code: 0 nothing changes (or it was applied), 2 something would change.
[[nodiscard]] Result<int> run_site(const ClientOptions& options, const SiteCommand& command);

struct SiteText {
  std::string name;  // relative to the folder
  std::string sql;
};
// In the order of their names. ConfigInvalid: there are none, or one cannot be read.
[[nodiscard]] Result<std::vector<SiteText>> read_site(const std::filesystem::path& path);

}  // namespace tidegate::cli
