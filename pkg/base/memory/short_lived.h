// Memory for what comes in waves: thousands of objects, all gone a minute later.
//
// From the heap, a wave would leave its whole height behind: the little that is allocated in its
// midst and stays keeps nearly every page. Here a wave has pages of its own, which go back to the
// kernel as soon as nothing is left on them.
#ifndef CALICO_PKG_BASE_MEMORY_SHORT_LIVED_H_
#define CALICO_PKG_BASE_MEMORY_SHORT_LIVED_H_

#include <cstddef>

namespace calico::base {

// While one exists, what this thread allocates with operator new (what std::string and containers
// do) comes from there, small pieces only; the rest, and more than the whole of it, from the heap.
// It may be freed at any time, by any thread. Programs under a sanitizer use the heap.
// Threading: of one thread. They nest.
class ShortLivedScope {
 public:
  ShortLivedScope();
  ~ShortLivedScope();
  ShortLivedScope(const ShortLivedScope&) = delete;
  ShortLivedScope& operator=(const ShortLivedScope&) = delete;
};

// Bytes of the pages that hold something now.
size_t ShortLivedBytes();
// Whether `pointer` lies there.
bool IsShortLived(const void* pointer);

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_MEMORY_SHORT_LIVED_H_
