#include "io/path.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace tidegate::io {

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  std::error_code error;
  const auto real_folder = std::filesystem::weakly_canonical(folder, error);
  if (error) return false;
  const auto real_path = std::filesystem::weakly_canonical(path, error);
  if (error) return false;
  const auto [folder_end, path_end] = std::ranges::mismatch(real_folder, real_path);
  return folder_end == real_folder.end() && path_end != real_path.end();
}

std::optional<std::filesystem::path> allowed_path(const std::string& wanted, const AllowedFolders& folders) {
  const std::filesystem::path given(wanted);
  const bool absolute = given.is_absolute();
  auto path = (absolute ? given : folders.home / given).lexically_normal();
  const auto below = [&](const std::filesystem::path& folder) { return is_below(path, folder); };
  const bool allowed = absolute ? std::ranges::any_of(folders.allowed, below) : below(folders.home);
  if (!allowed) return std::nullopt;
  return path;
}

Result<FileStamp> stamp_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorCode::ConfigInvalid,
                fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(errno)),
                "check that the file exists and may be read");
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::ConfigInvalid, fmt::format("cannot read {}: it is no regular file", path.string()));
  }
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  return FileStamp{static_cast<int64_t>(status.st_mtim.tv_sec) * kNanosPerSecond + status.st_mtim.tv_nsec,
                   static_cast<uint64_t>(status.st_size), static_cast<uint64_t>(status.st_ino)};
}

}  // namespace tidegate::io
