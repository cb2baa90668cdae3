#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <maskgrad/core/memory.hpp>

namespace maskgrad::detail {

/// An object that counts its handles; made in the pool's small blocks.
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() = default;

  // Inlined by force: in large units the compiler runs out of what it may inline by itself.
  [[gnu::always_inline]] void retain() const { count_.fetch_add(1, std::memory_order_relaxed); }
  /// True when this was the last handle.
  [[gnu::always_inline]] bool let_go() const {
    return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  int handles() const { return count_.load(std::memory_order_relaxed); }

  static void* operator new(std::size_t bytes) { return memory::take_small(bytes); }
  static void operator delete(void* p, std::size_t bytes) { memory::give_small(p, bytes); }

  /// What the last handle does; a class that forms long chains ends them without recursion.
  virtual void end() const { delete this; }

 private:
  mutable std::atomic<std::int32_t> count_{0};
};

/// A handle on a Counted object.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  [[gnu::always_inline]] explicit Ref(T* object) : object_(object) {
    if (object_) object_->retain();
  }
  [[gnu::always_inline]] Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
  requires std::is_convertible_v<U*, T*> Ref(const Ref<U>& other) : Ref(other.get()) {}
  ~Ref() { reset(); }

  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  void reset() {
    T* object = std::exchange(object_, nullptr);
    if (object && object->let_go()) object->end();
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  bool operator==(const Ref& other) const { return object_ == other.object_; }

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace maskgrad::detail
