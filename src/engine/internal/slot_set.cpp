#include "engine/internal/slot_set.h"

#include <algorithm>
#include <bit>

namespace tidegate::engine {

namespace {

constexpr int64_t kBits = 64;
constexpr int64_t kMaxWords = SlotSet::kMaxSlots / kBits + 1;

int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

void SlotSet::add(const AggregateField& field, const CellRows& rows, size_t row) {
  const int64_t time = rows.input.columns[field.argument]->values<int64_t>()[row];
  const int64_t slot = floor_divide(time - field.phase_us, field.interval_us);
  const int64_t word = floor_divide(slot, kBits);
  set_bits(word, uint64_t{1} << (slot - word * kBits));
}

void SlotSet::set_bits(int64_t word, uint64_t bits) {
  if (overflowed_) return;
  if (words_.empty()) first_word_ = word;
  const int64_t first = std::min(first_word_, word);
  const int64_t last = std::max(first_word_ + static_cast<int64_t>(words_.size()) - 1, word);
  if (last - first >= kMaxWords) {
    *this = SlotSet();
    overflowed_ = true;
    return;
  }
  if (first < first_word_) words_.insert(words_.begin(), static_cast<size_t>(first_word_ - first), 0);
  first_word_ = first;
  words_.resize(static_cast<size_t>(last - first + 1), 0);
  words_[static_cast<size_t>(word - first)] |= bits;
}

void SlotSet::merge(const AggregateField&, const SlotSet& other) {
  if (other.overflowed_) {
    *this = SlotSet();
    overflowed_ = true;
  }
  for (size_t at = 0; at < other.words_.size(); ++at) {
    if (other.words_[at] != 0) set_bits(other.first_word_ + static_cast<int64_t>(at), other.words_[at]);
  }
}

bool SlotSet::emit(const AggregateField& field, const AggregateResult&, const WindowBounds& window,
                   columnar::ColumnBuilder& out) const {
  if (overflowed_) {
    out.append_null();
    return false;
  }
  int64_t seen = 0;
  for (const uint64_t word : words_) seen += std::popcount(word);
  const int64_t expected =
      std::max<int64_t>((window.expected_end - window.start + field.interval_us - 1) / field.interval_us, 1);
  out.append<double>(static_cast<double>(std::min(seen, expected)) / static_cast<double>(expected));
  return true;
}

void SlotSet::write(const AggregateField&, ByteWriter& out) const {
  out.fixed<uint8_t>(overflowed_);
  out.zigzag(first_word_);
  out.varint(words_.size());
  for (const uint64_t word : words_) out.varint(word);
}

bool SlotSet::read(const AggregateField&, ByteReader& in) {
  const uint8_t overflowed = in.fixed<uint8_t>();
  const int64_t first = in.zigzag();
  const uint64_t count = in.varint();
  constexpr int64_t kFar = int64_t{1} << 61;
  if (overflowed > 1 || first < -kFar || first > kFar || count > in.remaining()) return false;
  if (count > static_cast<uint64_t>(kMaxWords)) return false;
  first_word_ = first;
  for (uint64_t i = 0; i < count; ++i) words_.push_back(in.varint());
  overflowed_ = overflowed == 1;
  return in.ok();
}

}  // namespace tidegate::engine
