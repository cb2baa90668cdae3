#pragma once

#include <cstdint>
#include <span>

#include <maskgrad/core/memory.hpp>

namespace maskgrad::extend {

/// A fixed number of plain values in pooled memory, not initialized; copies share them.
template <class T>
class Pooled {
 public:
  Pooled() = default;
  explicit Pooled(std::int64_t size)
      : storage_(size * static_cast<std::int64_t>(sizeof(T))), size_(size) {}

  T* data() { return reinterpret_cast<T*>(storage_.data()); }
  const T* data() const { return reinterpret_cast<const T*>(storage_.data()); }
  std::int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::int64_t i) { return data()[i]; }
  const T& operator[](std::int64_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  operator std::span<const T>() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  Storage storage_;
  std::int64_t size_ = 0;
};

using Index = Pooled<std::int64_t>;

}  // namespace maskgrad::extend
