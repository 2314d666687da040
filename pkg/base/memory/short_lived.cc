#include "pkg/base/memory/short_lived.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define CALICO_HEAP_ONLY 1  // a sanitizer has an operator new of its own
#endif
#endif

namespace calico::base {
namespace {

constexpr size_t kSlabBytes = 8 << 10;
constexpr size_t kSlabs = 8192;  // 64 MiB of addresses
constexpr size_t kLargest = 1024;
constexpr size_t kAlignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

constinit thread_local int scopes = 0;

// Pieces are cut off a slab one after the other. A slab on which nothing is left is empty again.
class Slabs {
 public:
  void* Allocate(size_t bytes) {
    const size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    const std::lock_guard lock(mutex_);
    if (used_ + size > kSlabBytes && !Begin()) return nullptr;
    void* const piece = static_cast<char*>(Address(current_)) + used_;
    used_ += size;
    ++live_[current_];
    return piece;
  }

  bool Contains(const void* pointer) const {
    const std::uintptr_t start = start_.load(std::memory_order_relaxed);
    return start != 0 && reinterpret_cast<std::uintptr_t>(pointer) - start < kSlabs * kSlabBytes;
  }

  // Requires: Contains(piece).
  void Free(void* piece) {
    const size_t slab = (reinterpret_cast<std::uintptr_t>(piece) - start_.load()) / kSlabBytes;
    const std::lock_guard lock(mutex_);
    if (--live_[slab] > 0) return;
    if (slab == current_) {
      used_ = 0;
    } else {
      Drop(slab);
    }
  }

  size_t Bytes() {
    const std::lock_guard lock(mutex_);
    return in_use_ * kSlabBytes;
  }

 private:
  static constexpr size_t kNone = kSlabs;

  void* Address(size_t slab) const {
    return reinterpret_cast<void*>(start_.load() + slab * kSlabBytes);  // NOLINT: of mmap
  }

  // Makes an empty slab the current one. False: there is none.
  bool Begin() {
    if (start_ == 0 && !Reserve()) return false;
    if (empty_count_ == 0 && fresh_ == kSlabs) return false;
    current_ = empty_count_ > 0 ? empty_[--empty_count_] : static_cast<std::uint16_t>(fresh_++);
    used_ = 0;
    ++in_use_;
    return true;
  }

  bool Reserve() {
    void* const pages = mmap(nullptr, kSlabs * kSlabBytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return false;
    start_ = reinterpret_cast<std::uintptr_t>(pages);
    return true;
  }

  void Drop(size_t slab) {
    madvise(Address(slab), kSlabBytes, MADV_DONTNEED);
    empty_[empty_count_++] = static_cast<std::uint16_t>(slab);
    --in_use_;
  }

  std::mutex mutex_;
  std::atomic<std::uintptr_t> start_ = 0;  // 0: no addresses yet
  size_t current_ = kNone;
  size_t used_ = kSlabBytes;  // of the current one; full while there is none
  size_t fresh_ = 0;          // those from here on have never been used
  size_t in_use_ = 0;
  size_t empty_count_ = 0;
  std::array<std::uint16_t, kSlabs> empty_{};
  std::array<std::uint16_t, kSlabs> live_{};  // pieces on each
};

constinit Slabs slabs;

}  // namespace

ShortLivedScope::ShortLivedScope() { ++scopes; }
ShortLivedScope::~ShortLivedScope() { --scopes; }

size_t ShortLivedBytes() { return slabs.Bytes(); }
bool IsShortLived(const void* pointer) { return slabs.Contains(pointer); }

namespace internal {

void* Allocate(size_t bytes) {
  if (scopes > 0 && bytes <= kLargest) {
    if (void* const piece = slabs.Allocate(bytes)) return piece;
  }
  return std::malloc(bytes == 0 ? 1 : bytes);
}

void Free(void* pointer) {
  if (slabs.Contains(pointer)) {
    slabs.Free(pointer);
  } else {
    std::free(pointer);
  }
}

}  // namespace internal
}  // namespace calico::base

#ifndef CALICO_HEAP_ONLY
// The forms with an alignment or without exceptions are the library's: the ones end in the heap and
// in a delete of their own, the others call these.
void* operator new(size_t bytes) {
  for (;;) {
    if (void* const pointer = calico::base::internal::Allocate(bytes)) return pointer;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
void* operator new[](size_t bytes) { return operator new(bytes); }
void operator delete(void* pointer) noexcept { calico::base::internal::Free(pointer); }
void operator delete[](void* pointer) noexcept { operator delete(pointer); }
void operator delete(void* pointer, size_t /*bytes*/) noexcept { operator delete(pointer); }
void operator delete[](void* pointer, size_t /*bytes*/) noexcept { operator delete(pointer); }
#endif
