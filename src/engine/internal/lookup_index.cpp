#include "engine/internal/lookup_index.h"

#include <algorithm>
#include <atomic>

#include "base/hash.h"
#include "compute/evaluator.h"
#include "lookup/row_bytes.h"

namespace tidegate::engine {

using columnar::Column;
using columnar::ColumnPtr;
using columnar::TypeKind;

namespace {

constexpr uint32_t kUnknown = UINT32_MAX - 1;  // of a code that was not asked for yet
constexpr size_t kFirstSlots = 64;

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

uint32_t hash_of(int64_t key) {
  const uint64_t mixed = static_cast<uint64_t>(key) * 0x9e3779b97f4a7c15U;
  return static_cast<uint32_t>(mixed >> 32U);
}
uint32_t hash_of(std::string_view key) { return static_cast<uint32_t>(hash64(key) >> 16U); }

bool all_valid(std::span<const ColumnPtr> keys, size_t row) {
  return std::ranges::all_of(keys, [row](const ColumnPtr& key) { return key->valid(row); });
}

// The keys of a row as bytes: the same for equal ones, whatever the encoding of their columns.
std::string_view bytes_of(std::span<const ColumnPtr> keys, size_t row, std::string& out) {
  out.clear();
  for (const ColumnPtr& key : keys) lookup::append_value(*key, row, out);
  return out;
}

}  // namespace

LookupIndex::LookupIndex(const sql::LookupJoin& join, lookup::TableVersionPtr version)
    : version_(std::move(version)), number_(next_number()), slots_(kFirstSlots), ends_{0} {
  if (join.table_keys.size() == 1) {
    form_ = join.table_keys.front().type == TypeKind::kString ? Form::kText : Form::kInteger;
  }
  if (join.time) since_ = version_->rows.columns[*join.table->version_column]->values<int64_t>().data();
  if (version_->rows.rows > 0) add_rows(join);
}

void LookupIndex::add_rows(const sql::LookupJoin& join) {
  const columnar::Batch& rows = version_->rows;
  std::vector<ColumnPtr> keys;
  for (const sql::Expression& key : join.table_keys) keys.push_back(compute::compile(key)->evaluate(rows));
  std::vector<uint32_t> taken;
  if (join.condition) {
    compute::true_rows(*compute::compile(*join.condition)->evaluate(rows), taken);
    if (join.time) {
      holds_.assign(rows.rows, false);
      for (const uint32_t row : taken) holds_[row] = true;
    }
  }
  if (join.condition && !join.time) {
    for (const uint32_t row : taken) add_row(keys, row);
  } else {
    for (uint32_t row = 0; row < rows.rows; ++row) add_row(keys, row);
  }
  if (join.kind == sql::LookupKind::kIn && join.time) note_times();
}

// Whether the values of an IN are none at all, which makes it false and not unknown, depends on the time too.
void LookupIndex::note_times() {
  std::vector<std::pair<int64_t, int>> changes;  // of the number of rows that hold
  for (size_t group = 0; group < firsts_.size(); ++group) {
    const uint32_t end = firsts_[group] + counts_[group];
    for (uint32_t row = firsts_[group]; row < end; ++row) {
      if (!holds_.empty() && !holds_[row]) continue;
      changes.emplace_back(since_[row], 1);
      if (row + 1 < end) changes.emplace_back(since_[row + 1], -1);
    }
  }
  std::ranges::sort(changes);
  int count = 0;
  for (size_t at = 0; at < changes.size();) {
    const int64_t time_us = changes[at].first;
    const bool was = count > 0;
    for (; at < changes.size() && changes[at].first == time_us; ++at) count += changes[at].second;
    if ((count > 0) != was) any_.push_back(time_us);
  }
}

bool LookupIndex::has_rows_at(int64_t time_us) const {
  return (std::ranges::upper_bound(any_, time_us) - any_.begin()) % 2 == 1;
}

void LookupIndex::add_row(std::span<const ColumnPtr> keys, uint32_t row) {
  has_rows_ = true;
  if (!all_valid(keys, row)) {
    has_null_ = true;
    return;
  }
  std::string bytes;
  uint32_t group = 0;
  switch (form_) {
    case Form::kInteger: group = find_or_add(keys.front()->integer_at(row)); break;
    case Form::kText: group = find_or_add(keys.front()->string_at(row)); break;
    case Form::kBytes: group = find_or_add(bytes_of(keys, row, bytes)); break;
  }
  if (group == firsts_.size()) {
    firsts_.push_back(row);
    counts_.push_back(0);
  }
  ++counts_[group];
}

template <class Key>
uint32_t LookupIndex::find_one(const Key& key) const {
  const uint32_t hash = hash_of(key);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].group_plus_one != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && same(slots_[at].group_plus_one - 1, key)) return slots_[at].group_plus_one - 1;
  }
  return kNone;
}

