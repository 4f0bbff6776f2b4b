// The simulated disk as RocksDB's file system.
#pragma once

#include <rocksdb/file_system.h>

#include "disk.h"
#include "io/clock.h"

namespace tidegate::simulation {

class DiskFileSystem final : public rocksdb::FileSystem {
 public:
  using Status = rocksdb::IOStatus;
  using Options = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;

  DiskFileSystem(Disk& disk, const io::Clock& clock) : disk_(disk), clock_(clock) {}
  const char* Name() const override { return "tidegate-simulation"; }

  Status NewSequentialFile(const std::string& path, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSSequentialFile>* made, Debug*) override;
  Status NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions&,
                             std::unique_ptr<rocksdb::FSRandomAccessFile>* made, Debug*) override;
  Status NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                         std::unique_ptr<rocksdb::FSWritableFile>* made, Debug*) override;
  Status ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                            std::unique_ptr<rocksdb::FSWritableFile>* made, Debug*) override;
  Status NewRandomRWFile(const std::string& path, const rocksdb::FileOptions&,
                         std::unique_ptr<rocksdb::FSRandomRWFile>* made, Debug*) override;
  Status NewDirectory(const std::string& path, const Options&, std::unique_ptr<rocksdb::FSDirectory>* made,
                      Debug*) override;
  Status FileExists(const std::string& path, const Options&, Debug*) override;
  Status GetChildren(const std::string& folder, const Options&, std::vector<std::string>* names, Debug*) override;
  Status DeleteFile(const std::string& path, const Options&, Debug*) override;
  Status CreateDir(const std::string& path, const Options&, Debug*) override;
  Status CreateDirIfMissing(const std::string& path, const Options&, Debug*) override;
  Status DeleteDir(const std::string& path, const Options&, Debug*) override;
  Status GetFileSize(const std::string& path, const Options&, uint64_t* size, Debug*) override;
  Status GetFileModificationTime(const std::string& path, const Options&, uint64_t* time, Debug*) override;
  Status RenameFile(const std::string& from, const std::string& to, const Options&, Debug*) override;
  Status LinkFile(const std::string& from, const std::string& to, const Options&, Debug*) override;
  Status LockFile(const std::string& path, const Options&, rocksdb::FileLock** lock, Debug*) override;
  Status UnlockFile(rocksdb::FileLock* lock, const Options&, Debug*) override;
  Status GetTestDirectory(const Options&, std::string* path, Debug*) override;
  Status NewLogger(const std::string& path, const Options&, std::shared_ptr<rocksdb::Logger>* made, Debug*) override;
  Status GetAbsolutePath(const std::string& path, const Options&, std::string* absolute, Debug*) override;
  Status GetFreeSpace(const std::string& path, const Options&, uint64_t* free, Debug*) override;
  Status IsDirectory(const std::string& path, const Options&, bool* is, Debug*) override;

 private:
  Disk& disk_;
  const io::Clock& clock_;
};

}  // namespace tidegate::simulation
