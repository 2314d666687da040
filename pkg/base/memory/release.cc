#include "pkg/base/memory/release.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace calico::base {
namespace {

// Of the program itself, which comes first. What can be written, or was relocated and then
// protected, is not in the file as it is in memory, and stays.
int ReleaseCode(dl_phdr_info* info, size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t start = (info->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
    const std::uintptr_t end = (info->dlpi_addr + segment.p_vaddr + segment.p_filesz) / page * page;
    if (start >= end) continue;
    // A refusal leaves everything as it is.
    madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);  // NOLINT: an address
  }
  return 1;
}

}  // namespace

void ReleaseMemory() {
  malloc_trim(0);
  dl_iterate_phdr(&ReleaseCode, nullptr);
}

}  // namespace calico::base
