#include "pkg/base/memory/long_lived.h"

#include <memory_resource>
#include <mutex>

namespace calico::base {
namespace {

// Larger ones are no small things, and come from the heap.
constexpr size_t kLargest = 512;
constexpr size_t kBlocksOfAChunk = 128;

struct Pool {
  std::mutex mutex;
  std::pmr::unsynchronized_pool_resource memory{
      {.max_blocks_per_chunk = kBlocksOfAChunk, .largest_required_pool_block = kLargest},
      std::pmr::new_delete_resource()};
};

// Never destroyed: static objects may hold some of it.
Pool& ThePool() {
  static Pool* const pool = new Pool;
  return *pool;
}

}  // namespace

void* AllocateLongLived(size_t bytes, size_t alignment) {
  Pool& pool = ThePool();
  const std::lock_guard lock(pool.mutex);
  return pool.memory.allocate(bytes, alignment);
}

void FreeLongLived(void* pointer, size_t bytes, size_t alignment) noexcept {
  Pool& pool = ThePool();
  const std::lock_guard lock(pool.mutex);
  pool.memory.deallocate(pointer, bytes, alignment);
}

}  // namespace calico::base
