// Gives back memory that is not needed any more.
#ifndef CALICO_PKG_BASE_MEMORY_RELEASE_H_
#define CALICO_PKG_BASE_MEMORY_RELEASE_H_

namespace calico::base {

// Returns free pieces of the heap to the kernel, and unmaps the pages of the program's own code and
// constants: what only the start needed does not stay resident, what is used comes back from the
// page cache by itself. Threading: any thread.
void ReleaseMemory();

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_MEMORY_RELEASE_H_
