// HeapOptional: std::optional whose value lies on the heap. For members that are mostly absent, in
// structures of which thousands are kept: absent, it takes a pointer's room.
#ifndef CALICO_PKG_BASE_HEAP_OPTIONAL_H_
#define CALICO_PKG_BASE_HEAP_OPTIONAL_H_

#include <memory>
#include <optional>
#include <utility>

namespace calico::base {

// Copies copy the value. As with std::optional, * and -> require a value.
template <class T>
class HeapOptional {
 public:
  HeapOptional() = default;
  HeapOptional(std::nullopt_t) {}  // NOLINT: as std::optional
  HeapOptional(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT
  HeapOptional(const HeapOptional& other)
      : value_(other.has_value() ? std::make_unique<T>(*other) : nullptr) {}
  HeapOptional(HeapOptional&&) noexcept = default;
  HeapOptional& operator=(HeapOptional other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~HeapOptional() = default;

  bool has_value() const { return value_ != nullptr; }
  void reset() { value_.reset(); }
  const T& operator*() const { return *value_; }
  T& operator*() { return *value_; }
  const T* operator->() const { return value_.get(); }
  T* operator->() { return value_.get(); }

  friend bool operator==(const HeapOptional& a, const HeapOptional& b) {
    return a.has_value() == b.has_value() && (!a.has_value() || *a == *b);
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_HEAP_OPTIONAL_H_
