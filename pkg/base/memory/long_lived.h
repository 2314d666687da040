// Memory for small things of which thousands stay for long, such as the entries of a cache.
//
// Among what comes and goes they would keep every page of the heap from being given back. Here they
// lie side by side. What is freed serves the next of that size; it does not go back to the kernel.
#ifndef CALICO_PKG_BASE_MEMORY_LONG_LIVED_H_
#define CALICO_PKG_BASE_MEMORY_LONG_LIVED_H_

#include <cstddef>
#include <string>
#include <vector>

namespace calico::base {

// Threading: any thread. Errors: std::bad_alloc, as operator new.
void* AllocateLongLived(size_t bytes, size_t alignment);
// `pointer` is of AllocateLongLived with the same numbers.
void FreeLongLived(void* pointer, size_t bytes, size_t alignment) noexcept;

// For std::allocate_shared and containers.
template <class T>
struct LongLivedAllocator {
  using value_type = T;

  LongLivedAllocator() = default;
  template <class U>
  LongLivedAllocator(const LongLivedAllocator<U>&) {}  // NOLINT: as allocators are

  T* allocate(size_t count) {
    return static_cast<T*>(AllocateLongLived(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* pointer, size_t count) noexcept {
    FreeLongLived(pointer, count * sizeof(T), alignof(T));
  }
  friend bool operator==(const LongLivedAllocator&, const LongLivedAllocator&) { return true; }
};

using LongLivedString = std::basic_string<char, std::char_traits<char>, LongLivedAllocator<char>>;
template <class T>
using LongLivedVector = std::vector<T, LongLivedAllocator<T>>;

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_MEMORY_LONG_LIVED_H_
