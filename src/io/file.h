// Small files: keys, certificates, configuration, data files of examples. Not the log: that is store's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tidegate::io {

// Who may read a file that is written: everybody, or only its owner (mode 0600).
enum class FilePrivacy : uint8_t { kPublic, kOwnerOnly };

// ConfigInvalid when it cannot be read; the message names the path and the system's reason.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

// All or nothing, and durable on return: writes beside it, syncs, renames, syncs the folder.
// DiskFull or DataFolderUnusable.
[[nodiscard]] Result<> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                                         FilePrivacy privacy);

// The folder and its parents, with mode 0700 where it makes them.
[[nodiscard]] Result<> create_private_folder(const std::filesystem::path& path);

// An exclusive lock on a file for as long as this lives (flock); gone with the process, however it ends.
class FileLock {
 public:
  // Nothing when another process holds it.
  [[nodiscard]] static Result<std::optional<FileLock>> try_acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace tidegate::io