template <class Key>
uint32_t LookupIndex::find_or_add(const Key& key) {
  const uint32_t found = find_one(key);
  if (found != kNone) return found;
  const auto group = static_cast<uint32_t>(firsts_.size());
  if (firsts_.size() * 2 >= slots_.size()) grow();
  const uint32_t hash = hash_of(key);
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].group_plus_one != 0) at = (at + 1) & mask;
  slots_[at] = {hash, group + 1};
  if constexpr (std::is_same_v<Key, int64_t>) {
    integers_.push_back(key);
  } else {
    text_ += key;
    ends_.push_back(static_cast<uint32_t>(text_.size()));
  }
  return group;
}

void LookupIndex::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.group_plus_one == 0) continue;
    size_t at = slot.hash & mask;
    while (slots_[at].group_plus_one != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

// Strings with dense numbers are looked up once each.
uint32_t LookupIndex::find_code(const Column& key, size_t row, ProbeMemory& memory) const {
  const uint32_t code = key.values<uint32_t>()[row];
  if (code >= memory.by_code.size()) memory.by_code.resize(std::max<size_t>(code + 1, key.pool->size()), kUnknown);
  uint32_t& group = memory.by_code[code];
  if (group == kUnknown) group = find_one(key.pool->view(StringCode{code}));
  return group;
}

void LookupIndex::find(std::span<const ColumnPtr> keys, size_t rows, ProbeMemory& memory,
                       std::vector<uint32_t>& groups) const {
  groups.resize(rows);
  const Column& key = *keys.front();
  if (memory.index != number_ || memory.pool != key.pool) {
    memory.index = number_;
    memory.pool = key.pool;
    memory.by_code.clear();
  }
  for (size_t row = 0; row < rows; ++row) {
    if (!all_valid(keys, row)) {
      groups[row] = kNone;
      continue;
    }
    switch (form_) {
      case Form::kInteger: groups[row] = find_one(key.integer_at(row)); break;
      case Form::kText:
        groups[row] = key.pool != nullptr ? find_code(key, row, memory) : find_one(key.string_at(row));
        break;
      case Form::kBytes: groups[row] = find_one(bytes_of(keys, row, memory.bytes)); break;
    }
  }
}

uint32_t LookupIndex::row_at(uint32_t group, int64_t time_us) const {
  if (group == kNone) return kNone;
  const int64_t* first = since_ + firsts_[group];
  const int64_t* last = first + counts_[group];
  const int64_t* next = *(last - 1) <= time_us ? last : std::upper_bound(first, last, time_us);
  if (next == first) return kNone;
  const auto row = static_cast<uint32_t>(next - since_ - 1);
  return holds_.empty() || holds_[row] ? row : kNone;
}

size_t LookupIndex::memory_bytes() const {
  return slots_.capacity() * sizeof(Slot) + integers_.capacity() * sizeof(int64_t) + text_.capacity() +
         (ends_.capacity() + firsts_.capacity() + counts_.capacity()) * sizeof(uint32_t) + holds_.capacity() / 8 +
         any_.capacity() * sizeof(int64_t);
}

}  // namespace tidegate::engine
