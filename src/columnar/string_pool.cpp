#include "columnar/string_pool.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace tidegate::columnar {

StringPool::Table::Table(size_t slot_count)
    : mask(slot_count - 1), slots(std::make_unique<std::atomic<uint64_t>[]>(slot_count)) {}

StringPool::StringPool(uint32_t max_entries) : max_entries_(std::min<uint32_t>(max_entries, kChunkSize * kMaxChunks)) {
  tables_.push_back(std::make_unique<Table>(1024));
  table_.store(tables_.back().get(), std::memory_order_release);
}

StringPool::~StringPool() = default;

const StringPool::Entry& StringPool::entry(uint32_t code) const {
  return chunks_[code >> kChunkBits].load(std::memory_order_acquire)[code & (kChunkSize - 1)];
}

std::string_view StringPool::view(StringCode code) const {
  const Entry& found = entry(code.value);
  return {found.data, found.length};
}

KeyGroup StringPool::key_group(StringCode code) const { return entry(code.value).key_group; }

std::optional<StringCode> StringPool::find_hashed(std::string_view text, uint64_t hash) const {
  const Table& table = *table_.load(std::memory_order_acquire);
  for (size_t at = hash & table.mask;; at = (at + 1) & table.mask) {
    const uint64_t slot = table.slots[at].load(std::memory_order_acquire);
    if (slot == 0) return std::nullopt;
    if ((slot >> 32) != (hash >> 32)) continue;
    const StringCode code{static_cast<uint32_t>(slot) - 1};
    if (view(code) == text) return code;
  }
}

std::optional<StringCode> StringPool::find(std::string_view text) const { return find_hashed(text, hash64(text)); }

std::optional<StringCode> StringPool::intern(std::string_view text) {
  const uint64_t hash = hash64(text);
  if (const auto found = find_hashed(text, hash)) return found;
  const std::lock_guard lock(insert_mutex_);
  if (const auto found = find_hashed(text, hash)) return found;
  const uint32_t code = size_.load(std::memory_order_relaxed);
  if (code >= max_entries_) return std::nullopt;
  if ((code & (kChunkSize - 1)) == 0) {
    owned_chunks_.push_back(std::make_unique<Entry[]>(kChunkSize));
    chunks_[code >> kChunkBits].store(owned_chunks_.back().get(), std::memory_order_release);
  }
  owned_chunks_.back()[code & (kChunkSize - 1)] =
      Entry{store_text(text), static_cast<uint32_t>(text.size()), key_group_of(text)};
  size_.store(code + 1, std::memory_order_release);
  if (2 * (static_cast<size_t>(code) + 1) > table_.load(std::memory_order_relaxed)->mask) grow_table();
  insert_slot(*table_.load(std::memory_order_relaxed), hash, code);
  return StringCode{code};
}

const char* StringPool::store_text(std::string_view text) {
  if (text_blocks_.empty() || text_used_ + text.size() > kTextBlock) {
    text_blocks_.push_back(std::make_unique<char[]>(std::max(kTextBlock, text.size())));
    text_used_ = 0;
  }
  char* place = text_blocks_.back().get() + text_used_;
  if (!text.empty()) std::memcpy(place, text.data(), text.size());  // an empty view may point nowhere
  text_used_ += text.size();
  return place;
}

void StringPool::insert_slot(Table& table, uint64_t hash, uint32_t code) {
  size_t at = hash & table.mask;
  while (table.slots[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & table.mask;
  table.slots[at].store((hash >> 32 << 32) | (code + 1), std::memory_order_release);
}

// Called before the newest string has a slot: it copies the older ones.
void StringPool::grow_table() {
  auto bigger = std::make_unique<Table>((table_.load(std::memory_order_relaxed)->mask + 1) * 4);
  const uint32_t newest = size_.load(std::memory_order_relaxed) - 1;
  for (uint32_t code = 0; code < newest; ++code) insert_slot(*bigger, hash64(view(StringCode{code})), code);
  table_.store(bigger.get(), std::memory_order_release);
  tables_.push_back(std::move(bigger));
}

}  // namespace tidegate::columnar
