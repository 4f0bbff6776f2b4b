// AppendFile: a file that only grows, with a size that is known to be on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace tidegate::io {

// One thread. Errors are DiskFull or DataFolderUnusable; the message names the path and the system's reason.
class AppendFile {
 public:
  // Makes the file (mode 0640) and its folders where they are missing. Refuses what is not a regular file.
  [[nodiscard]] static Result<AppendFile> open(const std::filesystem::path& path);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] Result<> truncate(uint64_t size);
  // At the end, all or nothing: what a failed write left behind is cut off again. Not durable before sync().
  [[nodiscard]] Result<> append(std::string_view content);
  [[nodiscard]] Result<> sync();
  // The last byte; 0 for an empty file.
  [[nodiscard]] Result<char> last_byte() const;

 private:
  AppendFile(std::filesystem::path path, int descriptor, uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  [[nodiscard]] std::unexpected<Error> failed(std::string_view what) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace tidegate::io
