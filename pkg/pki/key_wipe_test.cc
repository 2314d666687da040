// Proves that keys are wiped: makes one, writes it as PEM, destroys all of it, and then searches
// the whole writable memory of this process for the key's private numbers.

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/key.h"
#include "pkg/pki/pem.h"

namespace calico::pki {
namespace {

constexpr size_t kNeedleBytes = 24;
constexpr uint8_t kMask = 0x5a;

// A stretch of a secret, kept in a form that a search for the secret does not find.
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
int CountInMemory(const MaskedNeedle& needle) {
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

// Needles in the DER of the key: `offset` from its end or its start lies within a private number.
struct Needles {
  MaskedNeedle der;
  MaskedNeedle pem;
};

[[gnu::noinline]] Needles TakeNeedles(const PrivateKey& key, const char* label, size_t offset) {
  const base::SecretString pem = key.ToPem();
  EXPECT_THAT(PrivateKey::ParsePem(pem.view()), base::IsOk());  // reading must be clean, too
  std::string der = *ParseSinglePem(pem.view(), label);
  const Needles needles{MaskedNeedle(der.data() + offset), MaskedNeedle(pem.view().data() + 100)};
  EXPECT_GT(CountInMemory(needles.der), 0) << "the search does not work";
  EXPECT_GT(CountInMemory(needles.pem), 0) << "the search does not work";
  explicit_bzero(der.data(), der.size());
  return needles;
}

[[gnu::noinline]] Needles MakeKeyAndForgetIt(KeyAlgorithm algorithm, const char* label,
                                             size_t offset) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(algorithm);
  const Needles needles = TakeNeedles(*key, label, offset);
  EXPECT_GT(CountInMemory(needles.der), 0) << "the living key is not found";
  EXPECT_EQ(CountInMemory(needles.pem), 0) << "PEM is left while the key lives";
  return needles;
}

// Overwrites what the calls above left in stack frames that are no longer in use. The library
// clears its own; this clears what compilers spill.
[[gnu::noinline]] void WipeStack() {
  char frame[64 << 10];
  explicit_bzero(frame, sizeof(frame));
}

TEST(KeyWipeTest, NothingOfAKeyStaysInMemory) {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer's shadow is terabytes of memory to search";
#endif
  struct Case {
    const char* name;
    KeyAlgorithm algorithm;
    const char* label;
    size_t offset;
  };
  const Case kCases[] = {
      // PKCS#1: n has 257 bytes from offset 11; d begins at 277, p at 537, q at 669.
      {"RSA d", KeyAlgorithm::kRsa2048, "RSA PRIVATE KEY", 320},
      {"RSA p", KeyAlgorithm::kRsa2048, "RSA PRIVATE KEY", 580},
      {"RSA q", KeyAlgorithm::kRsa2048, "RSA PRIVATE KEY", 720},
      // SEC1: the scalar has 32 bytes from offset 7.
      {"EC scalar", KeyAlgorithm::kEcdsaP256, "EC PRIVATE KEY", 8},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const Needles needles = MakeKeyAndForgetIt(c.algorithm, c.label, c.offset);
    WipeStack();
    EXPECT_EQ(CountInMemory(needles.der), 0);
    EXPECT_EQ(CountInMemory(needles.pem), 0);
  }
}

}  // namespace
}  // namespace calico::pki
