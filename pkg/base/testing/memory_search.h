// Searches the whole writable memory of this process for a secret that should be gone.
//
//   const MaskedNeedle needle(secret.data() + 10);
//   ... use and forget the secret, in functions of their own ...
//   WipeStack();
//   EXPECT_EQ(CountInMemory(needle), 0);
#ifndef CALICO_PKG_BASE_TESTING_MEMORY_SEARCH_H_
#define CALICO_PKG_BASE_TESTING_MEMORY_SEARCH_H_

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "pkg/base/secret_string.h"

namespace calico::base {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kCanSearchMemory = false;
#else
inline constexpr bool kCanSearchMemory = true;
#endif

inline constexpr size_t kNeedleBytes = 24;
inline constexpr uint8_t kMask = 0x5a;

// The first kNeedleBytes of a secret, kept in a form that a search for the secret does not find.
class MaskedNeedle {
 public:
  explicit MaskedNeedle(const char* secret) {
    for (size_t i = 0; i < kNeedleBytes; ++i) {
      masked_[i] = static_cast<uint8_t>(secret[i]) ^ kMask;
    }
  }
  bool Matches(const uint8_t* bytes, bool reversed) const {
    for (size_t i = 0; i < kNeedleBytes; ++i) {
      const uint8_t wanted = masked_[reversed ? kNeedleBytes - 1 - i : i];
      if ((bytes[i] ^ kMask) != wanted) return false;
    }
    return true;
  }

 private:
  uint8_t masked_[kNeedleBytes];
};

// How often the needle stands in writable memory, in both byte orders: PEM and DER are big endian,
// the library's numbers little endian.
inline int CountInMemory(const MaskedNeedle& needle) {
  static std::vector<uint8_t> buffer(1 << 20);  // static: it must not be searched as heap garbage
  int found = 0;
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    uintptr_t begin = 0, end = 0;
    char mode[5] = {};
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, mode) != 3)
      continue;
    if (mode[0] != 'r' || mode[1] != 'w') continue;
    for (uintptr_t at = begin; at < end;) {
      const size_t size = std::min<size_t>(buffer.size(), end - at);
      iovec local{buffer.data(), size};
      iovec remote{reinterpret_cast<void*>(at), size};
      const ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
      if (got <= 0) break;
      for (ssize_t i = 0; i + static_cast<ssize_t>(kNeedleBytes) <= got; ++i) {
        // The buffer itself holds copies while it is being searched.
        const uintptr_t address = at + static_cast<uintptr_t>(i);
        const auto own = reinterpret_cast<uintptr_t>(buffer.data());
        if (address >= own && address < own + buffer.size()) continue;
        found += needle.Matches(&buffer[i], false) || needle.Matches(&buffer[i], true) ? 1 : 0;
      }
      if (static_cast<size_t>(got) < size || at + size >= end) break;
      at += size - kNeedleBytes;
    }
    std::memset(buffer.data(), 0, buffer.size());
  }
  return found;
}

// Overwrites what the calls above left in stack frames that are no longer in use. The library
// clears its own; this clears what compilers spill.
[[gnu::noinline]] inline void WipeStack() {
  char frame[64 << 10];
  explicit_bzero(frame, sizeof(frame));
}

// `size` letters, of which no other copy is anywhere.
inline SecretString RandomSecret(size_t size) {
  SecretString secret = SecretString::OfSize(size);
  std::random_device random;
  for (size_t i = 0; i < size; ++i) secret.data()[i] = static_cast<char>('a' + random() % 26);
  return secret;
}

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_TESTING_MEMORY_SEARCH_H_
