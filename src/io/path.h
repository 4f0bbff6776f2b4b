// Paths that people name, and the folders they must stay in; what a file looked like when it was last seen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace tidegate::io {

// With links resolved as far as the path exists, so that a link inside the folder cannot lead out of it.
[[nodiscard]] bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder);

// Where files of one kind may stand.
struct AllowedFolders {
  std::filesystem::path home;                  // relative paths are below it
  std::vector<std::filesystem::path> allowed;  // absolute paths are below one of these
};

// The path as it is to be used; nothing if it leads out of the folders.
[[nodiscard]] std::optional<std::filesystem::path> allowed_path(const std::string& wanted,
                                                                const AllowedFolders& folders);

// Tells whether a file is still the same without reading it.
struct FileStamp {
  int64_t changed_ns = 0;  // its modification time
  uint64_t size = 0;       // bytes
  uint64_t inode = 0;      // another file of the same name has another one
  bool operator==(const FileStamp&) const = default;
};

// ConfigInvalid when there is no such file, it cannot be looked at, or it is no regular file.
[[nodiscard]] Result<FileStamp> stamp_of(const std::filesystem::path& path);

}  // namespace tidegate::io
