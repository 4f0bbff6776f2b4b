#include "io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tidegate::io {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool open() const { return value_ >= 0; }

 private:
  int value_;
};

std::unexpected<Error> write_failed(const std::filesystem::path& path) {
  const int reason = errno;
  const auto code = reason == ENOSPC || reason == EDQUOT ? ErrorCode::DiskFull : ErrorCode::DataFolderUnusable;
  return fail(code, fmt::format("cannot write {}: {}", path.string(), std::generic_category().message(reason)),
              "check free space and permissions");
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return descriptor.open() && ::fsync(descriptor.get()) == 0;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string content;
  char block[65536];
  ssize_t got = descriptor.open() ? 1 : -1;
  while (got > 0) {
    got = ::read(descriptor.get(), block, sizeof block);
    if (got > 0) content.append(block, static_cast<size_t>(got));
    if (got < 0 && errno == EINTR) got = 1;
  }
  if (got < 0) {
    return fail(ErrorCode::ConfigInvalid,
                fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(errno)),
                "check that the file exists and may be read");
  }
  return content;
}

Result<> write_file_atomic(const std::filesystem::path& path, std::string_view content, FilePrivacy privacy) {
  const std::filesystem::path beside = path.string() + ".new";
  const mode_t mode = privacy == FilePrivacy::kOwnerOnly ? 0600 : 0644;
  {
    const Descriptor descriptor(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!descriptor.open() || !write_all(descriptor.get(), content) || ::fsync(descriptor.get()) != 0) {
      return write_failed(path);
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0 || !sync_folder(path.parent_path())) return write_failed(path);
  return {};
}

Result<> create_private_folder(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path) TRY(create_private_folder(path.parent_path()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return write_failed(path);
  return {};
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return write_failed(path);
  FileLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return std::optional<FileLock>{};
  return std::optional<FileLock>{std::move(lock)};
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tidegate::io
