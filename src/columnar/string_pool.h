// StringPool: strings <-> dense numbers, process-wide, append-only. Devices become such numbers at the
// door, so that grouping by device is an array index.
//
// Threads: find(), view() and key_group() are lock-free from any thread; intern() takes a lock only
// for a string it has not seen.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace tidegate::columnar {

class StringPool {
 public:
  // At most `max_entries` different strings; a bound on memory against made-up device names.
  explicit StringPool(uint32_t max_entries = 16'000'000);
  ~StringPool();
  StringPool(const StringPool&) = delete;
  StringPool& operator=(const StringPool&) = delete;

  // The string's code, given to it at first sight; nothing when the pool is full.
  [[nodiscard]] std::optional<StringCode> intern(std::string_view text);
  [[nodiscard]] std::optional<StringCode> find(std::string_view text) const;

  // The code must come from this pool. The view lives as long as the pool.
  [[nodiscard]] std::string_view view(StringCode code) const;
  // The string's key group as a device (base/hash.h).
  [[nodiscard]] KeyGroup key_group(StringCode code) const;
  // Number of strings; codes are 0 .. size()-1.
  [[nodiscard]] uint32_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  struct Entry {
    const char* data;
    uint32_t length;
    KeyGroup key_group;
  };
  // A slot holds the upper 32 bits of the hash and code + 1; 0 is empty.
  struct Table {
    explicit Table(size_t slot_count);
    size_t mask;
    std::unique_ptr<std::atomic<uint64_t>[]> slots;
  };
  static constexpr uint32_t kChunkBits = 14;
  static constexpr uint32_t kChunkSize = 1U << kChunkBits;
  static constexpr size_t kMaxChunks = 4096;
  static constexpr size_t kTextBlock = 1U << 18;

  [[nodiscard]] const Entry& entry(uint32_t code) const;
  [[nodiscard]] std::optional<StringCode> find_hashed(std::string_view text, uint64_t hash) const;
  const char* store_text(std::string_view text);
  void insert_slot(Table& table, uint64_t hash, uint32_t code);
  void grow_table();

  const uint32_t max_entries_;
  std::atomic<uint32_t> size_{0};
  std::atomic<Table*> table_;
  std::array<std::atomic<Entry*>, kMaxChunks> chunks_{};

  std::mutex insert_mutex_;
  std::vector<std::unique_ptr<Table>> tables_;  // older ones stay: readers may still be inside
  std::vector<std::unique_ptr<Entry[]>> owned_chunks_;
  std::vector<std::unique_ptr<char[]>> text_blocks_;
  size_t text_used_ = kTextBlock;
};

}  // namespace tidegate::columnar
