// Guarded<T>: data that can only be reached while its lock is held.
#pragma once

#include <mutex>
#include <utility>

namespace tidegate {

template <class T>
class Guarded {
 public:
  // Access to the value for as long as this object lives. `unique_lock()` is for condition variables.
  class Access {
   public:
    Access(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    std::unique_lock<std::mutex>& unique_lock() { return lock_; }

   private:
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  [[nodiscard]] Access lock() { return Access(mutex_, value_); }
  [[nodiscard]] auto lock() const { return ConstAccess(mutex_, value_); }

 private:
  class ConstAccess {
   public:
    ConstAccess(std::mutex& mutex, const T& value) : lock_(mutex), value_(value) {}
    const T* operator->() const { return &value_; }
    const T& operator*() const { return value_; }

   private:
    std::unique_lock<std::mutex> lock_;
    const T& value_;
  };

  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace tidegate
