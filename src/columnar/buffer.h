// A growable run of trivially copyable values, 64-byte aligned as Arrow asks, not zeroed when it grows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace tidegate::columnar {

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer& other) { append(other.span()); }
  Buffer& operator=(const Buffer& other) {
    if (this == &other) return *this;
    size_ = 0;
    append(other.span());
    return *this;
  }
  ~Buffer() = default;

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t capacity() const { return capacity_; }
  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::span<T> span() { return {data(), size_}; }
  [[nodiscard]] std::span<const T> span() const { return {data(), size_}; }
  T& operator[](size_t index) { return data_.get()[index]; }
  const T& operator[](size_t index) const { return data_.get()[index]; }

  void clear() { size_ = 0; }
  void reserve(size_t wanted) {
    if (wanted > capacity_) grow(wanted);
  }
  // New values are uninitialised.
  void resize(size_t wanted) {
    reserve(wanted);
    size_ = wanted;
  }
  void resize(size_t wanted, T fill) {
    const size_t before = size_;
    resize(wanted);
    if (wanted > before) std::fill(data() + before, data() + wanted, fill);
  }
  void push_back(T value) {
    if (size_ == capacity_) [[unlikely]]
      grow(size_ + 1);
    data_.get()[size_++] = value;
  }
  void append(std::span<const T> values) {
    const size_t before = size_;
    resize(size_ + values.size());
    if (!values.empty()) std::memcpy(data() + before, values.data(), values.size_bytes());
  }
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, kAlignment); }
  };

  void grow(size_t wanted) {
    const size_t capacity = std::max({wanted, capacity_ * 2, size_t{64}});
    std::unique_ptr<T, Free> bigger(static_cast<T*>(::operator new(capacity * sizeof(T), kAlignment)));
    if (size_ > 0) std::memcpy(bigger.get(), data_.get(), size_ * sizeof(T));
    data_ = std::move(bigger);
    capacity_ = capacity;
  }

  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace tidegate::columnar
