#include "io/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tidegate::io {

namespace {

std::unexpected<Error> io_failed(const std::filesystem::path& path, std::string_view what, int reason) {
  const auto code = reason == ENOSPC || reason == EDQUOT ? ErrorCode::DiskFull : ErrorCode::DataFolderUnusable;
  return fail(code, fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(reason)),
              "check free space and permissions");
}

}  // namespace

std::unexpected<Error> AppendFile::failed(std::string_view what) const { return io_failed(path_, what, errno); }

Result<AppendFile> AppendFile::open(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) return io_failed(path.parent_path(), "create the folder", error.value());
  constexpr mode_t kMode = 0640;
  // Non-blocking, so that a named pipe cannot hold the thread before it is refused.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, kMode);
  if (descriptor < 0) return io_failed(path, "open", errno);
  AppendFile file(path, descriptor, 0);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return file.failed("examine");
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::DataFolderUnusable, fmt::format("{} is not a regular file", path.string()),
                "name a file that does not exist yet");
  }
  file.size_ = static_cast<uint64_t>(status.st_size);
  return file;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<> AppendFile::truncate(uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return failed("cut");
  size_ = size;
  return {};
}

Result<> AppendFile::append(std::string_view content) {
  uint64_t grown = size_;
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor_, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      auto error = failed("write");
      TRY(truncate(size_));
      return error;
    }
    grown += static_cast<uint64_t>(written);
    content.remove_prefix(static_cast<size_t>(written));
  }
  size_ = grown;
  return {};
}

Result<> AppendFile::sync() {
  if (::fsync(descriptor_) != 0) return failed("sync");
  return {};
}

Result<char> AppendFile::last_byte() const {
  char last = 0;
  if (size_ == 0) return last;
  if (::pread(descriptor_, &last, 1, static_cast<off_t>(size_ - 1)) != 1) return failed("read");
  return last;
}

}  // namespace tidegate::io
