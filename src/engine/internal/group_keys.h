// Group keys: the values of the key columns as bytes, and the table from such bytes to dense group numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/batch.h"

namespace tidegate::engine {

// Key columns of one row as bytes: per column 0 for NULL, or 1 and the value (fixed width, or varint length and text).
// Equal keys have equal bytes whatever the encoding of their columns; the bytes are written to snapshots.
class KeyCodec {
 public:
  KeyCodec(std::vector<size_t> columns, const columnar::Schema& input);

  void encode(const columnar::Batch& input, size_t row, std::string& out) const;
  // Appends to columns [0, keys) of `out`. False: not bytes of such a key; nothing useful was appended.
  bool decode(std::string_view key, columnar::BatchBuilder& out) const;
  // Whether the bytes are a whole key of these columns.
  [[nodiscard]] bool valid(std::string_view key) const;
  [[nodiscard]] const std::vector<size_t>& columns() const { return columns_; }

 private:
  std::vector<size_t> columns_;
  std::vector<columnar::Type> types_;
};

// Open addressing with linear probing; group numbers of erased keys are given out again. One thread at a time.
class KeyTable {
 public:
  // `places`: a power of 2.
  explicit KeyTable(size_t places = kInitialSlots) : slots_(places) {}

  // The key's group; `added` tells whether it is new.
  uint32_t find_or_add(std::string_view key, bool& added);
  void erase(uint32_t group);
  [[nodiscard]] std::string_view key(uint32_t group) const { return keys_[group]; }
  [[nodiscard]] size_t size() const { return used_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  static constexpr size_t kInitialSlots = 64;
  struct Slot {
    uint32_t hash = 0;
    uint32_t group_plus_one = 0;  // 0: empty
  };

  void grow();
  [[nodiscard]] size_t home(uint32_t hash) const { return hash & (slots_.size() - 1); }

  std::vector<Slot> slots_;
  std::vector<std::string> keys_;
  std::vector<uint32_t> free_;
  size_t used_ = 0;
  size_t key_bytes_ = 0;
};

}  // namespace tidegate::engine
