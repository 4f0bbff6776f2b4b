#include "disk_file_system.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <cstring>

namespace tidegate::simulation {

namespace {

using Status = rocksdb::IOStatus;
using Options = rocksdb::IOOptions;
using Debug = rocksdb::IODebugContext;
using rocksdb::Slice;

// As RocksDB's own file system on Linux makes them of errno.
Status status_of(Outcome outcome, const std::string& path) {
  switch (outcome) {
    case Outcome::kOk: return Status::OK();
    case Outcome::kMissing: return Status::PathNotFound(path, "No such file or directory");
    case Outcome::kExists: return Status::IOError(path, "File exists");
    case Outcome::kFull: {
      Status full = Status::NoSpace(path, "No space left on device");
      full.SetRetryable(true);
      return full;
    }
    case Outcome::kFailed: return Status::IOError(path, "Input/output error");
    case Outcome::kOff: break;
  }
  return Status::IOError(path, "the machine is off");
}

Status read_at(const File& file, uint64_t offset, size_t size, Slice* result, char* scratch) {
  const size_t from = std::min<size_t>(offset, file.seen.size());
  const size_t got = std::min(size, file.seen.size() - from);
  std::memcpy(scratch, file.seen.data() + from, got);
  *result = Slice(scratch, got);
  return Status::OK();
}

class Reader final : public rocksdb::FSSequentialFile {
 public:
  explicit Reader(FilePtr file) : file_(std::move(file)) {}
  Status Read(size_t size, const Options&, Slice* result, char* scratch, Debug*) override {
    const Status read = read_at(*file_, at_, size, result, scratch);
    at_ += result->size();
    return read;
  }
  Status Skip(uint64_t size) override {
    at_ = std::min<uint64_t>(at_ + size, file_->seen.size());
    return Status::OK();
  }

 private:
  const FilePtr file_;
  uint64_t at_ = 0;
};

class RandomReader final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomReader(FilePtr file) : file_(std::move(file)) {}
  Status Read(uint64_t offset, size_t size, const Options&, Slice* result, char* scratch, Debug*) const override {
    return read_at(*file_, offset, size, result, scratch);
  }

 private:
  const FilePtr file_;
};

class Writer final : public rocksdb::FSWritableFile {
 public:
  Writer(Disk& disk, FilePtr file) : disk_(disk), file_(std::move(file)), size_(file_->seen.size()) {}
  using FSWritableFile::Append;
  Status Append(const Slice& data, const Options&, Debug*) override {
    const Outcome outcome = disk_.write(*file_, size_, {data.data(), data.size()});
    size_ = outcome == Outcome::kOk ? size_ + data.size() : file_->seen.size();
    return status_of(outcome, file_->name);
  }
  Status Truncate(uint64_t size, const Options&, Debug*) override {
    size_ = size;
    return status_of(disk_.truncate(*file_, size), file_->name);
  }
  Status Close(const Options&, Debug*) override { return Status::OK(); }
  Status Flush(const Options&, Debug*) override { return Status::OK(); }
  Status Sync(const Options&, Debug*) override { return status_of(disk_.sync(*file_), file_->name); }
  uint64_t GetFileSize(const Options&, Debug*) override { return size_; }

 private:
  Disk& disk_;
  const FilePtr file_;
  uint64_t size_;
};

class ReaderWriter final : public rocksdb::FSRandomRWFile {
 public:
  ReaderWriter(Disk& disk, FilePtr file) : disk_(disk), file_(std::move(file)) {}
  Status Write(uint64_t offset, const Slice& data, const Options&, Debug*) override {
    return status_of(disk_.write(*file_, offset, {data.data(), data.size()}), file_->name);
  }
  Status Read(uint64_t offset, size_t size, const Options&, Slice* result, char* scratch, Debug*) const override {
    return read_at(*file_, offset, size, result, scratch);
  }
  Status Flush(const Options&, Debug*) override { return Status::OK(); }
  Status Sync(const Options&, Debug*) override { return status_of(disk_.sync(*file_), file_->name); }
  Status Close(const Options&, Debug*) override { return Status::OK(); }

 private:
  Disk& disk_;
  const FilePtr file_;
};

class Folder final : public rocksdb::FSDirectory {
 public:
  Folder(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  Status Fsync(const Options&, Debug*) override { return status_of(disk_.sync_folder(path_), path_); }
  Status Close(const Options&, Debug*) override { return Status::OK(); }

 private:
  Disk& disk_;
  const std::string path_;
};

class NoLogger final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  size_t GetLogFileSize() const override { return 0; }
};

class Lock final : public rocksdb::FileLock {};

std::string without_end(const std::string& folder) {
  return folder.size() > 1 && folder.ends_with('/') ? folder.substr(0, folder.size() - 1) : folder;
}

template <class Made, class... Arguments>
Status open_file(Disk& disk, const std::string& path, auto* made, Arguments&... arguments) {
  FilePtr file = disk.find(path);
  if (disk.off()) return status_of(Outcome::kOff, path);
  if (file == nullptr) return status_of(Outcome::kMissing, path);
  *made = std::make_unique<Made>(arguments..., std::move(file));
  return Status::OK();
}

}  // namespace

