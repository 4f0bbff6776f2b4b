// The embedded store: ordered keys in families, atomic durable writes. RocksDB behind it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tidegate::store {

enum class Family : uint8_t {
  kCatalog,  // documents of catalog/ and security/
  kLog,      // write-ahead batches and segments of log/
  kState,    // epoch records and state pages of pipelines
  kBroker,   // retained messages and sessions of the MQTT broker
};
inline constexpr int kFamilyCount = 4;

// Changes that happen together or not at all.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;
  void put(Family family, std::string_view key, std::string_view value);
  void erase(Family family, std::string_view key);
  // All keys in [begin, end).
  void erase_range(Family family, std::string_view begin, std::string_view end);
  [[nodiscard]] size_t bytes() const;
  [[nodiscard]] bool empty() const;

 private:
  friend class Store;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Durability : uint8_t { kSynced, kBuffered };

// What opening the store found to be lost of what had been acknowledged, and damaged write-ahead logs kept so far.
struct StoreDamage {
  bool lost = false;          // at this start
  uint64_t lost_changes = 0;  // at least; 0 with `lost`: not known
  size_t quarantines = 0;     // folders in `folder`: of this start and of earlier ones, until someone deletes them
  std::string folder;
};

// Any thread. Errors: DiskFull, StoreFailed, LogCorrupted (the store found a broken block).
class Store {
 public:
  // DataFolderInUse when another process has it open, StoreDamaged when there is no way to open it. A damaged
  // write-ahead log is no error: the store opens as of before the damage, keeps the log aside, and says so in the log
  // and by damage(). A disk that was full is usable again without a restart once there is room.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& folder);
  virtual ~Store() = default;

  [[nodiscard]] virtual Result<> write(WriteBatch batch, Durability durability) = 0;
  [[nodiscard]] virtual Result<std::optional<std::string>> get(Family family, std::string_view key) = 0;
  // Keys in [begin, end) in order, until `visit` returns false. An empty `end` means "to the end of the family".
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] virtual Result<> scan(Family family, std::string_view begin, std::string_view end,
                                      const Visit& visit) = 0;
  // From the last key before `end` downwards to `begin`.
  [[nodiscard]] virtual Result<> scan_back(Family family, std::string_view begin, std::string_view end,
                                           const Visit& visit) = 0;
  // Bytes on disk, about.
  [[nodiscard]] virtual uint64_t disk_bytes() const = 0;
  [[nodiscard]] virtual StoreDamage damage() const { return {}; }

 protected:
  static void* native(WriteBatch& batch);  // for the implementation
};

}  // namespace tidegate::store
