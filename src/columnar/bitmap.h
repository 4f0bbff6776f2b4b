// A bitmap, least significant bit first, in 64-bit words: Arrow's validity layout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "columnar/buffer.h"

namespace tidegate::columnar {

class Bitmap {
 public:
  [[nodiscard]] size_t size() const { return bits_; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] bool test(size_t index) const { return (words_[index / 64] >> (index % 64)) & 1; }
  void set(size_t index) { words_[index / 64] |= uint64_t{1} << (index % 64); }
  void reset(size_t index) { words_[index / 64] &= ~(uint64_t{1} << (index % 64)); }
  void assign(size_t index, bool value) { value ? set(index) : reset(index); }
  // New bits have the value `fill`; bits past the end of the last word are zero.
  void resize(size_t bits, bool fill) {
    const size_t before = bits_;
    words_.resize((bits + 63) / 64, fill ? ~uint64_t{0} : 0);
    bits_ = bits;
    if (fill && bits > before && before % 64 != 0) words_[before / 64] |= ~uint64_t{0} << (before % 64);
    if (bits % 64 != 0) words_[bits / 64] &= (uint64_t{1} << (bits % 64)) - 1;
  }
  void push_back(bool value) {
    if (bits_ % 64 == 0) words_.push_back(0);
    ++bits_;
    if (value) set(bits_ - 1);
  }
  void truncate(size_t bits) {
    words_.resize((bits + 63) / 64);
    bits_ = bits;
    if (bits % 64 != 0) words_[bits / 64] &= (uint64_t{1} << (bits % 64)) - 1;
  }
  void clear() {
    bits_ = 0;
    words_.clear();
  }
  [[nodiscard]] const Buffer<uint64_t>& words() const { return words_; }
  [[nodiscard]] Buffer<uint64_t>& words() { return words_; }

 private:
  Buffer<uint64_t> words_;
  size_t bits_ = 0;
};

}  // namespace tidegate::columnar