Status DiskFileSystem::NewSequentialFile(const std::string& path, const rocksdb::FileOptions&,
                                         std::unique_ptr<rocksdb::FSSequentialFile>* made, Debug*) {
  return open_file<Reader>(disk_, path, made);
}

Status DiskFileSystem::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions&,
                                           std::unique_ptr<rocksdb::FSRandomAccessFile>* made, Debug*) {
  return open_file<RandomReader>(disk_, path, made);
}

Status DiskFileSystem::NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSWritableFile>* made, Debug*) {
  FilePtr file = disk_.find(path);
  const Outcome outcome = file == nullptr ? disk_.create(path, file) : disk_.truncate(*file, 0);
  if (outcome == Outcome::kOk) *made = std::make_unique<Writer>(disk_, std::move(file));
  return status_of(outcome, path);
}

Status DiskFileSystem::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                                          std::unique_ptr<rocksdb::FSWritableFile>* made, Debug*) {
  FilePtr file = disk_.find(path);
  const Outcome outcome = file == nullptr ? disk_.create(path, file) : Outcome::kOk;
  if (outcome == Outcome::kOk) *made = std::make_unique<Writer>(disk_, std::move(file));
  return status_of(outcome, path);
}

Status DiskFileSystem::NewRandomRWFile(const std::string& path, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSRandomRWFile>* made, Debug*) {
  return open_file<ReaderWriter>(disk_, path, made, disk_);
}

Status DiskFileSystem::NewDirectory(const std::string& path, const Options&,
                                    std::unique_ptr<rocksdb::FSDirectory>* made, Debug*) {
  if (!disk_.is_folder(without_end(path))) return status_of(Outcome::kMissing, path);
  *made = std::make_unique<Folder>(disk_, without_end(path));
  return Status::OK();
}

Status DiskFileSystem::FileExists(const std::string& path, const Options&, Debug*) {
  const bool there = disk_.find(path) != nullptr || disk_.is_folder(without_end(path));
  return there ? Status::OK() : Status::NotFound(path);
}

Status DiskFileSystem::GetChildren(const std::string& folder, const Options&, std::vector<std::string>* names, Debug*) {
  if (!disk_.is_folder(without_end(folder))) return Status::NotFound(folder);
  *names = disk_.children(without_end(folder));
  return Status::OK();
}

Status DiskFileSystem::DeleteFile(const std::string& path, const Options&, Debug*) {
  return status_of(disk_.remove(path), path);
}

Status DiskFileSystem::CreateDir(const std::string& path, const Options&, Debug*) {
  return status_of(disk_.make_folder(without_end(path)), path);
}

Status DiskFileSystem::CreateDirIfMissing(const std::string& path, const Options&, Debug*) {
  if (disk_.is_folder(without_end(path))) return Status::OK();
  return status_of(disk_.make_folder(without_end(path)), path);
}

Status DiskFileSystem::DeleteDir(const std::string& path, const Options&, Debug*) {
  return status_of(disk_.remove_folder(without_end(path)), path);
}

Status DiskFileSystem::GetFileSize(const std::string& path, const Options&, uint64_t* size, Debug*) {
  const FilePtr file = disk_.find(path);
  if (file == nullptr) return status_of(Outcome::kMissing, path);
  *size = file->seen.size();
  return Status::OK();
}

Status DiskFileSystem::GetFileModificationTime(const std::string& path, const Options&, uint64_t* time, Debug*) {
  if (disk_.find(path) == nullptr) return status_of(Outcome::kMissing, path);
  *time = static_cast<uint64_t>(clock_.now_us() / kMicrosPerSecond);
  return Status::OK();
}

Status DiskFileSystem::RenameFile(const std::string& from, const std::string& to, const Options&, Debug*) {
  return status_of(disk_.rename(without_end(from), without_end(to)), from);
}

Status DiskFileSystem::LinkFile(const std::string& from, const std::string& to, const Options&, Debug*) {
  return status_of(disk_.link(from, to), from);
}

Status DiskFileSystem::LockFile(const std::string&, const Options&, rocksdb::FileLock** lock, Debug*) {
  *lock = new Lock;  // RocksDB gives it back to UnlockFile
  return Status::OK();
}

Status DiskFileSystem::UnlockFile(rocksdb::FileLock* lock, const Options&, Debug*) {
  delete lock;
  return Status::OK();
}

Status DiskFileSystem::GetTestDirectory(const Options&, std::string* path, Debug*) {
  *path = "/";
  return Status::OK();
}

Status DiskFileSystem::NewLogger(const std::string&, const Options&, std::shared_ptr<rocksdb::Logger>* made, Debug*) {
  *made = std::make_shared<NoLogger>();
  return Status::OK();
}

Status DiskFileSystem::GetAbsolutePath(const std::string& path, const Options&, std::string* absolute, Debug*) {
  *absolute = path;
  return Status::OK();
}

Status DiskFileSystem::GetFreeSpace(const std::string&, const Options&, uint64_t* free, Debug*) {
  *free = uint64_t{1} << 40;
  return Status::OK();
}

Status DiskFileSystem::IsDirectory(const std::string& path, const Options&, bool* is, Debug*) {
  *is = disk_.is_folder(without_end(path));
  return Status::OK();
}

}  // namespace tidegate::simulation
