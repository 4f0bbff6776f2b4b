// The rows of one version of a lookup table by what a lookup asks for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookup/table_version.h"
#include "sql/plan.h"

namespace tidegate::engine {

// What one worker remembers of an index from batch to batch. One thread at a time.
struct ProbeMemory {
  uint64_t index = 0;  // that it is of: LookupIndex::number()
  const columnar::StringPool* pool = nullptr;
  std::vector<uint32_t> by_code;  // the group of each string of the pool that was asked for
  std::string bytes;
};

// Immutable, shared by all workers of a pipeline.
class LookupIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  LookupIndex(const sql::LookupJoin& join, lookup::TableVersionPtr version);

  [[nodiscard]] const lookup::TableVersionPtr& version() const { return version_; }
  // No other index of this process has it, not even one built later where this one lay.
  [[nodiscard]] uint64_t number() const { return number_; }
  // For each row of the keys its group in the table, or kNone.
  void find(std::span<const columnar::ColumnPtr> keys, size_t rows, ProbeMemory& memory,
            std::vector<uint32_t>& groups) const;
  // The table's row that holds: the first of the group, or that of the time; kNone.
  [[nodiscard]] uint32_t row_of(uint32_t group) const { return group == kNone ? kNone : firsts_[group]; }
  [[nodiscard]] uint32_t row_at(uint32_t group, int64_t time_us) const;
  // Of IN: whether there is any row, one that holds at a time if rows do so, and one whose key is NULL.
  [[nodiscard]] bool has_rows() const { return has_rows_; }
  [[nodiscard]] bool has_rows_at(int64_t time_us) const;
  [[nodiscard]] bool has_null() const { return has_null_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  enum class Form : uint8_t { kInteger, kText, kBytes };  // of the keys: one of a fixed width, one text, anything
  struct Slot {
    uint32_t hash = 0;
    uint32_t group_plus_one = 0;  // 0: empty
  };

  void add_rows(const sql::LookupJoin& join);
  void add_row(std::span<const columnar::ColumnPtr> keys, uint32_t row);
  void note_times();
  void grow();
  [[nodiscard]] bool same(uint32_t group, int64_t integer) const { return integers_[group] == integer; }
  [[nodiscard]] bool same(uint32_t group, std::string_view text) const {
    return std::string_view(text_).substr(ends_[group], ends_[group + 1] - ends_[group]) == text;
  }
  template <class Key>
  [[nodiscard]] uint32_t find_one(const Key& key) const;
  template <class Key>
  uint32_t find_or_add(const Key& key);
  [[nodiscard]] uint32_t find_code(const columnar::Column& key, size_t row, ProbeMemory& memory) const;

  lookup::TableVersionPtr version_;
  uint64_t number_;
  Form form_ = Form::kBytes;
  std::vector<Slot> slots_;
  std::vector<int64_t> integers_;   // kInteger: the key of each group
  std::string text_;                // else the keys, one after the other
  std::vector<uint32_t> ends_;      // where the key of each group begins, and the last one ends
  std::vector<uint32_t> firsts_;    // the first row of each group; those of one group are neighbours
  std::vector<uint32_t> counts_;    // of rows, by group
  const int64_t* since_ = nullptr;  // of each row, in the version
  std::vector<bool> holds_;         // by row, if there is a condition that goes by the row that holds
  std::vector<int64_t> any_;        // of IN by time: from when on there is any row, from when on none, and so on
  bool has_rows_ = false;
  bool has_null_ = false;
};
// Shared by the workers and whoever builds the next one.
using LookupIndexPtr = std::shared_ptr<const LookupIndex>;

}  // namespace tidegate::engine
