// CALICO_CHECK: our own broken invariants, never files, network or API answers.
#ifndef CALICO_PKG_BASE_CHECK_H_
#define CALICO_PKG_BASE_CHECK_H_

#if !defined(__clang__)
#error "GCC 12 destroys temporaries of co_await statements twice; build with clang-19 (CC=clang-19)"
#endif

namespace calico::base {

// Prints `condition` with its place to stderr and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace calico::base

#define CALICO_CHECK(condition)                                                    \
  do {                                                                             \
    if (!(condition)) ::calico::base::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

#endif  // CALICO_PKG_BASE_CHECK_H_
