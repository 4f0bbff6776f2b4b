#include "engine/internal/group_keys.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "columnar/value_bytes.h"

namespace tidegate::engine {

using columnar::Type;

KeyCodec::KeyCodec(std::vector<size_t> columns, const columnar::Schema& input) : columns_(std::move(columns)) {
  for (const size_t column : columns_) types_.push_back(input.fields.at(column).type);
}

void KeyCodec::encode(const columnar::Batch& input, size_t row, std::string& out) const {
  out.clear();
  ByteWriter writer(out);
  for (const size_t index : columns_) {
    const columnar::Column& column = *input.columns[index];
    if (!column.valid(row)) {
      writer.fixed<uint8_t>(0);
      continue;
    }
    writer.fixed<uint8_t>(1);
    columnar::append_value_bytes(column, row, out);
  }
}

bool KeyCodec::decode(std::string_view key, columnar::BatchBuilder& out) const {
  ByteReader reader(key);
  for (size_t at = 0; at < types_.size(); ++at) {
    columnar::ColumnBuilder& column = out.column(at);
    if (reader.fixed<uint8_t>() == 0) {
      column.append_null();
      continue;
    }
    if (!columnar::read_value_bytes(reader, column)) return false;
  }
  return reader.finished();
}

bool KeyCodec::valid(std::string_view key) const {
  ByteReader reader(key);
  for (const Type& type : types_) {
    if (reader.fixed<uint8_t>() == 0) continue;
    if (!columnar::skip_value_bytes(reader, type)) return false;
  }
  return reader.finished();
}

uint32_t KeyTable::find_or_add(std::string_view key, bool& added) {
  const auto hash = static_cast<uint32_t>(hash64(key) >> 16);
  size_t at = home(hash);
  while (slots_[at].group_plus_one != 0) {
    if (slots_[at].hash == hash && keys_[slots_[at].group_plus_one - 1] == key) {
      added = false;
      return slots_[at].group_plus_one - 1;
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  added = true;
  if (free_.empty()) {
    keys_.emplace_back();
    free_.push_back(static_cast<uint32_t>(keys_.size() - 1));
  }
  const uint32_t group = free_.back();
  free_.pop_back();
  key_bytes_ -= keys_[group].capacity();
  keys_[group].assign(key);
  key_bytes_ += keys_[group].capacity();
  slots_[at] = {hash, group + 1};
  if (++used_ * 2 > slots_.size()) grow();
  return group;
}

void KeyTable::erase(uint32_t group) {
  const auto hash = static_cast<uint32_t>(hash64(keys_[group]) >> 16);
  const size_t mask = slots_.size() - 1;
  size_t hole = home(hash);
  while (slots_[hole].group_plus_one != group + 1) hole = (hole + 1) & mask;
  // Closes the hole: whatever follows without a gap and may stand here moves up.
  for (size_t at = (hole + 1) & mask; slots_[at].group_plus_one != 0; at = (at + 1) & mask) {
    if (((at - home(slots_[at].hash)) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  free_.push_back(group);
  --used_;
}

void KeyTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.group_plus_one == 0) continue;
    size_t at = home(slot.hash);
    while (slots_[at].group_plus_one != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

size_t KeyTable::memory_bytes() const {
  return slots_.capacity() * sizeof(Slot) + keys_.capacity() * sizeof(std::string) + key_bytes_ +
         free_.capacity() * sizeof(uint32_t);
}

}  // namespace tidegate::engine
